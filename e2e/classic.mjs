// Uses notebooks in a real classic Notebook 6 in a real Chromium, as a person would, and checks what the page shows.
//
//   LAB_URL=http://127.0.0.1:8888 node e2e/classic.mjs SERVER_DIR SHOTS_DIR [PART …]
//
// The parts are those at the end of this file; all of them unless some are named. SERVER_DIR is the folder that the server serves, into which
// small notebooks are written. The state of the cells is asked of the page's own objects, while all that a person does goes through the page.
// CHROMIUM names the browser, /usr/bin/chromium unless set.
import path from 'node:path';
import { check, errors, patience, picturesIn, run, shots, stored, text, until, url, write } from './frontend.mjs';

/** A notebook that is open in classic Notebook. */
class Notebook {
  constructor(page, name) { this.page = page; this.name = name; }

  /** Writes a notebook of code cells and opens it. */
  static async written(page, name, sources) {
    write(name, sources);
    const nb = new Notebook(page, `${name}.ipynb`);
    await page.goto(`${url}/notebooks/${nb.name}`);
    await nb.ready();
    return nb;
  }

  async ready() {
    await this.page.waitForSelector('#notebook-container .cell', { timeout: patience });
    await until('the kernel is connected', () => this.page.evaluate(() => !!window.Jupyter?.notebook?.kernel?.is_connected()));
    await this.idle();
  }

  /** Waits until the circle beside the kernel's name is empty. */
  idle() { return this.page.waitForSelector('#kernel_indicator_icon.kernel_idle_icon', { timeout: patience }); }

  cells() {
    return this.page.evaluate(() => window.Jupyter.notebook.get_cells().map(c => ({
      source: c.get_text(), count: c.input_prompt_number ?? null, outputs: c.output_area?.toJSON() ?? [],
    })));
  }

  async show(i) {
    const cell = (await this.page.$$('#notebook-container .cell'))[i];
    await cell.scrollIntoViewIfNeeded();
    return cell;
  }

  /** Puts the cursor behind a cell's text. */
  async enter(i) {
    await (await (await this.show(i)).$('.CodeMirror')).click();
    await this.page.keyboard.press('Control+End');
  }

  async press(i, key) {
    await this.enter(i);
    await this.page.keyboard.press(key);
  }

  async start(i) {
    this.before = (await this.cells())[i].count;
    await this.press(i, 'Control+Enter');
  }

  async ended(i) {
    await until(`cell ${i + 1} has ended`, async () => {
      const { count } = (await this.cells())[i];
      return typeof count === 'number' && count !== this.before;
    });
    await this.idle();
    return (await this.cells())[i];
  }

  async run(i) {
    await this.start(i);
    return this.ended(i);
  }

  /** What a cell shows on the page. */
  async said(i) { return (await this.show(i)).$eval('.output_wrapper', e => e.innerText); }

  /** Presses the toolbar's button. */
  interrupt() { return this.page.click('[data-jupyter-action="jupyter-notebook:interrupt-kernel"]'); }

  /** Chooses an item of a menu. */
  async menu(top, item) {
    await this.page.click(`#menus a.dropdown-toggle:text-is("${top}")`);
    await this.page.click(item);
  }

  async shot(name) { await this.page.screenshot({ path: path.join(shots, `${name}.png`) }); }
}

const typed = [
  '// größe is a text.\ngröße := strings.Builder{}\nseven := 7',
  'for range 3 {\n\tgröße.Write',
  'größe.WriteString(',
  'seven',
  '?größe.Len',
  '%%writefile shown.txt\nfmt.Println("shown")',
  '%load shown.txt',
];

