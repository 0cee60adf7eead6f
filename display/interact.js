// Fills the element with controls once the page can talk to the program; where it cannot, the words in the element stay.
((id, controls, look) => {
  // What was chosen outlives the element, which the page may draw again.
  const chosen = globalThis.nnkit_chosen ??= {};
  let last = 0;

  /** Tells the program a value. Numbers that rise say which of two is the later. */
  const tell = (control, value) => {
    chosen[control.address] = value;
    last = Math.max(last + 1, Date.now());
    globalThis.gonb_comm?.send(control.address, `${last} ${value}`);
  };

  /** Tells values that come faster than they can be drawn: the last of them, some time after the first. */
  const telling = control => {
    let waiting = null;
    return value => {
      if (waiting === null) setTimeout(() => { const v = waiting; waiting = null; tell(control, v); }, 60);
      waiting = value;
    };
  };

  const element = (name, style, properties) => {
    const e = Object.assign(document.createElement(name), properties);
    e.style.cssText = style;
    return e;
  };
  const box = `color:${look.text};background:${look.card};border:1px solid ${look.border};border-radius:5px;padding:2px 8px;font:inherit`;

  const makers = {
    slider(c) {
      const say = telling(c);
      const value = at => {
        const v = c.logarithmic ? c.min * Math.pow(c.max / c.min, at) : c.min + (c.max - c.min) * at;
        return c.step > 0 ? Math.min(c.min + Math.round((v - c.min) / c.step) * c.step, c.max) : v;
      };
      const place = v => c.logarithmic ? Math.log(v / c.min) / Math.log(c.max / c.min) : (v - c.min) / (c.max - c.min);
      const steps = c.step > 0 && !c.logarithmic ? Math.round((c.max - c.min) / c.step) : 400;
      const start = Number(chosen[c.address] ?? c.value);
      const range = element('input', `width:220px;margin:0;accent-color:${look.accent};vertical-align:middle`,
        { type: 'range', min: 0, max: steps, step: 1, value: Math.round(place(start) * steps), ariaLabel: c.label });
      const shown = element('output', 'min-width:3em;font-variant-numeric:tabular-nums', { textContent: String(Number(start.toPrecision(3))) });
      range.addEventListener('input', () => {
        const v = value(range.value / steps);
        shown.textContent = String(Number(v.toPrecision(3)));
        say(v);
      });
      return [range, shown];
    },
    select(c) {
      const list = element('select', box, { ariaLabel: c.label });
      c.options.forEach((text, i) => list.append(new Option(text, i)));
      list.selectedIndex = Number(chosen[c.address] ?? c.value);
      list.addEventListener('change', () => tell(c, list.selectedIndex));
      return [list];
    },
    button(c) {
      let clicks = Number(chosen[c.address] ?? 0);
      const button = element('button', `${box};cursor:pointer`, { type: 'button', textContent: c.label });
      button.addEventListener('click', () => tell(c, ++clicks));
      return [button];
    },
  };

  /** Makes the controls as soon as there is a program; after a page was loaded again, that may be when it next has something to say. */
  const connect = looks => {
    const root = document.getElementById(id);
    if (looks > 50 && !root) return; // the output is gone
    if (!root || !globalThis.gonb_comm) {
      setTimeout(() => connect(looks + 1), looks < 50 ? 100 : 2000);
      return;
    }
    root.replaceChildren(...controls.map(c => {
      const row = element('label', 'display:inline-flex;align-items:center;gap:8px;margin:2px 18px 2px 0');
      if (c.kind !== 'button') row.append(element('span', `color:${look.quiet}`, { textContent: c.label }));
      row.append(...makers[c.kind](c));
      return row;
    }));
  };
  connect(0);
})
