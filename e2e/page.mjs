// Opens a page of a stranger's notebook in a real Chromium and checks that nothing of it runs, loads, or covers the page.
//
//   node e2e/page.mjs KERNEL [DIR]
//
// KERNEL is the kernel's program, which makes the pages: of the attacks in kernel/internal/notebook/testdata/html/hostile.txtar, and of those
// in attacks.txt, each in every place of a notebook. The latter is opened a second time without its policy, so that what makes the HTML
// harmless and the policy are each tried alone. With DIR pages, screenshots and a PDF are kept there. CHROMIUM names the browser,
// /usr/bin/chromium unless set.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [kernel, kept] = process.argv.slice(2);
if (!kernel) {
  console.error('usage: node e2e/page.mjs KERNEL [DIR]');
  process.exit(2);
}
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dir = kept ?? fs.mkdtempSync(path.join(os.tmpdir(), 'page-'));
fs.mkdirSync(dir, { recursive: true });
const text = fs.readFileSync(path.join(root, 'kernel/internal/notebook/testdata/html/hostile.txtar'), 'utf8');
const notebook = path.join(dir, 'hostile.ipynb');
fs.writeFileSync(notebook, text.split('-- in.ipynb --\n')[1].split('\n-- ')[0]);

/** A notebook that has each attack in all places that a stranger fills: prose, raw cells, outputs of every kind, names, titles, metadata. */
function everywhere(attacks) {
  const cells = [];
  attacks.forEach((attack, i) => {
    const metadata = { title: attack, tags: [attack], name: attack, format: 'text/html' };
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    const shown = (mime, data) => ({ output_type: 'display_data', metadata: { [mime]: { width: attack, height: 1, alt: attack }, needs_background: attack }, data: { [mime]: data, 'text/plain': attack } });
    cells.push(
      { cell_type: 'markdown', id: `p${i}`, metadata, source: attack },
      { cell_type: 'markdown', id: `h${i}`, metadata, source: `## ${attack}\n\n> ${attack}\n\n- ${attack}\n\n![a](attachment:n) [a](<${attack}> "${attack}")\n\n[^1]\n\n[^1]: ${attack}\n\n![${attack}](attachment:n) ![a](<${attack}>) [${attack}](#a)\n\n\`\`\`${attack}\n${attack}\n\`\`\`\n`, attachments: { n: { ['image/png" onerror="pwned()']: attack, 'image/png': attack }, [attack]: { 'image/png': png } } },
      { cell_type: 'raw', id: `r${i}`, metadata, source: attack },
      { cell_type: 'code', id: `c${i}`, metadata: { ...metadata, jupyter: { source_hidden: attack } }, execution_count: 1, source: attack, outputs: [
        shown('text/html', attack), shown('text/html', `<table><tr><td>${attack}`), shown('text/html', `<svg>${attack}`), shown('text/html', `<math><mtext>${attack}`),
        shown('text/markdown', attack), shown('text/latex', attack), shown('image/png', attack), shown('image/svg+xml', `<svg xmlns="http://www.w3.org/2000/svg">${attack}</svg>`),
        shown('image/jpeg', png), shown('application/json', { [attack]: attack }), shown('text/plain', attack), shown('application/javascript', attack),
        { output_type: 'stream', name: i % 2 ? 'stderr' : attack, text: `\x1b[31m${attack}\x1b]8;;javascript:pwned()\x07a\x1b]8;;\x07\x1b[${attack}m` },
        { output_type: 'error', ename: attack, evalue: attack, traceback: [attack] },
      ] },
    );
  });
  return { cells, nbformat: 4, nbformat_minor: 5, metadata: { title: attacks[0], kernelspec: { name: attacks[0], display_name: attacks[1], language: attacks[2] }, language_info: { name: attacks[3] } } };
}

