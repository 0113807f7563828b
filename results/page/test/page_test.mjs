// SPDX-License-Identifier: BSD-2-Clause
// What readers do with a report: look up verdicts, sort, filter, hover, follow links, take records with them.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { estimate, interval, quantity } from '../src/units.js';
import { hover, startBrowser } from './browser.mjs';
import { fullModel, kHostile, smallModel } from './sample.mjs';

const model = smallModel();
const download = model.experiments[0];
const figureOf = (contestant, name) => contestant.figures.find((figure) => figure.name === name && !figure.party);
const best = [...download.contestants].sort((a, b) => figureOf(b, 'goodput').value - figureOf(a, 'goodput').value);

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser.close());

async function report(options) {
  const opened = await browser.open(model, options);
  const experiment = opened.page.locator(`details.experiment[data-id="${download.id}"]`);
  return { ...opened, experiment, chart: (kind) => experiment.locator(`figure[data-kind="${kind}"]`) };
}

test('verdicts come first, with their evidence one click away', async () => {
  const { page, problems } = await report();
  const sections = await page.locator('main > section').evaluateAll((all) => all.map((one) => one.id));
  assert.deepEqual(sections, ['verdicts', 'experiments', 'sweeps', 'missing', 'records']);
  const rows = page.locator('tr[data-claim]');
  assert.equal(await rows.count(), model.verdicts.length);
  const row = page.locator('tr[data-claim="Z2"]');
  assert.match(await row.textContent(), /sendfile saves one copy.*1 \+ 2 copies.*0\.00 copies.*holds/);
  await row.getByRole('button').click();
  const evidence = page.locator('tr.evidence:visible');
  assert.match(await evidence.textContent(), /goodput of sendfile more than read_write/);
  assert.ok((await evidence.textContent()).includes(estimate(model.verdicts[1].rules[1], '')));
  await page.locator('.chip', { hasText: 'does not hold' }).click();
  assert.equal(await rows.count(), 1);
  await page.locator('.chip', { hasText: 'does not hold' }).click();
  await page.locator('tr.evidence:visible').getByRole('link', { name: model.records[0].file }).first().click();
  assert.ok(
    await page
      .locator('article.record')
      .first()
      .evaluate((element) => element.matches(':target')),
  );
  assert.deepEqual(problems, []);
  await page.close();
});

test('a link to an experiment opens it', async () => {
  const { page, problems } = await report({ hash: '#experiment/r2/veth' });
  assert.ok(await page.locator('details.experiment[data-id="r2/veth"]').evaluate((element) => element.open));
  await page.evaluate(() => {
    document.querySelectorAll('details.experiment').forEach((one) => {
      one.open = false;
    });
  });
  await page.locator('tr[data-claim="D2"]').getByRole('button').click();
  await page.getByRole('link', { name: 'Idle for 5 s over vhost' }).first().click();
  await page.waitForFunction(() => document.querySelector('details.experiment[data-id="r3/vhost"]').open);
  assert.deepEqual(problems, []);
  await page.close();
});

test('the table of figures sorts by any column', async () => {
  const { page, problems, experiment } = await report();
  const table = experiment.locator('table.figures');
  const labels = () => table.locator('tbody tr').evaluateAll((rows) => rows.map((row) => row.dataset.label));
  const cell = await table.locator(`tr[data-label="sendfile"] td`).first().textContent();
  const goodput = figureOf(
    download.contestants.find((one) => one.label === 'sendfile'),
    'goodput',
  );
  assert.ok(cell.includes(interval(goodput.low, goodput.high, 1e9)), cell);
  assert.deepEqual(
    await labels(),
    best.map((one) => one.label),
  );
  assert.equal(await table.locator('th[aria-sort]').getAttribute('aria-sort'), 'descending');
  await table.getByRole('button', { name: /^Goodput/ }).click();
  assert.deepEqual(await labels(), best.map((one) => one.label).reverse());
  assert.equal(await table.locator('th[aria-sort]').getAttribute('aria-sort'), 'ascending');
  await table.getByRole('button', { name: /^Datapath/ }).click();
  assert.deepEqual(await labels(), download.contestants.map((one) => one.label).sort());
  // Bold is only what differs from all others.
  const alone = download.comparisons.every((one) => one.differs);
  assert.equal(await table.locator('strong').count(), alone ? 1 : 0);
  await experiment.getByRole('radio', { name: 'Copies' }).focus();
  await page.keyboard.press('Space');
  assert.match(await table.locator('tr[data-label="splice"]').textContent(), /traced/);
  assert.deepEqual(problems, []);
  await page.close();
});

