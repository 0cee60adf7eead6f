// Opens figures in a real Chromium and checks that their text can be read: none of it lies outside of its figure or on other text.
//
//   go run ./display/contact -o DIR && node e2e/figures.mjs DIR [SHOTS_DIR]
//
// DIR holds figures as SVG. With SHOTS_DIR a screenshot of each is kept there. CHROMIUM names the browser, /usr/bin/chromium unless set.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [dir, shots] = process.argv.slice(2);
if (!dir) {
  console.error('usage: node e2e/figures.mjs DIR [SHOTS_DIR]');
  process.exit(2);
}
const files = fs.readdirSync(dir).filter(name => name.endsWith('.svg')).sort();
if (files.length === 0) {
  console.error(`there is no SVG in ${dir}: run go run ./display/contact -o ${dir}`);
  process.exit(1);
}
if (shots) fs.mkdirSync(shots, { recursive: true });

/** What is wrong with the text of the figure on the page. Runs in the page. */
function faults() {
  const svg = document.documentElement;
  const frame = svg.getBoundingClientRect();
  const said = [];
  // The box of a line of text has room above and below its letters: a sixth of its height each.
  const texts = [...svg.querySelectorAll('text')].filter(t => t.textContent.trim()).map(t => {
    const box = t.getBoundingClientRect();
    const upright = box.height > box.width && t.textContent.trim().length > 2;
    const dx = upright ? box.width / 6 : 0, dy = upright ? 0 : box.height / 6;
    return { text: t.textContent, left: box.left + dx, right: box.right - dx, top: box.top + dy, bottom: box.bottom - dy };
  });
  if (texts.length === 0) said.push('it has no text');
  for (const t of texts) {
    if (t.left < frame.left - 0.5 || t.right > frame.right + 0.5 || t.top < frame.top - 0.5 || t.bottom > frame.bottom + 0.5) {
      said.push(`“${t.text}” lies outside of the figure`);
    }
  }
  const slack = 0.75; // of a pixel: browsers round
  for (let i = 0; i < texts.length; i++) {
    for (let j = 0; j < i; j++) {
      const a = texts[i], b = texts[j];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > slack && high > slack) said.push(`“${a.text}” lies on “${b.text}”`);
    }
  }
  for (const image of svg.querySelectorAll('image')) {
    const box = image.getBoundingClientRect();
    if (!(box.width > 0 && box.height > 0)) said.push('an image has no size');
  }
  return { said, texts: texts.length };
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
let failed = 0, texts = 0;
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 1200 } });
  for (const name of files) {
    await page.goto(pathToFileURL(path.resolve(dir, name)).href);
    const found = await page.evaluate(faults);
    texts += found.texts;
    if (shots) await page.screenshot({ path: path.join(shots, name.replace(/svg$/, 'png')) });
    if (found.said.length === 0) continue;
    failed++;
    console.log(`FAIL ${name}`);
    for (const line of found.said) console.log(`     ${line}`);
  }
} finally {
  await browser.close();
}
console.log(`${files.length} figures, ${texts} texts, ${failed} figures with faults`);
process.exit(failed ? 1 : 0);
