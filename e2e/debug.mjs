// The debugger of a real JupyterLab: a breakpoint is set by a click beside a line, and
// the cell is stepped through with the buttons of the panel.

const cells = [
  'func mean(xs []float64) float64 {\n\tsum := 0.0\n\tfor _, x := range xs {\n\t\tsum += x\n\t}\n\treturn sum / float64(len(xs))\n}',
  'weights := []float64{1, 2, 6}\nm := mean(weights)\nfmt.Println("mean", m)',
  'm',
];

/** Debugs cells in a notebook; tools are those of lab.mjs. */
export async function debugging(page, { written, check, until, text }) {
  const nb = await written(page, 'debugging', cells);
  const panel = '.jp-DebuggerSidebar';
  const stack = () => page.$$eval(`${panel} .jp-DebuggerCallstackFrame`, all => all.map(e => e.textContent.trim())).catch(() => []);
  const variables = () => page.$$eval(`${panel} .jp-DebuggerVariables-body li`, all => all.map(e => e.textContent.trim())).catch(() => []);
  const press = command => page.click(`${panel} [data-command="debugger:${command}"] button, ${panel} button[data-command="debugger:${command}"], ${panel} jp-button[data-command="debugger:${command}"]`);
  /** Waits until the cell has stopped in a function's line, and the panel shows variables of which one begins with each text. */
  const stopped = async (where, line, ...shown) => {
    let now;
    await until(`the stack begins with ${where} at line ${line}`, async () => (now = (await stack())[0])?.includes(where) && now.endsWith(`:${line}`), 30_000)
      .catch(e => { throw new Error(`${e.message}: it begins with ${now}`); });
    await until(`${shown} are shown`, async () => { now = await variables(); return shown.every(s => now.some(v => v.startsWith(s))); }, 30_000)
      .catch(e => { throw new Error(`${e.message}: there are ${now}`); });
  };

  await nb.run(0);
  const bug = await page.waitForSelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-DebuggerBugButton', { timeout: 30_000 });
  await bug.click();
  await until('the debugger is on', () => page.evaluate(() =>
    document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-DebuggerBugButton')?.getAttribute('aria-pressed') === 'true'
    || !!document.querySelector('.jp-DebuggerBugButton.jp-mod-pressed, .jp-DebuggerBugButton [aria-pressed="true"]')), 30_000)
    .catch(e => check(false, e.message));
  if (!await page.isVisible(panel)) await page.click('.lm-TabBar-tab[data-id="jp-debugger-sidebar"]');
  await page.waitForSelector(panel, { timeout: 30_000 });

  // The gutter of the second line of the second cell.
  const cell = await nb.show(1);
  const gutter = await cell.waitForSelector('.cm-breakpoint-gutter', { timeout: 30_000 });
  const lines = await cell.$$('.cm-content .cm-line');
  const g = await gutter.boundingBox(), l = await lines[1].boundingBox();
  await page.mouse.click(g.x + g.width / 2, l.y + l.height / 2);
  await until('the breakpoint is listed', async () => (await page.$$(`${panel} .jp-DebuggerBreakpoint`)).length === 1, 30_000);
  check(true, 'a click beside a line sets a breakpoint, which the panel lists');

  await nb.start(1);
  await stopped('main', 2, 'weights');
  check((await stack()).length === 1, 'the cell stops there', await stack());
  check((await variables()).some(v => v.startsWith('weights') && v.includes('1, 2, 6')), 'the panel shows the variable that the line before has made', await variables());
  await nb.shot('debug-1-stopped');

  await press('stepIn');
  await stopped('mean', 2, 'xs');
  check((await stack()).length === 2, 'a step leads into a function of another cell', await stack());
  await press('next');
  await stopped('mean', 3, 'xs', 'sum');
  await press('next');
  await press('next'); // before the page has heard of the stop between
  await stopped('mean', 4, 'xs', 'sum1', 'x2');
  check(true, 'each step shows what can be seen there, also when they are hurried');
  await nb.shot('debug-2-stepped');
  await press('stepOut');
  await stopped('main', 3, 'm');
  check((await variables()).some(v => v.startsWith('m') && v.includes('3')), 'a step out comes back with the result', await variables());

  await press('continue');
  await nb.ended(1);
  const said = text((await nb.cells())[1].outputs);
  check(said.includes('mean 3'), 'the cell goes on to its end', said);
  await until('the panel is empty', async () => (await stack()).length === 0, 30_000).catch(e => check(false, e.message));

  // Interrupted and restarted while it is stopped.
  await nb.start(1);
  await stopped('main', 2, 'weights');
  await nb.interrupt();
  await nb.ended(1);
  check((await nb.cells())[1].outputs.some(o => o.output_type === 'error'), 'the interrupt button ends a cell that is stopped', JSON.stringify((await nb.cells())[1].outputs));
  await until('the panel is empty', async () => (await stack()).length === 0, 30_000).catch(e => check(false, e.message));
  const kept = await nb.run(2);
  check(text(kept.outputs).trim() === '3', 'the variables are there', JSON.stringify(kept.outputs));
  await nb.shot('debug-3-interrupted');

  await nb.start(1);
  await stopped('main', 2, 'weights');
  await page.evaluate(() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel());
  await nb.idle();
  const again = await nb.run(0);
  check(again.outputs.length === 0, 'a restart ends a cell that is stopped, and the next one runs', JSON.stringify(again.outputs));
  await nb.shot('debug-4-restarted');
}
