// Opens notebooks in a real JupyterLab in a real Chromium, as a user would, and
// checks what the page shows.
//
//   LAB_URL=http://127.0.0.1:8888 node e2e/lab.mjs SERVER_DIR SHOTS_DIR [PART …]
//
// The parts are those at the end of this file; all of them unless some are named.
//
// SERVER_DIR is the folder that JupyterLab serves; it holds 01-first-network.ipynb,
// and small notebooks about state, typing, floods, training and cells for the page are written into it. The server must run with
// --LabApp.expose_app_in_browser=True: the state of kernel and cells is asked of
// the page's application object, while all that a user does goes through the page.
// CHROMIUM names the browser, /usr/bin/chromium unless set.
import path from 'node:path';
import { debugging } from './debug.mjs';
import { check, dir, errors, patience, picturesIn, run, shots, sleep, stored, text, until, url, write } from './frontend.mjs';

/** A notebook that is open in JupyterLab. */
class Notebook {
  constructor(page) { this.page = page; }

  static async open(page, name) {
    await page.goto(`${url}/lab/tree/${name}?reset`);
    await page.waitForSelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell', { timeout: patience });
    const nb = new Notebook(page);
    await nb.idle();
    return nb;
  }

  status() {
    return this.page.evaluate(() => {
      const kernel = window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
      return kernel?.connectionStatus === 'connected' ? kernel.status : 'not connected';
    });
  }

  idle() { return until('the kernel is idle', async () => await this.status() === 'idle'); }

  /** What the cells hold: kind, source, prompt number, outputs as saved. */
  cells() {
    return this.page.evaluate(() => window.jupyterapp.shell.currentWidget.content.widgets.map(w => ({
      code: w.model.type === 'code',
      source: w.model.sharedModel.getSource(),
      count: w.model.executionCount ?? null,
      outputs: w.model.outputs?.toJSON() ?? [],
    })));
  }

  /** Scrolls to a cell, since JupyterLab draws cells as they come into view, and returns its element. */
  async show(i) {
    const cell = (await this.page.evaluateHandle(async i => {
      const nb = window.jupyterapp.shell.currentWidget.content;
      nb.activeCellIndex = i;
      await nb.scrollToItem(i);
      return nb.widgets[i].node;
    }, i)).asElement();
    await cell.scrollIntoViewIfNeeded();
    return cell;
  }

  /** The pictures of a cell as the page draws them. */
  async pictures(i) {
    const cell = await this.show(i);
    const look = () => cell.evaluate(node => {
      const box = e => e.getBoundingClientRect();
      const visible = e => box(e).width > 50 && box(e).height > 50 && getComputedStyle(e).visibility === 'visible'
        && box(e).right <= box(node.querySelector('.jp-OutputArea')).right + 1; // else it is cut off
      return [
        ...[...node.querySelectorAll('.jp-OutputArea img')].map(e => ({
          kind: 'img', width: e.naturalWidth, height: e.naturalHeight, drawn: e.complete && e.naturalWidth > 0 && visible(e) })),
        ...[...node.querySelectorAll('.jp-OutputArea svg')].map(e => ({
          kind: 'svg', width: box(e).width, height: box(e).height, drawn: visible(e) && e.childElementCount > 0 })),
      ];
    });
    await until(`the pictures of cell ${i + 1} are loaded`, async () => {
      const found = await look();
      return found.length > 0 && found.every(p => p.drawn);
    }, 15_000).catch(() => {});
    await (await cell.$('.jp-OutputArea img, .jp-OutputArea svg'))?.scrollIntoViewIfNeeded();
    return look();
  }

  /** Runs one cell with the keyboard and waits until it has ended. */
  async run(i) {
    await this.start(i);
    await this.ended(i);
    return (await this.cells())[i];
  }

  async start(i) {
    const cell = await this.show(i);
    await (await cell.waitForSelector('.cm-content')).click();
    await this.page.keyboard.press('Control+Enter');
  }

  /** Puts the cursor behind a cell's text, and presses a key there. */
  async press(i, key) {
    const cell = await this.show(i);
    await (await cell.waitForSelector('.cm-content')).click();
    await this.page.keyboard.press('Control+End');
    await this.page.keyboard.press(key);
  }