const lines = fs.readFileSync(path.join(root, 'e2e/attacks.txt'), 'utf8').split('\n');
const attacks = lines.filter(line => line !== '' && !/^# [A-Z]/.test(line)).map(line => line.replace(/\\x(00|07|1b)/g, (_, code) => String.fromCharCode(parseInt(code, 16))));
const crowd = path.join(dir, 'attacks.ipynb');
fs.writeFileSync(crowd, JSON.stringify(everywhere(attacks)));

/** Whether the page's own elements stand where the kernel has put them: what a cell shows has closed none of them, and none has its name. */
function displaced(cells) {
  const wrong = [];
  const all = Document.prototype.querySelectorAll.bind(document); // a name in the page could stand for the document's own
  const only = (place, allowed) => {
    for (const e of place.children) if (!e.matches(allowed)) wrong.push(`<${e.localName} class="${e.className}"> in <${place.localName} class="${place.className}">`);
  };
  only(all('body')[0], 'a.skip, nav#contents, main#content');
  const mains = all('body > main');
  if (mains.length !== 1) wrong.push(`${mains.length} times <main> in <body>`);
  for (const main of mains) {
    only(main, 'p.view, div.cell');
    if (main.children.length !== cells + 1) wrong.push(`${main.children.length - 1} cells of ${cells}`);
    for (const cell of main.querySelectorAll(':scope > .cell.code')) only(cell, 'details.input, div.outputs, details.folded');
    for (const outputs of main.querySelectorAll(':scope > .cell > .outputs')) only(outputs, 'div.output');
    for (const output of main.querySelectorAll(':scope > .cell > .outputs > .output:not(.plain, .stream, .error, .json, .image)')) only(output, 'div.rendered, .prompt');
  }
  for (const list of all('nav > details > ul')) only(list, 'li');
  for (const link of all('nav > details > ul > li')) only(link, 'a');
  for (const id of ['content', 'contents', 'hide-code']) if (all(`#${id}`).length !== 1) wrong.push(`#${id} several times`);
  if ([...all('#hide-code')].some(box => box.checked)) wrong.push('the code is hidden');
  return [...new Set(wrong)];
}

/** What a page must not have, as the browser has read it. */
function suspects() {
  const found = [];
  for (const e of Document.prototype.querySelectorAll.call(document, '*')) {
    const name = e.localName;
    const own = name === 'meta' || name === 'style' ? e.parentElement === document.head : name !== 'link';
    if (!own || ['script', 'iframe', 'object', 'embed', 'base', 'frame', 'form', 'foreignobject', 'animate', 'set', 'portal', 'dialog', 'template'].includes(name.toLowerCase())) found.push(`<${name}>`);
    for (const a of e.attributes) {
      const value = a.value.replace(/[\u0000- ]/g, '').toLowerCase();
      if (/^on/i.test(a.name) || /^(java|vb)script:/.test(value) || /^(srcdoc|formaction|action|ping|attributionsrc|popover.*|command|commandfor|srcset|background|target|autofocus|contenteditable)$/i.test(a.name) ||
        /^(src|poster)$/.test(a.name) && !value.startsWith('data:') ||
        /^(xlink:)?href$/.test(a.name) && value.startsWith('data:') && name !== 'image' || /^(style|fill|stroke|mask|filter|clip-path|cursor|marker.*)$/.test(a.name) && /url\((?!["']?#)/.test(value)) found.push(`<${name} ${a.name}="${a.value.slice(0, 80)}">`);
    }
  }
  return found;
}

let failed = 0;
const check = (holds, sentence) => {
  console.log((holds ? 'ok   ' : 'FAIL ') + sentence);
  if (!holds) failed++;
};

/** Makes the page of a notebook. */
function make(notebook, name, flags = []) {
  const file = path.join(dir, name);
  execFileSync(kernel, ['convert', notebook, '--output', file, ...flags]);
  return file;
}

/** Opens a page, tries all that a reader could click, unless there are too many such things, and tells what happened. */
async function open(browser, file, scheme, clicks = true) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: scheme });
  const ran = [], asked = [];
  await page.exposeFunction('pwned', () => { ran.push('called'); });
  page.on('dialog', dialog => { ran.push(`dialog ${dialog.message()}`); return dialog.dismiss(); });
  page.on('request', request => {
    if (!request.url().startsWith('data:') && request.url() !== pathToFileURL(file).href) asked.push(request.url());
  });
  await page.goto(pathToFileURL(file).href);
  for (const link of !clicks ? [] : await page.locator('a:not([href^="https:"]):not([href^="#"]), button, input:not(#hide-code), [tabindex]').all()) {
    await link.click({ timeout: 2000, force: true, noWaitAfter: true }).catch(() => {}); // some are not to be seen
  }
  await page.waitForTimeout(300);
  const place = page.url() === pathToFileURL(file).href;
  const covered = await page.evaluate(() => {
    scrollTo(0, 0);
    const top = Document.prototype.elementFromPoint.call(document, innerWidth / 2, 60);
    return top === null || !['HTML', 'BODY', 'MAIN'].includes(top.tagName) && top.closest('.rendered') !== null;
  });
  return { page, ran, asked, place, covered };
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  for (const scheme of ['light', 'dark']) {
    const { page, ran, asked, place, covered } = await open(browser, make(notebook, 'hostile.html'), scheme);
    check(ran.length === 0, `${scheme}: nothing ran (${ran.length})`);
    check(asked.length === 0, `${scheme}: nothing was loaded (${asked.join(', ')})`);
    check(place, `${scheme}: the reader is still on the page`);
    check(!covered, `${scheme}: nothing covers the page`);
    check(await page.locator('details.input[open]').count() === 1, `${scheme}: the cell's code is there`);
    await page.locator('details.input summary .prompt').click();
    check(await page.locator('details.input pre').isHidden(), `${scheme}: a click on its number folds the code`);
    await page.locator('details.input summary .prompt').click();
    await page.locator('#hide-code').check();
    check(await page.locator('details.input').isHidden(), `${scheme}: all code can be hidden`);
    await page.locator('#hide-code').uncheck();
    if (kept) await page.screenshot({ path: path.join(dir, `hostile-${scheme}.png`), fullPage: true });
    if (kept && scheme === 'light') await page.pdf({ path: path.join(dir, 'hostile.pdf'), preferCSSPageSize: true });
    await page.close();
  }
  // Each attack in each place; then the same page without its policy.
  const guarded = make(crowd, 'attacks.html');
  const html = fs.readFileSync(guarded, 'utf8');
  const bare = path.join(dir, 'attacks-bare.html');
  fs.writeFileSync(bare, html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ''));
  for (const [what, file] of [['with its policy', guarded], ['without it', bare]]) {
    const { page, ran, asked, place, covered } = await open(browser, file, 'light', false);
    const found = await page.evaluate(suspects);
    const moved = await page.evaluate(displaced, 4 * attacks.length);
    check(moved.length === 0, `… the page's own elements are where they were (${moved.slice(0, 8).join(' ')})`);
    const clicked = await page.evaluate(() => {
      let n = 0;
      for (const e of Document.prototype.querySelectorAll.call(document, '.rendered *')) {
        const link = e.closest('a, area'), to = link?.getAttribute('href') ?? link?.getAttribute('xlink:href');
        if (to && /^(https?|mailto|file):$/.test(URL.parse(to, location)?.protocol)) continue; // a link that leads away is what it says
        e.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
        for (const type of ['mouseover', 'focus', 'animationstart', 'load', 'error', 'toggle']) e.dispatchEvent(new Event(type));
        n++;
      }
      return n;
    });
    await page.waitForTimeout(300);
    check(ran.length === 0, `${attacks.length} attacks in every place, ${what}: nothing ran (${ran.length}; ${clicked} elements were clicked)`);
    check(asked.length === 0, `… nothing was loaded (${asked.slice(0, 5).join(', ')})`);
    check(place && !covered, '… the reader is still on the page, and nothing covers it');
    check(found.length === 0, `… and nothing is there that could run (${[...new Set(found)].slice(0, 8).join(' ')})`);
    await page.close();
  }
  // The check can fail: a page that is trusted runs what its outputs bring along.
  const { ran, page } = await open(browser, make(notebook, 'trusted.html', ['--trust']), 'light');
  check(ran.length > 0, `with --trust outputs run (${ran.length})`);
  await page.close();
} finally {
  await browser.close();
  if (!kept) fs.rmSync(dir, { recursive: true });
}
process.exit(failed === 0 ? 0 : 1);