/** What a person is offered and told while typing. */
async function typing(page) {
  const nb = await Notebook.written(page, 'typing', typed);
  const first = await nb.show(0);
  await first.waitForSelector('.cm-number:text-is("7")', { timeout: 15_000 }).catch(() => {}); // the colours of the language come with a file of their own
  check(await first.$('.cm-number:text-is("7")') && await first.$('.cm-comment:text-is("// größe is a text.")'), 'the cells are coloured as Go');
  await nb.run(0);

  await nb.press(1, 'Tab');
  const list = await page.waitForSelector('.completions select', { timeout: patience });
  const offered = await list.$$eval('option', all => all.map(e => e.textContent.trim()).join());
  check(offered === 'Write,WriteByte,WriteRune,WriteString', 'Tab offers what a variable has, in a loop that is not closed', offered);
  await nb.shot('classic-completion');
  await list.selectOption({ index: 3 });
  await page.keyboard.press('Enter');
  const source = async i => (await nb.cells())[i].source;
  await until('the completion is typed', async () => (await source(1)).endsWith('größe.WriteString'), 15_000).catch(async () => check(false, 'the completion is typed', await source(1)));

  /** What the tooltip says that Shift-Tab opens behind a cell's text, and opens wider where it is pressed again before Shift is released. */
  const told = async (i, ...again) => {
    await nb.enter(i);
    await page.keyboard.down('Shift');
    await page.keyboard.press('Tab');
    const tip = await page.waitForSelector('#tooltip .tooltiptext:not(:empty)', { timeout: patience });
    for (const key of again) await page.keyboard.press(key);
    await page.keyboard.up('Shift');
    return tip.evaluate(e => [e.textContent, e.classList.contains('bigtooltip')]);
  };
  let [tip, wide] = await told(2, 'Tab');
  check(tip.includes('func (b *strings.Builder) WriteString(s string)') && tip.includes('WriteString appends'), 'Shift-Tab tells of the function that is called', tip);
  check(wide, 'Tab again makes room for more');
  await nb.shot('classic-tooltip');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#tooltip', { state: 'hidden' });
  [tip] = await told(3);
  check(tip.includes('var seven int') && tip.includes('value: 7'), 'and the value of a variable', tip);
  await page.keyboard.press('Escape');

  await nb.run(4);
  const pager = await page.waitForSelector('#pager-container:has-text("Len returns the number of accumulated bytes")', { timeout: patience }).catch(() => null);
  check(pager !== null, 'a question mark opens the pager', await nb.said(4));
  await nb.shot('classic-pager');
  await nb.run(5);
  await nb.start(6);
  await until('the file is in the cell', async () => (await source(6)).includes('shown")'));
  await nb.idle();
  check((await source(6)).includes('fmt.Println("shown")'), '%load writes a file into its cell', await source(6));
  const cell = await nb.run(6);
  check(text(cell.outputs).trim() === 'shown', 'which runs then', JSON.stringify(cell.outputs));
}

const ran = [
  'total := 40\nfmt.Println("made", total)',
  'var none []int\ntotal++\nfmt.Println(none[3])',
  'fmt.Println("running")\nfor {\n\ttotal++\n}',
  'fmt.Println("kept:", total > 41)\nstruct{ Name string; Size int }{"a row", 7}',
  'fmt.Print("Name: ")\nvar name string\nfmt.Scan(&name)\nfmt.Println("hello,", name)',
  'import "github.com/seed5607215b/nnkit/display/jupyter"\nfmt.Println("first")\njupyter.ClearOutput(true)\nfmt.Println("second")',
  'import own "github.com/seed5607215b/nnkit/display/widgets"\nbar := own.Progress("training", 10)\nbar.Display()\nfor i := range 11 {\n\tbar.Set(float64(i))\n\ttime.Sleep(60 * time.Millisecond)\n}',
  `import (
	"github.com/seed5607215b/nnkit/display"
	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

points := data.Moons(200, 0.1, 1)
model := nnkit.Sequential(nnkit.Dense(8, nnkit.Tanh), nnkit.Dense(1, nnkit.Sigmoid))
err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy)
slowly := nnkit.OnEpochEnd(func(*nnkit.Training) { time.Sleep(40 * time.Millisecond) })
run := model.Fit(points.X, points.Y, nnkit.Epochs(60), slowly, display.Live())`,
  `turn := display.Slider("turn", 0, 4, 1).Steps(1)
view := display.Interact(func() *display.Figure {
	return display.Curve(display.Metrics{"loss": {4, 2, turn.Value()}}, display.Title(fmt.Sprint("turn ", turn.Value())))
}, turn)`,
  'total',
];