  /** What the list of completions offers that Tab opens behind a cell's text. Who gets none in time presses it again. */
  async offered(i) {
    const list = '.jp-Completer:not(.lm-mod-hidden) .jp-Completer-match';
    for (let left = 5; ; left--) {
      await this.press(i, 'Tab');
      try {
        await this.page.waitForSelector(list, { timeout: 5000 });
        break;
      } catch (e) {
        if (left === 0) throw e;
        console.log(`note: no completions in cell ${i + 1} within 5 s`);
      }
    }
    return this.page.$$eval(list, all => all.map(e => e.textContent));
  }

  /** What the tooltip says that Shift-Tab opens behind a cell's text. */
  async told(i) {
    await this.press(i, 'Shift+Tab');
    const tip = await this.page.waitForSelector('.jp-Tooltip-content', { timeout: 15_000 });
    return tip.evaluate(e => e.textContent);
  }

  /** Clears all outputs: a page with a million lines is slow. */
  clear() { return this.page.evaluate(() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')); }

  /** Presses the toolbar's interrupt button. */
  interrupt() {
    return this.page.click('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Toolbar [data-command="notebook:interrupt-kernel"], '
      + '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Toolbar [title^="Interrupt"]');
  }

  async ended(i) {
    const prompt = () => this.page.evaluate(i =>
      window.jupyterapp.shell.currentWidget.content.widgets[i].node.querySelector('.jp-InputPrompt')?.textContent ?? '', i);
    await until(`cell ${i + 1} has ended`, async () => /\[\d+\]/.test(await prompt()));
    await this.idle();
  }

  /** Whether a cell is running. */
  isBusy(i) {
    return this.page.evaluate(i =>
      window.jupyterapp.shell.currentWidget.content.widgets[i].node.querySelector('.jp-InputPrompt')?.textContent.includes('*'), i);
  }

  /** The texts that an output goes through, of those that contain a word, and the greatest number of outputs, for as long as goOn says so. */
  async changes(i, word, goOn) {
    const cell = await this.show(i);
    const look = () => cell.evaluate((node, word) => ({
      outputs: node.querySelectorAll('.jp-OutputArea-output').length,
      text: [...node.querySelectorAll('.jp-OutputArea-output b')].map(e => e.textContent).find(t => t.includes(word)) ?? '',
    }), word);
    const texts = [];
    let most = 0;
    for (const end = Date.now() + patience; ; await sleep(40)) {
      const going = await goOn(texts);
      const now = await look();
      most = Math.max(most, now.outputs);
      if (now.text && now.text !== texts.at(-1)) texts.push(now.text);
      if (!going) return { texts, most };
      if (Date.now() > end) throw new Error(`cell ${i + 1} went on for ${patience / 1000} s`);
    }
  }

  dark() { return this.theme('Dark', false); }
  light() { return this.theme('Light', true); }

  async theme(name, light) {
    await this.page.evaluate(name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: `JupyterLab ${name}` }), name);
    await this.page.waitForSelector(`body[data-jp-theme-light="${light}"]`, { state: 'attached', timeout: patience });
    await this.page.waitForLoadState('networkidle'); // the style sheet has come
    await sleep(500); // its fonts may still
  }

  /** Saves the notebook as a person does, and returns what is on the disk then. */
  async save() {
    await this.page.keyboard.press('Escape');
    await this.page.keyboard.press('Control+s');
    await until('the notebook is saved', () => this.page.evaluate(() => !window.jupyterapp.shell.currentWidget.context.model.dirty));
    const name = await this.page.evaluate(() => window.jupyterapp.shell.currentWidget.context.path);
    return stored(name);
  }

  /** Saves and reloads the page, to which the kernel that runs belongs again. */
  async reload() {
    const id = () => this.page.evaluate(() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.id);
    await this.save();
    const before = await id();
    await this.page.reload();
    await this.page.waitForSelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell', { timeout: patience });
    await this.idle();
    check(await id() === before, 'the page has its kernel again after a reload', `${before} ${await id()}`);
  }

  async menu(top, item) {
    await this.page.click(`.lm-MenuBar-itemLabel:text-is("${top}")`);
    await this.page.click(`.lm-Menu-itemLabel:text-matches("^${item}$")`);
  }

  async shot(name) {
    await this.page.screenshot({ path: path.join(shots, `${name}.png`) });
  }
}

