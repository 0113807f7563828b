// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aloneBest } from '../src/model.js';
import { inSet, titleOf, unitOf } from '../src/names.js';
import { estimate, interval, moment, number, quantity, scaleOf, tick } from '../src/units.js';

test('three digits, and whole numbers whole', () => {
  assert.deepEqual([0, 4134, 17.834, 0.05613, 9.996, 99.96, 123.4, 1.5, 0.00001234, null, NaN].map(number), [
    '0',
    '4,134',
    '17.8',
    '0.0561',
    '10.0',
    '100',
    '123',
    '1.50',
    '0.0000123',
    '–',
    '–',
  ]);
});

test('a quantity stands in the scale that suits it', () => {
  assert.equal(quantity(1.78e10, 'bit/s'), '17.8 Gbit/s');
  assert.equal(quantity(482e6, 'ns'), '482 ms');
  assert.equal(quantity(0.56, 's/GiB'), '0.560 s/GiB');
  assert.equal(quantity(13.1 * 1048576, 'B'), '13.1 MiB');
  assert.equal(quantity(0.087, 'share'), '8.70 %');
  assert.equal(quantity(0, 'bit/s'), '0 bit/s');
  assert.equal(quantity(0, 'share'), '0 %');
  assert.equal(quantity(0, 'ns'), '0 ns');
  assert.equal(quantity(7.2, 'µs'), '7.20 µs');
  assert.equal(quantity(undefined, 's'), '–');
  assert.deepEqual(scaleOf(3e9, 'Mimsy'), { factor: 1, unit: 'Mimsy' });
});

test('an interval has the scale of its value', () => {
  assert.equal(estimate({ value: 1.78e10, low: 1.51e10, high: 1.92e10 }, 'bit/s'), '17.8 Gbit/s (15.1–19.2)');
  assert.equal(estimate({ value: 9.9e8, low: 9.8e8, high: 1.02e9 }, 'bit/s'), '990 Mbit/s (980–1,020)');
  assert.equal(interval(null, null), '');
});

test('ticks and dates', () => {
  assert.deepEqual([0, 10, 0.25, 1e6, 0.0001].map(tick), ['0', '10', '0.25', '1e6', '1e-4']);
  assert.equal(moment('2026-11-21T14:03:00Z'), '2026-11-21 14:03 UTC');
  assert.equal(moment('yesterday'), 'yesterday');
});

test('figures have names, also those that are not known here', () => {
  assert.equal(titleOf({ name: 'copies', party: 'sender', place: 'kernel', of: '' }), 'Copies per byte, sender, kernel');
  assert.equal(titleOf({ name: 'nonesuch.new_figure', of: '' }), 'nonesuch, new figure');
  assert.equal(unitOf({ name: 'cpu.share', unit: '' }), 'share');
  const figures = [{ name: 'copies', party: 'sender' }, { name: 'goodput' }, { name: 'copies' }];
  assert.deepEqual(inSet('main', figures), [{ name: 'goodput' }, { name: 'copies' }]);
});

test('a best is one that every comparison says is better, whatever the medians say', () => {
  const contestant = (label, value) => ({ label, status: 'ok', figures: [{ name: 'goodput', value }] });
  const experiment = (a, b, differs = true) => ({
    contestants: [contestant('mmap', 11), contestant('splice', 10)],
    comparisons: [{ metric: 'goodput', a, b, ratio: 1.1, differs }],
  });
  assert.equal(aloneBest(experiment('mmap', 'splice'), 'goodput', 'more').label, 'mmap');
  assert.equal(aloneBest(experiment('mmap', 'splice', false), 'goodput', 'more'), null);
  assert.equal(aloneBest(experiment('splice', 'mmap'), 'goodput', 'more'), null);
  assert.equal(aloneBest(experiment('mmap', 'splice'), 'goodput', 'less').label, 'splice');
});
