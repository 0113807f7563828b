// SPDX-License-Identifier: BSD-2-Clause
// Whether everybody can read it: keyboard alone, contrast, narrow and wide windows, dark and light, paper.
// WAGGLE_SHOTS=FOLDER leaves screenshots there, to look at.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { quantity } from '../src/units.js';
import { cardOf, startBrowser } from './browser.mjs';
import { smallModel } from './sample.mjs';

const model = smallModel();
let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser.close());

const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return {
      tag: element.tagName,
      text: element.textContent.slice(0, 60),
      role: element.getAttribute('role'),
      name: element.getAttribute('aria-label') ?? '',
    };
  });

/// Tab until `found` says that it is there.
async function tabTo(page, found, most = 400) {
  for (let i = 0; i < most; i += 1) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (found(now)) {
      return now;
    }
  }
  throw new Error('the keyboard does not reach it');
}

test('the keyboard alone reaches and works everything', async () => {
  const { page, problems } = await browser.open(model);
  await page.keyboard.press('Tab');
  assert.match((await focused(page)).text, /Skip to the verdicts/);
  await page.keyboard.press('Enter');
  await tabTo(page, (at) => at.name === 'Evidence for Z0');
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('tr.evidence:visible').count(), 1);
  await tabTo(page, (at) => at.tag === 'SUMMARY' && at.text.startsWith('Links'));
  await page.keyboard.press('Enter');
  await tabTo(page, (at) => at.tag === 'INPUT');
  await page.keyboard.press('Space');
  assert.match(await page.locator('.filters .count').textContent(), /^2 of/);
  await page.keyboard.press('Space');
  await page.keyboard.press('Escape');
  assert.match((await focused(page)).text, /^Links/);
  await tabTo(page, (at) => at.tag === 'BUTTON' && at.text.startsWith('Goodput'));
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('table.figures th[aria-sort]').first().getAttribute('aria-sort'), 'ascending');
  const chart = await tabTo(page, (at) => at.role === 'application');
  assert.match(chart.name, /^Goodput\. sendfile/);
  const figure = page.locator('figure[data-kind="metric"]').first();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  const card = await cardOf(figure);
  const second = [...model.experiments[0].contestants].map((one) => [one.label, one.figures[0].value]).sort((a, b) => b[1] - a[1])[1];
  assert.deepEqual([card.title, card.rows.median], [second[0], quantity(second[1], 'bit/s')]);
  assert.match(await page.locator('#status').textContent(), new RegExp(second[0]));
  await page.keyboard.press('l');
  assert.equal(await figure.getByRole('button', { name: /^Log/ }).getAttribute('aria-pressed'), 'true');
  await page.keyboard.press('Escape');
  assert.ok(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== 'none'), 'the focus is seen');
  assert.deepEqual(problems, []);
  await page.close();
});

/// Texts whose contrast to what is behind them is too low.
function faint() {
  const parse = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const over = ([r, g, b, a = 1], below) => [r, g, b].map((value, i) => value * a + below[i] * (1 - a));
  const light = (color) => {
    const [r, g, b] = color.map((value) => {
      const s = value / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const chain = [];
    for (let at = element; at; at = at.parentElement) {
      chain.unshift(parse(getComputedStyle(at).backgroundColor));
    }
    return chain.reduce((below, color) => over(color, below), [255, 255, 255]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || !element.checkVisibility() || element.closest('.offscreen, script, .key[aria-pressed="false"]')) {
      continue;
    }
    const back = behind(element);
    const [x, y] = [light(over(parse(getComputedStyle(element).color), back)), light(back)];
    const contrast = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    if (contrast < 4.5) {
      found.push(`${node.textContent.trim().slice(0, 40)} (${contrast.toFixed(2)})`);
    }
  }
  return found;
}

/// What is wider than the window, and not within something that scrolls.
function sticking() {
  return [...document.querySelectorAll('#page *')]
    .filter(
      (element) => element.getBoundingClientRect().right > window.innerWidth + 1 && !element.closest('.scroll, nav, .command, .offscreen'),
    )
    .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 30)}`);
}

for (const [width, height] of [
  [400, 850],
  [1400, 1000],
]) {
  for (const scheme of ['light', 'dark']) {
    test(`readable at ${width} pixels, ${scheme}`, async () => {
      const { page, problems } = await browser.open(model, { width, height, scheme, motion: 'reduce' });
      await page.locator('tr[data-claim="Z2"]').getByRole('button').click();
      await page.evaluate(() => {
        document.getElementById('experiment/r2/veth').open = true;
      });
      assert.deepEqual(await page.evaluate(faint), []);
      assert.deepEqual(await page.evaluate(sticking), [], 'nothing sticks out');
      const names = await page
        .locator('button, select, input, .canvas')
        .evaluateAll((all) =>
          all
            .filter(
              (one) =>
                one.checkVisibility() &&
                !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label')?.textContent.trim()),
            )
            .map((one) => one.outerHTML),
        );
      assert.deepEqual(names, [], 'everything has a name');
      if (process.env.WAGGLE_SHOTS) {
        await page.locator('footer').scrollIntoViewIfNeeded();
        const total = await page.evaluate(() => document.body.scrollHeight);
        for (let top = 0, i = 0; top < total; top += height - 60, i += 1) {
          await page.evaluate((y) => window.scrollTo({ top: y, behavior: 'instant' }), top);
          await page.waitForTimeout(150);
          await page.screenshot({ path: join(process.env.WAGGLE_SHOTS, `${width}-${scheme}-${String(i).padStart(2, '0')}.png`) });
        }
      }
      assert.deepEqual(problems, []);
      await page.close();
    });
  }
}

test('the switch of colours is heeded, and paper is light', async () => {
  const { page, problems } = await browser.open(model, { scheme: 'light' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const bright = await ground();
  await page.getByLabel('Colours').selectOption('dark');
  assert.notEqual(await ground(), bright);
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
  await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  if (process.env.WAGGLE_SHOTS) {
    await page.pdf({ path: join(process.env.WAGGLE_SHOTS, 'paper.pdf'), format: 'A4' });
  }
  await page.getByLabel('Colours').selectOption('auto');
  assert.deepEqual(problems, []);
  await page.close();
});