async function firstNetwork(page) {
  const nb = await Notebook.open(page, '01-first-network.ipynb');
  const name = await page.evaluate(() => window.jupyterapp.shell.currentWidget.sessionContext.kernelDisplayName);
  check(name === 'Go (nnkit)', `the notebook opens with the kernel "${name}"`);
  await nb.shot('01-opened');

  await nb.menu('Run', 'Run All Cells');
  await until('all cells have run', async () => {
    const cells = (await nb.cells()).filter(c => c.code && c.source.trim());
    return cells.every(c => c.count !== null) || cells.some(c => errors(c.outputs).length > 0);
  }, 2 * patience).catch(e => check(false, e.message));
  await nb.idle();

  const cells = await nb.cells();
  let count = 0, said = '', pictures = 0;
  for (const [i, c] of cells.entries()) {
    if (!c.code || !c.source.trim()) continue;
    const wrong = errors(c.outputs);
    check(wrong.length === 0 && c.count === ++count, `cell ${i + 1} ran as [${c.count}] without an error`, wrong.join('\n'));
    said += text(c.outputs) + '\n';
    const expected = picturesIn(c.outputs);
    if (expected === 0) continue;
    const drawn = await nb.pictures(i);
    check(drawn.length >= expected && drawn.every(p => p.drawn),
      `cell ${i + 1} has its picture on the page: ${drawn.map(p => `${p.kind} ${p.width}x${p.height}`).join(', ')}`, JSON.stringify(drawn));
    pictures += drawn.length;
    await nb.shot(`01-cell-${i + 1}`);
  }
  check(pictures >= 2, `${pictures} pictures are drawn`);
  for (const word of ['loss', 'accuracy']) check(said.toLowerCase().includes(word), `the outputs speak of ${word}`, said);
  check(/\d\.\d{2,}/.test(said), 'the outputs hold numbers', said);

  const withPicture = cells.findLastIndex(c => picturesIn(c.outputs) > 0);
  await nb.dark();
  if (withPicture >= 0) await nb.pictures(withPicture);
  await nb.shot('01-dark');
  await nb.light();

  const saved = await nb.save();
  check(saved.metadata.kernelspec?.name === 'nnkit' && saved.metadata.language_info?.name === 'go',
    'the saved notebook names its kernel and its language', JSON.stringify(saved.metadata));
}

const stateCells = [
  'import "fmt"\ntotal := 40',
  'total++\nvar none []int\nfmt.Println(none[3])',
  'total++\nfmt.Println("total is", total)',
  'fmt.Println("running")\nfor {\n\ttotal++\n}',
  'fmt.Println("kept:", total >= 42)',
  'undefinedName + 1',
];

/** Writes a notebook of code cells and opens it. */
function written(page, name, sources) {
  write(name, sources);
  return Notebook.open(page, `${name}.ipynb`);
}

async function state(page) {
  const nb = await written(page, 'state', stateCells);

  let cell = await nb.run(0);
  check(cell.outputs.length === 0, 'a declaration shows nothing', JSON.stringify(cell.outputs));
  cell = await nb.run(1);
  check(errors(cell.outputs).some(e => e.includes('index out of range [3]')), 'a cell panics', JSON.stringify(cell.outputs));
  cell = await nb.run(2);
  check(text(cell.outputs).includes('total is 42'), 'the variable is there after the panic, with what was done before it', JSON.stringify(cell.outputs));
  await nb.shot('state-after-panic');

  await nb.start(3);
  await until('the endless cell prints', async () => (await nb.cells())[3].outputs.length > 0);
  check(await nb.status() === 'busy', 'the kernel is busy with an endless loop');
  await nb.interrupt();
  await nb.ended(3);
  cell = (await nb.cells())[3];
  check(errors(cell.outputs).length === 1, 'the interrupt button ends it with an error', JSON.stringify(cell.outputs));
  cell = await nb.run(4);
  check(text(cell.outputs).includes('kept: true'), 'the variable is there after the interrupt', JSON.stringify(cell.outputs));
  await nb.shot('state-after-interrupt');

  cell = await nb.run(5);
  check(errors(cell.outputs).some(e => e.includes('undefinedName')), 'a compile error names what is wrong', JSON.stringify(cell.outputs));
  await nb.shot('state-compile-error');
}

const typedCells = [
  'fmt.Pri',
  '// größe is a text.\ngröße := strings.Builder{}\nseven := 7',
  'for range 3 {\n\tgröße.WriteS',
  'größe.WriteString(',
  'seven',
  '?größe.Len',
];

