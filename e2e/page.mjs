// Opens a page of a stranger's notebook in a real Chromium and checks that nothing of it runs, loads, or covers the page.
//
//   node e2e/page.mjs KERNEL [DIR]
//
// KERNEL is the kernel's program, which makes the page of the attacks in kernel/internal/notebook/testdata/html/hostile.txtar. With DIR
// the page, screenshots of it and a PDF are kept there. CHROMIUM names the browser, /usr/bin/chromium unless set.
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

let failed = 0;
const check = (holds, sentence) => {
  console.log((holds ? 'ok   ' : 'FAIL ') + sentence);
  if (!holds) failed++;
};

/** Opens the page that the kernel makes with some flags, tries all that a reader could click, and tells what happened. */
async function open(browser, name, flags, scheme) {
  const file = path.join(dir, name);
  execFileSync(kernel, ['convert', notebook, '--output', file, ...flags]);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: scheme });
  const ran = [], asked = [];
  await page.exposeFunction('pwned', () => { ran.push('called'); });
  page.on('dialog', dialog => { ran.push(`dialog ${dialog.message()}`); return dialog.dismiss(); });
  page.on('request', request => {
    if (!request.url().startsWith('data:') && request.url() !== pathToFileURL(file).href) asked.push(request.url());
  });
  await page.goto(pathToFileURL(file).href);
  for (const link of await page.locator('a:not([href^="https:"]):not([href^="#"]), button, input:not(#hide-code), [tabindex]').all()) {
    await link.click({ timeout: 2000, force: true, noWaitAfter: true }).catch(() => {}); // some are not to be seen
  }
  await page.waitForTimeout(300);
  const place = page.url() === pathToFileURL(file).href;
  const covered = await page.evaluate(() => {
    scrollTo(0, 0);
    const top = document.elementFromPoint(innerWidth / 2, 60);
    return top === null || !['HTML', 'BODY', 'MAIN'].includes(top.tagName) && top.closest('.rendered') !== null;
  });
  return { page, ran, asked, place, covered };
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  for (const scheme of ['light', 'dark']) {
    const { page, ran, asked, place, covered } = await open(browser, 'hostile.html', [], scheme);
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
  // The check can fail: a page that is trusted runs what its outputs bring along.
  const { ran, page } = await open(browser, 'trusted.html', ['--trust'], 'light');
  check(ran.length > 0, `with --trust outputs run (${ran.length})`);
  await page.close();
} finally {
  await browser.close();
  if (!kept) fs.rmSync(dir, { recursive: true });
}
process.exit(failed === 0 ? 0 : 1);