test('filters narrow experiments, tables and charts', async () => {
  const { page, problems, experiment } = await report();
  const count = page.locator('.filters .count');
  const shown = () => page.locator('details.experiment:visible').evaluateAll((all) => all.map((one) => one.dataset.id));
  const choose = async (kind, name) => {
    await page.locator(`.menu[data-kind="${kind}"] > summary`).click();
    await page.locator(`.menu[data-kind="${kind}"] label`, { hasText: new RegExp(`^${name}$`) }).click();
    await page.keyboard.press('Escape');
  };
  await choose('link', 'vhost');
  assert.deepEqual(
    await shown(),
    model.experiments.filter((one) => one.link === 'veth').map((one) => one.id),
  );
  assert.equal(await count.textContent(), `${model.experiments.length - 2} of ${model.experiments.length} experiments`);
  await choose('workload', 'download');
  assert.deepEqual(await shown(), ['r2/veth']);
  await page.getByRole('button', { name: 'Reset' }).click();
  await choose('datapath', 'sendfile');
  assert.equal(await experiment.locator('tr[data-label="sendfile"]').count(), 0);
  assert.equal(await experiment.locator('tr[data-label="mmap"]').count(), 1);
  await experiment.locator('figure[data-kind="metric"] .as-table summary').click();
  assert.ok(!(await experiment.locator('figure[data-kind="metric"] table').textContent()).includes('sendfile'));
  await page.getByRole('button', { name: 'Reset' }).click();
  await page.getByRole('searchbox').fill('round trips');
  assert.deepEqual(await shown(), ['r2/veth']);
  await page.getByRole('searchbox').fill('nothing like it');
  assert.match(await page.locator('#experiments').textContent(), /No experiment matches/);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a hover shows the value of the model', async () => {
  const { page, problems, chart, experiment } = await report();
  const [first] = best;
  const goodput = figureOf(first, 'goodput');
  const metric = await hover(page, chart('metric'), goodput.value / 2, 0);
  assert.equal(metric.title, first.label);
  assert.equal(metric.rows.median, quantity(goodput.value, 'bit/s'));
  assert.equal(metric.rows.n, String(goodput.n));
  assert.equal(metric.rows['runs, in order'].split(', ').length, first.runs.length);
  const copies = await hover(page, chart('copies'), 0.5, 3);
  assert.equal(copies.title, best[3].label);
  const received = best[3].figures.find((one) => one.name === 'copies' && one.party === 'receiver' && one.place === 'kernel');
  assert.equal(copies.rows['receiver, kernel'], `${received.value.toFixed(2)} B/B, traced`);
  const cost = figureOf(best[1], 'cpu.machine_per_gib');
  const trade = await hover(page, chart('tradeoff'), cost.value, figureOf(best[1], 'goodput').value);
  assert.equal(trade.title, best[1].label);
  assert.equal(trade.rows['CPU per GiB, whole machine'], estimate(cost, 's/GiB'));
  const cpu = await hover(page, chart('cpu'), 0.1, 0);
  assert.equal(cpu.rows['whole machine'], estimate(figureOf(first, 'cpu.machine_per_gib'), 's/GiB'));
  const time = await hover(page, chart('timeline'), first.timeline.interval_s * 2.2, first.timeline.rate[2]);
  assert.equal(time.rows[first.label], quantity(first.timeline.rate[2], 'bit/s'));
  assert.equal(await experiment.locator('figure[data-kind="latency"]').count(), 0, 'twelve downloads are no distribution');
  assert.deepEqual(problems, []);
  await page.close();
});

test('a hover over a distribution and over a sweep shows their values', async () => {
  const { page, problems } = await report({ hash: '#experiment/r2/veth' });
  const trips = model.experiments.find((one) => one.id === 'r2/veth');
  const chart = page.locator('details.experiment[data-id="r2/veth"] figure[data-kind="latency"]');
  const { buckets } = trips.contestants[0].latency.read;
  const [edge] = buckets[Math.floor(buckets.length / 4)];
  const card = await hover(page, chart, edge, 0.5);
  // The pixel is a little off the edge: the share lies between those of the neighbours.
  const share = (limit) =>
    (100 * buckets.filter(([lowest]) => lowest <= limit).reduce((sum, [, n]) => sum + n, 0)) / trips.contestants[0].latency.read.count;
  const told = parseFloat(card.rows[trips.contestants[0].label]);
  assert.ok(told >= share(edge * 0.97) - 1 && told <= share(edge * 1.03) + 1, `${told} against ${share(edge)}`);
  await chart.getByLabel('View of latency').selectOption('percentiles');
  const median = await hover(page, chart, 1, trips.contestants[0].latency.read.p90);
  const asked = parseFloat(median.title.split(' ')[1]);
  assert.ok(Math.abs(asked - 90) < 3, median.title);
  const latencyAt = (percent) => {
    let below = 0;
    return buckets.find(([, n]) => {
      below += n;
      return 100 * below >= percent * trips.contestants[0].latency.read.count;
    })[0];
  };
  const near = [-0.1, 0, 0.1].map((off) => quantity(latencyAt(asked + off), 'ns'));
  assert.ok(near.includes(median.rows[trips.contestants[0].label]), `${near} against ${median.rows[trips.contestants[0].label]}`);
  const sweep = page.locator('.sweep figure');
  const point = model.sweeps[0].points[3];
  const there = model.experiments.find((one) => one.id === point.experiment);
  const swept = await hover(page, sweep, point.x, figureOf(there.contestants[2], 'goodput').value);
  assert.equal(swept.title, `size ${point.label}`);
  for (const contestant of there.contestants) {
    assert.equal(swept.rows[contestant.label], estimate(figureOf(contestant, 'goodput'), 'bit/s'));
  }
  await sweep.getByLabel('Figure').selectOption({ label: 'Latency p50, download' });
  const other = await hover(page, sweep, point.x, figureOf(there.contestants[2], 'latency.p50').value);
  assert.equal(other.rows.sendfile, quantity(figureOf(there.contestants[2], 'latency.p50').value, 'ns'));
  assert.deepEqual(problems, []);
  await page.close();
});