/** What a person is offered and told while typing, from the first moment on. */
async function typing(page) {
  const nb = await written(page, 'typing', typedCells);
  let offered = await nb.offered(0);
  check(offered.join() === 'Print,Printf,Println', 'Tab offers what a package has, before any cell has run', offered);
  await page.keyboard.press('Enter');
  await until('the completion is typed', async () => (await nb.cells())[0].source === 'fmt.Print', 5000).catch(e => check(false, e.message));

  await nb.run(1);
  offered = await nb.offered(2);
  check(offered.join() === 'WriteString', 'Tab offers what a variable has, in a loop that is not closed', offered);
  await nb.shot('typing-completion');
  await page.keyboard.press('Enter');
  await until('the completion is typed', async () => (await nb.cells())[2].source.endsWith('größe.WriteString'), 5000).catch(e => check(false, e.message));

  let told = await nb.told(3);
  check(told.includes('func (b *strings.Builder) WriteString(s string)') && told.includes('WriteString appends'),
    'Shift-Tab tells of the function that is called', told);
  await nb.shot('typing-tooltip');
  await page.keyboard.press('Escape');
  told = await nb.told(4);
  check(told.includes('var seven int') && told.includes('value: 7'), 'Shift-Tab tells the value of a variable', told);
  await page.keyboard.press('Escape');
  const cell = await nb.run(5);
  check(text(cell.outputs).includes('Len returns the number of accumulated bytes'), 'a question mark shows documentation', JSON.stringify(cell.outputs));
}

const lines = 1_000_000;
const floodCells = [
  `for i := range ${lines} {\n\tfmt.Println(i)\n}`,
  'for i := 0; ; i++ {\n\tfmt.Println("flood", i)\n}',
  'fmt.Println("after the flood")',
];

/** What a server with its default limits lets through, and the page draws, of cells that print without end. */
async function flood(page) {
  const nb = await written(page, 'flood', floodCells);
  let cell = await nb.run(0);
  const said = text(cell.outputs).trim().split('\n');
  const wrong = said.findIndex((line, i) => line !== String(i));
  check(said.length === lines && wrong < 0, `${lines} printed lines are all there, in order`, `${said.length} lines; line ${wrong} is ${said[wrong]}`);
  await nb.clear();

  await nb.start(1);
  await until('the flood has begun', async () => (await nb.cells())[1].outputs.length > 0);
  await sleep(4000); // longer than the window in which the server counts
  await nb.interrupt();
  await nb.ended(1);
  cell = (await nb.cells())[1];
  check(errors(cell.outputs).length === 1 && !text(cell.outputs).includes('rate exceeded'),
    'an interrupt ends a flood of which nothing was dropped', JSON.stringify(cell.outputs).slice(-500));
  await nb.clear();
  cell = await nb.run(2);
  check(text(cell.outputs).includes('after the flood'), 'the next cell runs', JSON.stringify(cell.outputs));
}

const trainingCells = [
  `import (
	"time"

	"github.com/seed5607215b/nnkit/display"
	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

clinic := data.Clinic(1)
model := nnkit.Sequential(nnkit.Dense(10, nnkit.ReLU), nnkit.Dense(8, nnkit.ReLU), nnkit.Dense(1, nnkit.Sigmoid))
err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy, nnkit.Accuracy)
slowly := nnkit.OnEpochEnd(func(*nnkit.Training) { time.Sleep(40 * time.Millisecond) })`,
  'run := model.Fit(clinic.X, clinic.Y, nnkit.Epochs(150), nnkit.ValidationSplit(0.2), slowly, display.Live())',
  'endless := model.Fit(clinic.X, clinic.Y, nnkit.Epochs(1_000_000), nnkit.ValidationSplit(0.2), slowly, display.Live())',
];

