// What the tests through a front end in a browser have in common: notebooks are written into the folder that a Jupyter server serves, used as a
// person would use them, and looked at.
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

export const [dir, shots, ...wanted] = process.argv.slice(2);
export const url = process.env.LAB_URL?.replace(/\/$/, '');
if (!url || !dir || !shots) {
  console.error(`usage: LAB_URL=… node ${path.relative('.', process.argv[1])} SERVER_DIR SHOTS_DIR [PART …]`);
  process.exit(2);
}
export const patience = 180_000; // limits for what hangs, not measures
fs.mkdirSync(shots, { recursive: true });

let failed = 0;
export function check(holds, sentence, detail = '') {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${sentence}`);
  if (!holds) {
    failed++;
    if (detail) console.log(`     ${String(detail).slice(0, 2000).replaceAll('\n', '\n     ')}`);
  }
}

export const sleep = ms => new Promise(done => setTimeout(done, ms));

export async function until(what, holds, limit = patience) {
  for (const end = Date.now() + limit; ; await sleep(50)) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`${what}: not within ${limit / 1000} s`);
  }
}

/** Writes a notebook of code cells into the server's folder. */
export function write(name, sources) {
  fs.writeFileSync(path.join(dir, `${name}.ipynb`), JSON.stringify({
    nbformat: 4, nbformat_minor: 5,
    metadata: { kernelspec: { name: 'nnkit', display_name: 'Go (nnkit)', language: 'go' } },
    cells: sources.map((source, i) => ({ cell_type: 'code', id: `${name}-${i}`, metadata: {}, execution_count: null, outputs: [], source })),
  }));
}

/** A notebook of the server's folder, as it is on the disk. */
export const stored = name => JSON.parse(fs.readFileSync(path.join(dir, name), 'utf8'));

// What outputs hold, as they are saved.
export const text = outputs => outputs.map(o => [o.text ?? '', o.data?.['text/plain'] ?? ''].flat().join('')).join('\n');
export const picturesIn = outputs => outputs.filter(o => Object.entries(o.data ?? {}).some(([type, data]) =>
  type.startsWith('image/') || type === 'text/html' && /<(svg|img)\b/.test([data].flat().join('')))).length;
export const errors = outputs => outputs.filter(o => o.output_type === 'error').map(o => `${o.ename}: ${o.evalue}\n${o.traceback.join('\n')}`);

/** Runs the parts that are wanted, each in a page of its own, and ends the process. */
export async function run(parts) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'], // as root, in a container
  });
  try {
    for (const [name, part] of Object.entries(parts)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const page = await browser.newPage({ viewport: { width: 1300, height: 1000 } });
      page.on('pageerror', e => console.log(`note: the page reports ${String(e).slice(0, 300)}`));
      try {
        await part(page);
      } catch (e) {
        check(false, `${name}: ${e.message.split('\n')[0]}`, e.stack);
        await page.screenshot({ path: path.join(shots, `FAILED-${name}.png`) }).catch(() => {});
      }
      await page.close();
    }
  } finally {
    await browser.close();
  }
  if (failed > 0) console.log(`${failed} checks failed`);
  process.exit(failed > 0 ? 1 : 0);
}