test('axes toggle between linear and logarithmic, and zoom', async () => {
  const { page, problems, chart } = await report();
  const figure = chart('metric');
  const canvas = figure.locator('.canvas');
  await canvas.scrollIntoViewIfNeeded();
  await page.waitForFunction((element) => window.waggle.charts.has(element), await canvas.elementHandle());
  const option = () =>
    canvas.evaluate((element) => {
      const { xAxis, dataZoom } = window.waggle.charts.get(element).getOption();
      return { type: xAxis[0].type, min: xAxis[0].min, range: dataZoom[0].end - dataZoom[0].start };
    });
  assert.deepEqual(await option(), { type: 'value', min: 0, range: 100 });
  await figure.getByRole('button', { name: /^Log/ }).click();
  assert.equal((await option()).type, 'log');
  await figure.getByRole('button', { name: /^Zoom in/ }).click();
  assert.equal((await option()).range, 50);
  await figure.getByRole('button', { name: /^Whole range/ }).click();
  assert.equal((await option()).range, 100);
  assert.deepEqual(problems, []);
  await page.close();
});

test('no chart and no table mixes links', async () => {
  const { page } = await report();
  await page.getByRole('button', { name: 'Open all' }).click();
  for (const { id, link } of model.experiments) {
    const captions = await page.locator(`details.experiment[data-id="${id}"] figcaption`).allTextContents();
    assert.ok(captions.length > 0 && captions.every((text) => text.includes(link)), id);
  }
  await page.close();
});

test('what could not run is said with its reason', async () => {
  const { page } = await report();
  const text = await page.locator('#missing').textContent();
  assert.match(text, /no hugepages: 0 of 512 MiB.*nr_hugepages/);
  assert.match(text, /failed.*digest of the receiver differs/);
  await page.close();
});

test('commands are copied and records downloaded', async () => {
  const original = JSON.stringify({ schema: 'waggle-record/2', note: 'ü </script>' });
  const { page, problems } = await report({ records: [{ id: 'r1', file: model.records[0].file, text: original }] });
  const record = page.locator('article.record').first();
  for (const text of [...model.records[0].noise, ...model.records[0].warnings, model.records[0].environment[2].value]) {
    assert.ok((await record.textContent()).includes(text), text);
  }
  await record.getByRole('button', { name: /^Copy the command:/ }).click();
  await record.getByText('Copied', { exact: true }).waitFor();
  const [saved] = await Promise.all([page.waitForEvent('download'), record.getByRole('button', { name: 'Download record' }).click()]);
  assert.equal(saved.suggestedFilename(), model.records[0].file);
  assert.equal(readFileSync(await saved.path(), 'utf8'), original);
  assert.deepEqual(problems, []);
  await page.close();
});

test('texts of strangers stay texts', async () => {
  const { page, problems } = await browser.open(smallModel({ hostile: true }), { records: [{ id: 'r1', file: kHostile, text: kHostile }] });
  await page.getByRole('button', { name: 'Open all' }).click();
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.equal(await page.locator('img').count(), 0);
  assert.ok((await page.locator('h1').textContent()).includes(kHostile));
  assert.ok((await page.locator('table.figures').first().textContent()).includes(kHostile));
  const metric = page.locator('figure[data-kind="metric"]').first();
  await metric.locator('.canvas').focus();
  await page.keyboard.press('ArrowDown');
  await metric.locator('.card').waitFor({ state: 'visible' });
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a report of the suite full is small, and opens at once', async () => {
  const { page, problems, file, ready } = await browser.open(fullModel(), { compress: true });
  assert.ok(statSync(file).size < 2.5e6, `${statSync(file).size} bytes without records`);
  assert.ok(ready < 4000, `ready after ${ready} ms`);
  assert.equal(await page.locator('details.experiment').count(), 60);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a model of another time is refused with one line', async () => {
  await assert.rejects(browser.open({ schema: 'waggle-report/9' }));
});