/** A training run is watched: one picture that changes in its place, and stays when the run is over. */
async function training(page) {
  const nb = await written(page, 'training', trainingCells);
  let cell = await nb.run(0);
  check(errors(cell.outputs).length === 0, 'a model is made', errors(cell.outputs).join());

  await nb.start(1);
  const seen = await nb.changes(1, 'epoch', () => nb.isBusy(1));
  cell = (await nb.cells())[1];
  check(seen.texts.length > 5, `the picture of a training changes ${seen.texts.length - 1} times while it is watched`, seen.texts.join('\n'));
  check(seen.most === 1, 'there is one output at every time', `there were ${seen.most}`);
  check(seen.texts.at(-1)?.startsWith('done, epoch 150 of 150'), 'the last picture says that the run is done', seen.texts.at(-1));
  check(cell.outputs.length === 1 && picturesIn(cell.outputs) === 1, 'one picture remains', JSON.stringify(cell.outputs).slice(0, 1000));
  check(/^done, epoch 150 of 150[^\n]*; loss [^\n]*$/.test(text(cell.outputs)), 'its text is one line', text(cell.outputs));
  const drawn = await nb.pictures(1);
  check(drawn.length === 1 && drawn[0].drawn, 'its curve is drawn', JSON.stringify(drawn));
  await nb.shot('training-done');

  await nb.start(2);
  await nb.changes(2, 'epoch', seen => seen.length < 4);
  await nb.interrupt();
  await nb.ended(2);
  cell = (await nb.cells())[2];
  check(text(cell.outputs).includes('interrupted, epoch '), 'an interrupted run says so in its picture', text(cell.outputs));
  check(picturesIn(cell.outputs) === 1, 'the picture of an interrupted run stays', JSON.stringify(cell.outputs).slice(0, 1000));
  await nb.pictures(2);
  await nb.shot('training-interrupted');

  const saved = (await nb.save()).cells;
  check(saved[1].outputs.length === 1 && picturesIn(saved[1].outputs) === 1 && picturesIn(saved[2].outputs) === 1,
    'the saved notebook holds one picture of each run', JSON.stringify(saved.map(c => c.outputs?.length)));
}

const talkCells = [
  'fmt.Print("Name: ")\nvar name string\nfmt.Scan(&name)\nfmt.Println("hello,", name)',
  'n := 0\nfor in := bufio.NewScanner(os.Stdin); in.Scan(); n++ {\n}\nfmt.Println(n, "lines")',
  '%with_password\n!read word; echo "the word has ${#word} letters"',
  'import "github.com/janpfeifer/gonb/gonbui/widgets"\nbutton := widgets.Button("press me").Done()\nslider := widgets.Slider(0, 100, 50).Done()\npresses := button.Listen()\nfmt.Println("ready")',
  'fmt.Println("waiting")\nfmt.Println("pressed", <-presses.C, "at", slider.Value())',
  'import "github.com/janpfeifer/gonb/gonbui/comms"\nslider.SetValue(30)\nfmt.Println(slider.Value(), comms.ReadValue[int](slider.Address()))',
  'import own "github.com/seed5607215b/nnkit/display/widgets"\nbar := own.Progress("training", 10)\nbar.Display()\nfor i := range 11 {\n\tbar.Set(float64(i))\n\ttime.Sleep(60 * time.Millisecond)\n}',
  'rate := own.Slider("rate", 0.0, 1.0, 0.5)\ngo_ := own.Button("go")\narea := own.Output()\ngo_.OnClick(func() { fmt.Fprintln(area, "rate is", rate.Value()) })\nrate.Display()\ngo_.Display()\narea',
];

