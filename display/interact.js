// Fills the element with controls once the page can talk to the program; where it cannot, the words in the element stay.
((id, address, kernel, controls, look) => {
  let last = 0;

  /** Tells the program a value. Numbers that rise say which of two is the later. */
  const tell = (control, value) => {
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

  const element = (name, style, properties = {}) => {
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
      const start = c.value;
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
      list.selectedIndex = c.value;
      list.addEventListener('change', () => tell(c, list.selectedIndex));
      return [list];
    },
    button(c) {
      let clicks = c.value;
      const button = element('button', `${box};cursor:pointer`, { type: 'button', textContent: c.label });
      button.addEventListener('click', () => tell(c, ++clicks));
      return [button];
    },
  };

  /** Makes the controls, at the values that they have in the program. */
  const make = (root, said) => {
    last = said.last ?? 0;
    root.replaceChildren(...controls.map((c, n) => {
      const row = element('label', 'display:inline-flex;align-items:center;gap:8px;margin:2px 18px 2px 0');
      if (c.kind !== 'button') row.append(element('span', `color:${look.quiet}`, { textContent: c.label }));
      row.append(...makers[c.kind]({ ...c, value: said.values[n] }));
      return row;
    }));
    globalThis.Jupyter?.keyboard_manager?.register_events(root); // else the classic Notebook takes the keys that move a slider
  };

  /** Draws a figure in the place of the one that was saved with the notebook, of which no page knows by which id it was shown. */
  const draw = (root, figure) => {
    const saved = root.closest('.jp-OutputArea-child, .output_area')?.nextElementSibling?.querySelector('.jp-OutputArea-output, .output_subarea');
    const place = saved ?? root.parentElement.querySelector(':scope > figure') ?? root.parentElement.appendChild(element('figure', 'margin:0'));
    place.innerHTML = figure;
  };

  /** Takes what the program says of itself: how its controls stand, and to a page that was loaded later what the figure is now. */
  let made = false;
  const hear = (_, text) => {
    const root = document.getElementById(id), said = JSON.parse(text);
    if (!root) return;
    if (said.values && !made) {
      made = true;
      make(root, said);
    }
    if (said.figure) draw(root, said.figure);
  };

  /** Asks the kernel for the object gonb_comm, which a page that was loaded again no longer has. A kernel without such comms closes this one. */
  const wake = () => {
    let config = {};
    try { config = JSON.parse(document.getElementById('jupyter-config-data')?.textContent ?? '{}'); } catch { /* it is not Jupyter's */ }
    const root = new URL(config.baseUrl ?? document.body.dataset.baseUrl ?? '/', location.href);
    const url = new URL((config.wsUrl || root.href.replace(/^http/, 'ws')).replace(/\/*$/, '/') + `api/kernels/${kernel}/channels`);
    if (config.token) url.searchParams.set('token', config.token);
    const comm = `${id}-${Math.random()}`;
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send(JSON.stringify({
      channel: 'shell', parent_header: {}, metadata: {}, content: { comm_id: comm, target_name: 'gonb_comm_script', data: {} }, buffers: [],
      header: { msg_id: comm, msg_type: 'comm_open', session: comm, username: '', version: '5.3', date: new Date().toISOString() },
    }));
    socket.onmessage = event => {
      if (typeof event.data !== 'string') return;
      const { header, content } = JSON.parse(event.data);
      if (content?.comm_id !== comm) return;
      if (header.msg_type === 'comm_msg' && !globalThis.gonb_comm) Function(content.data.script)();
      if (header.msg_type !== 'comm_open') socket.close();
    };
  };

  // The program is asked once there is a gonb_comm, and again when there is another one, after the connection was lost.
  const page = globalThis.nnkit_page ??= `${Date.now()} ${Math.random()}`;
  const waking = globalThis.nnkit_waking ??= { next: Date.now() + 1000, wait: 5000 };
  let asked = null;
  const connect = looks => {
    if (looks > 50 && !document.getElementById(id)) return; // the output is gone
    const comm = globalThis.gonb_comm;
    if (comm && comm !== asked) {
      asked = comm;
      comm.subscribe(address, hear);
      comm.send(address, page);
    } else if (!comm && kernel && Date.now() > waking.next) {
      waking.next = Date.now() + waking.wait;
      waking.wait = Math.min(2 * waking.wait, 300_000);
      wake();
    }
    setTimeout(() => connect(looks + 1), looks < 50 ? 100 : 2000);
  };
  connect(0);
})