/** What cells show and ask, while they run and in a page that is loaded again. */
async function running(page) {
  const nb = await Notebook.written(page, 'running', ran);
  await nb.run(0);
  let cell = await nb.run(1);
  check(errors(cell.outputs).some(e => e.includes('index out of range [3]')), 'a cell panics', JSON.stringify(cell.outputs));
  check(/^runtime error: .*\n  Cell \[2\], line 3\n/.test(await nb.said(1)), 'the page shows where, without escape sequences', await nb.said(1));
  await nb.start(2);
  await until('it runs', async () => text((await nb.cells())[2].outputs).includes('running'));
  await nb.interrupt();
  cell = await nb.ended(2);
  check(errors(cell.outputs).length === 1, 'the interrupt button ends an endless cell', JSON.stringify(cell.outputs));
  cell = await nb.run(3);
  check(text(cell.outputs).includes('kept: true'), 'the variables are there after it', JSON.stringify(cell.outputs));
  await nb.shot('classic-interrupted');

  await nb.start(4);
  const field = await page.waitForSelector('input.raw_input', { timeout: patience });
  await nb.shot('classic-stdin');
  await field.fill('Gopher');
  await field.press('Enter');
  await nb.ended(4);
  check((await nb.said(4)).includes('hello, Gopher'), 'reading standard input opens a field to type in', await nb.said(4));
  await nb.start(4);
  await page.waitForSelector('input.raw_input', { timeout: patience });
  await nb.interrupt();
  await nb.ended(4);
  check(/^Name: \s*interrupted: /.test(await nb.said(4)) && !await page.$('input.raw_input'), 'an interrupt takes it away', await nb.said(4));
  cell = await nb.run(5);
  check(text(cell.outputs).trim() === 'second', 'clear_output takes away what was shown', JSON.stringify(cell.outputs));
  cell = await nb.run(6);
  check(cell.outputs.length === 1 && text(cell.outputs).includes('100 %'), 'a progress bar goes on in its place', JSON.stringify(cell.outputs));
  await nb.start(7);
  const titles = new Set();
  await until('the training is over', async () => {
    const title = await (await nb.show(7)).$eval('.output_wrapper b', e => e.textContent).catch(() => '');
    if (title) titles.add(title);
    return title.startsWith('done');
  });
  cell = await nb.ended(7);
  check(titles.size > 3 && cell.outputs.length === 1 && picturesIn(cell.outputs) === 1, `the picture of a training changes ${titles.size - 1} times in its place`, [...titles].join('\n'));
  await nb.shot('classic-training');

  cell = await nb.run(8);
  /** Moves the slider by a key, which in the notebook would select a cell, and waits for what the figure says then. */
  const moves = async (key, what) => {
    const node = await nb.show(8);
    await (await node.waitForSelector('.output_area input[type=range]', { timeout: patience })).focus();
    await page.keyboard.press(key);
    const holds = async () => (await node.$$eval('.output_area svg, .output_area img', all => all.map(e => e.ariaLabel ?? e.alt).join(' and '))).startsWith(what);
    await until(what, holds).catch(() => {});
    check(await holds(), `the slider draws “${what}”`, await nb.said(8));
  };
  await moves('ArrowUp', 'turn 2: ');
  await nb.shot('classic-interact');

  await page.click('[data-jupyter-action="jupyter-notebook:save-notebook"]');
  await until('the notebook is saved', () => page.evaluate(() => !window.Jupyter.notebook.dirty));
  const file = stored(nb.name);
  check(file.cells.every(c => c.outputs.length > 0 || c.source.join('') === 'total') && file.metadata.language_info.name === 'go', 'the file has what the cells have shown', JSON.stringify(file.cells.map(c => c.outputs.length)));
  await page.reload();
  await nb.ready();
  await moves('ArrowUp', 'turn 3: ');
  await nb.shot('classic-reloaded');
  cell = await nb.run(9);
  check(Number(text(cell.outputs)) > 41, 'a page that is loaded again has its variables', JSON.stringify(cell.outputs));

  await nb.menu('Kernel', '#restart_kernel a');
  await page.click('.modal.in .btn-danger');
  await page.waitForSelector('.modal', { state: 'detached' });
  await nb.ready();
  cell = await nb.run(9);
  check(errors(cell.outputs).some(e => e.includes('undefined: total')), 'a restart forgets them, and the error says so', JSON.stringify(cell.outputs));
}

await run({ typing, running });