/** What a person types and clicks for a cell that runs. */
async function talk(page) {
  const nb = await written(page, 'talk', talkCells);
  const said = async i => text((await nb.cells())[i].outputs);
  /** Types into the field that a cell has opened, in the cell numbered i. */
  const type = async (i, line) => {
    const cell = await nb.show(i);
    const field = await cell.waitForSelector('input.jp-Stdin-input', { timeout: patience });
    const hidden = await field.evaluate(e => e.type === 'password');
    await field.fill(line);
    await field.press('Enter');
    await until('the answer is taken', async () => !await field.evaluate(e => e.isConnected && !e.disabled).catch(() => false));
    return hidden;
  };
  await nb.start(0);
  await type(0, 'Gopher');
  await nb.ended(0);
  check((await said(0)).includes('hello, Gopher'), 'reading standard input opens a field to type in', await said(0));
  await nb.start(1);
  for (const line of ['one', 'two', '^D']) await type(1, line);
  await nb.ended(1);
  check((await said(1)).includes('2 lines'), 'a loop over the lines asks until ^D', await said(1));
  await nb.start(1);
  await (await nb.show(1)).waitForSelector('input.jp-Stdin-input', { timeout: patience });
  await nb.interrupt();
  await nb.ended(1);
  check(errors((await nb.cells())[1].outputs).length === 1, 'the interrupt button ends the waiting for a line');
  const left = async () => (await nb.show(1)).$('input.jp-Stdin-input');
  await until('the field is gone', async () => !await left(), 5000).catch(() => {});
  check(!await left(), 'and takes the field away');
  await nb.start(2);
  check(await type(2, 'secret'), '%with_password hides what is typed');
  await nb.ended(2);
  check((await said(2)).includes('the word has 6 letters'), 'a command of the shell reads it', await said(2));

  let cell = await nb.run(3);
  check(text(cell.outputs).includes('ready') && errors(cell.outputs).length === 0, 'the widgets of gonbui are made', JSON.stringify(cell.outputs));
  await nb.start(4);
  await until('the next cell waits', async () => (await said(4)).includes('waiting'));
  const widgets = await nb.show(3);
  await (await widgets.waitForSelector('.jp-OutputArea input[type=range]')).evaluate(e => { e.value = 77; e.dispatchEvent(new Event('change')); });
  await (await widgets.waitForSelector('.jp-OutputArea button')).click();
  await nb.ended(4);
  check((await said(4)).includes('pressed 1 at 77'), 'a click and a slider reach the cell that runs', await said(4));
  await nb.run(5);
  check((await said(5)).includes('30 30'), 'a value is sent to the page and read from there', await said(5));
  const moved = await (await nb.show(3)).waitForSelector('.jp-OutputArea input[type=range]');
  await until('the slider is moved', () => moved.evaluate(e => e.value === '30'), 5000).catch(e => check(false, e.message));
  await nb.shot('talk-gonbui');

  await nb.start(6);
  await nb.ended(6);
  const manager = await page.evaluate(() => window.jupyterapp.hasPlugin('@jupyter-widgets/jupyterlab-manager:plugin'));
  if (!manager) {
    check((await said(6)).includes('100 %'), 'without ipywidgets in the page a progress bar is a text that goes on', await said(6));
  } else {
    const bar = await (await nb.show(6)).waitForSelector('.widget-hprogress .progress-bar');
    await until('the bar is full', () => bar.evaluate(e => e.style.width === '100%'), 5000).catch(() => {});
    check(await bar.evaluate(e => e.style.width === '100%'), 'ipywidgets draws the progress bar, which is full');
  }
  await nb.run(7);
  if (manager) {
    const own = await nb.show(7);
    const handle = await own.waitForSelector('.noUi-handle');
    await handle.focus();
    for (let i = 0; i < 5; i++) await handle.press('ArrowRight');
    await sleep(500); // the page holds moves back while the kernel takes one, but no clicks
    await (await own.waitForSelector('button.jupyter-button')).click();
    const written = async () => (await own.evaluate(e => e.textContent)).includes('rate is 0.55');
    await until('the callback has written', written, 10_000).catch(() => {});
    check(await written(), 'a slider and a button of ipywidgets reach their functions', await own.evaluate(e => e.textContent));
  } else {
    check((await said(7)).includes('rate: 0.5 (a slider from 0 to 1)'), 'and a slider says what it is', await said(7));
  }
  await nb.shot('talk-ipywidgets');
}

const interactCells = [
  `import (
	"fmt"
	"time"

	"github.com/seed5607215b/nnkit/display"
	"github.com/seed5607215b/nnkit/nnkit"
	"github.com/seed5607215b/nnkit/nnkit/data"
)

points := data.Moons(200, 0.1, 1)
model := nnkit.Sequential(nnkit.Dense(8, nnkit.Tanh), nnkit.Dense(1, nnkit.Sigmoid))
err := model.Compile(nnkit.Adam(), nnkit.BinaryCrossEntropy)
slowly := nnkit.OnEpochEnd(func(*nnkit.Training) { time.Sleep(20 * time.Millisecond) })
epochs := 0
counted := nnkit.OnEpochEnd(func(t *nnkit.Training) { epochs = t.Epoch })`,
  `power := display.Slider("power", 0, 4, 1).Steps(1)
shape := display.Select("shape", "rising", "falling")
again := display.Button("again")
view := display.Interact(func() *display.Figure {
	loss := make([]float64, 20)
	for i := range loss {
		x := float64(i) / 19
		if shape.Index() == 1 {
			x = 1 - x
		}
		loss[i] = 1
		for range int(power.Value()) {
			loss[i] *= x
		}
	}
	return display.Curve(display.Metrics{"loss": loss}, display.Title(fmt.Sprintf("power %g, %s, %d clicks, epoch %d", power.Value(), shape.Value(), again.Clicks(), epochs)))
}, power, shape, again)`,
  'run := model.Fit(points.X, points.Y, nnkit.Epochs(1_000_000), counted, slowly, view)',
];

