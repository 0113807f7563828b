// SPDX-License-Identifier: BSD-2-Clause
// A browser with a profile of its own, and pages in it that must neither complain nor ask for anything.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filled } from './fill.mjs';

const { chromium } = createRequire(join(process.env.WAGGLE_PAGE_MODULES, 'from'))('playwright-core');
const template = readFileSync(process.env.WAGGLE_PAGE, 'utf8');
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function startBrowser() {
  const folder = mkdtempSync(join(tmpdir(), 'waggle-page-'));
  const browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: process.env.WAGGLE_CHROMIUM ?? '/usr/bin/chromium',
    args: flags,
    viewport: { width: 1400, height: 900 },
    acceptDownloads: true,
    timeout: 20000,
  });
  browser.setDefaultTimeout(5000);

  /// A report opened from disk, as a reader does. `problems` collects what must stay empty.
  async function open(
    model,
    { records = [], compress = false, width = 1400, height = 900, scheme = 'light', motion = 'no-preference', hash = '' } = {},
  ) {
    const file = join(folder, `report ${Math.random().toString(36).slice(2)}.html`);
    writeFileSync(file, filled(template, model, records, { compress }));
    const page = await browser.newPage();
    const problems = [];
    const address = pathToFileURL(file).href;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        problems.push(message.text());
      }
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && request.url().split('#')[0] !== address) {
        problems.push(`asks for ${request.url()}`);
      }
    });
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: motion });
    const start = performance.now();
    await page.goto(address + hash);
    await page.waitForFunction(() => document.documentElement.dataset.ready);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.ready), 'true');
    return { page, problems, file, ready: performance.now() - start };
  }

  return {
    open,
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/// The pixel of a value in the chart of a figure, relative to the window; the figure is brought into view first.
export async function pixelOf(page, figure, x, y) {
  const canvas = figure.locator('.canvas');
  await canvas.scrollIntoViewIfNeeded();
  await page.waitForFunction((element) => window.waggle.charts.has(element), await canvas.elementHandle());
  return canvas.evaluate(
    (element, value) => {
      const box = element.getBoundingClientRect();
      const [left, top] = window.waggle.charts.get(element).convertToPixel({ gridIndex: 0 }, value);
      return { x: box.left + left, y: box.top + top };
    },
    [x, y],
  );
}

/// The card that appears where the mouse is put.
export async function hover(page, figure, x, y) {
  const at = await pixelOf(page, figure, x, y);
  await page.mouse.move(at.x - 3, at.y - 2);
  await page.mouse.move(at.x, at.y);
  return cardOf(figure);
}

export async function cardOf(figure) {
  const card = figure.locator('.card');
  await card.waitFor({ state: 'visible' });
  return {
    title: await card.locator('.card-title').textContent(),
    rows: Object.fromEntries(
      await card.locator('tr').evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))),
    ),
  };
}