/** Figures are drawn again when controls move: after their cell, while a training goes on, and when that was interrupted. */
async function interact(page) {
  const nb = await written(page, 'interact', interactCells);
  let cell = await nb.run(0);
  check(errors(cell.outputs).length === 0, 'packages are imported', errors(cell.outputs).join());
  cell = await nb.run(1);
  check(errors(cell.outputs).length === 0, 'controls are shown', errors(cell.outputs).join());
  let node = await nb.show(1);
  const title = () => nb.cells().then(cells => text(cells[1].outputs.filter(o => o.data?.['image/svg+xml'])));
  const says = async what => {
    await until(`the figure says ${what}`, async () => (await title()).includes(what)).catch(() => {});
    check((await title()).includes(what), `the figure says “${what}”`, await title());
  };
  await node.waitForSelector('.jp-OutputArea input[type=range]', { timeout: 30_000 });
  await says('power 1, rising, 0 clicks');
  /** Moves the slider by a key, as a person may. */
  const move = async key => { await (await node.$('input[type=range]')).focus(); await page.keyboard.press(key); };
  await move('ArrowRight');
  await says('power 2, rising, 0 clicks');
  await (await node.$('select')).selectOption('1');
  await says('power 2, falling, 0 clicks');
  await (await node.$('.jp-OutputArea button')).click();
  await says('power 2, falling, 1 clicks');
  await nb.shot('interact-moved');

  await nb.start(2);
  await until('the figure tells of the training', async () => /epoch [1-9]/.test(await title()));
  await nb.show(1);
  await move('End');
  await says('power 4, falling, 1 clicks');
  check(await nb.isBusy(2), 'the training goes on meanwhile');
  await nb.shot('interact-training');
  await nb.interrupt();
  await nb.ended(2);
  await move('ArrowLeft');
  await says('power 3, falling, 1 clicks');
  cell = (await nb.cells())[1];
  check(picturesIn(cell.outputs) === 1, 'there is one figure', JSON.stringify(cell.outputs).slice(0, 1000));

  await nb.reload();
  node = await nb.show(1);
  const picture = () => node.$$eval('.jp-OutputArea img', all => all.map(e => [e.alt, e.naturalWidth > 100].join()).join(' and '));
  const draws = async what => {
    const holds = async () => (await picture()).startsWith(what) && (await picture()).endsWith(',true');
    await until(`the page draws ${what}`, holds).catch(() => {});
    check(await holds(), `the page that was loaded again draws “${what}”, once`, await picture());
  };
  await node.waitForSelector('.jp-OutputArea input[type=range]');
  await draws('power 3, falling, 1 clicks');
  await move('ArrowLeft');
  await draws('power 2, falling, 1 clicks');
  await (await node.$('.jp-OutputArea button')).click();
  await draws('power 2, falling, 2 clicks');
  await nb.shot('interact-reloaded');
}

const keptCells = [
  'kept := 7\nfmt.Println("made", kept)',
  'struct{ Name string; Size int }{"a table", kept}',
  'kept++\nfmt.Println("now", kept)',
];

/** What is saved, there again after a reload of the page, and gone after a restart from the menu. */
async function kept(page) {
  const nb = await written(page, 'kept', keptCells);
  for (const i of [0, 1]) await nb.run(i);
  const saved = (await nb.save()).cells;
  check(saved[0].execution_count === 1 && saved[1].outputs.length === 1, 'the file has what the cells have shown', JSON.stringify(saved));
  const shown = async () => JSON.stringify((await nb.cells()).map(c => [text(c.outputs), c.outputs.map(o => Object.keys(o.data ?? {}).sort())]));
  const before = await shown();
  await nb.reload();
  check(await shown() === before, 'the outputs are there again after a reload', `${before}\n${await shown()}`);
  let cell = await nb.run(2);
  check(text(cell.outputs).includes('now 8'), 'and so are the variables', JSON.stringify(cell.outputs));
  await nb.shot('kept-reloaded');
  await nb.menu('Kernel', 'Restart Kernel…');
  const accept = await page.waitForSelector('.jp-Dialog .jp-mod-accept');
  await nb.shot('kept-restart');
  await accept.click();
  await until('the dialog is gone', async () => !await page.$('.jp-Dialog'));
  await nb.idle();
  cell = await nb.run(2);
  check(errors(cell.outputs).some(e => e.includes('undefined: kept')), 'a restart forgets them, and the error says so', JSON.stringify(cell.outputs));
  await nb.shot('kept-restarted');
  await nb.dark();
  await nb.shot('kept-dark');
}

const wasmCells = [
  'func double(x int) int { return 2 * x }\nvar base = 20\ncount := 3',
  '%wasm\n!echo "in $GONB_WASM_DIR, at $GONB_WASM_URL"\nimport (\n\t"flag"\n\t"syscall/js"\n)\n\n'
    + 'var x = flag.Int("x", 0, "added")\n\nfunc element(id string) js.Value { return js.Global().Get("document").Call("getElementById", id) }\n\n%% --x=2\n'
    + 'element(GonbWasmDivId).Set("innerText", fmt.Sprint("the page says ", double(base)+*x))\nfmt.Println("printed by", runtime.GOARCH, "at", GonbWasmUrl)\n[]int{1, 2, 3}',
  '%wasm\nbutton := js.Global().Get("document").Call("createElement", "button")\nelement(GonbWasmDivId).Call("append", button)\nclicks := 0\n'
    + 'button.Set("innerText", "none yet")\nbutton.Call("addEventListener", "click", js.FuncOf(func(js.Value, []js.Value) any {\n\tclicks++\n'
    + '\tbutton.Set("innerText", fmt.Sprint("clicked ", double(clicks), "/2 times"))\n\treturn nil\n}))\nselect {}',
  '%wasm\nfmt.Println(count)',
  '%wasm\nfunc third(list []int) int { return list[3] }\nfmt.Println("before")\nthird(nil)',
  'fmt.Println(double(base + count))',
];

/** Cells that run in the page, with what the notebook declares. */
async function wasm(page) {
  const nb = await written(page, 'wasm', wasmCells);
  const says = async (i, what) => {
    const node = await nb.show(i);
    const said = () => node.evaluate(e => e.querySelector('.jp-OutputArea')?.innerText ?? '');
    await until(`cell ${i + 1} says ${what}`, async () => (await said()).includes(what), 30_000).catch(() => {});
    check((await said()).includes(what), `the page says “${what}”`, await said());
  };
  await nb.run(0);
  let cell = await nb.run(1);
  check(errors(cell.outputs).length === 0, 'a cell is compiled for the page', errors(cell.outputs).join());
  check(text(cell.outputs).includes(`in ${path.join(dir, 'jupyter_files')}/`), 'its commands know where the server has it', text(cell.outputs));
  await says(1, 'the page says 42');
  await says(1, 'printed by wasm at /');
  await says(1, '[1 2 3]');
  await nb.run(2);
  const clicked = async expected => {
    const button = await (await nb.show(2)).waitForSelector('.jp-OutputArea button:text("none yet")', { timeout: patience });
    await button.click();
    await says(2, expected);
  };
  await clicked('clicked 2/2 times');
  cell = await nb.run(3);
  check(errors(cell.outputs).some(e => e.includes("its value is in the kernel's process")), 'a value of the kernel is not in the page, and the error says so', text(cell.outputs));
  await nb.run(4);
  await says(4, 'Cell [5]: runtime error: index out of range [3] with length 0');
  cell = await nb.run(5);
  check(text(cell.outputs).includes('46'), 'the other cells go on as they were', text(cell.outputs));
  await nb.show(1);
  await nb.shot('wasm');
  await nb.show(4);
  await nb.dark();
  await nb.shot('wasm-dark');
  await nb.light();
  await nb.reload();
  await says(1, 'the page says 42');
  await clicked('clicked 2/2 times');
  await nb.shot('wasm-reloaded');
}

await run({
  'first-network': firstNetwork, state, typing, talk, flood, training, interact, kept, wasm,
  debugging: page => debugging(page, { written, check, until, text }),
});
