// SPDX-License-Identifier: BSD-2-Clause
// The charts of an experiment, those that its figures allow. Datapaths stand in the same order in all of them: best first.
import { h } from '../dom.js';
import { metricOf, ranked } from '../model.js';
import { nameOf } from '../names.js';
import { intervalChart } from './intervals.js';
import { latencyChart } from './latency.js';
import { copiesChart, cpuChart, switchesOf } from './stacks.js';
import { timelineChart } from './timeline.js';
import { tradeoffChart } from './tradeoff.js';

function metricChart(experiment, contestants) {
  const figure = contestants.map((contestant) => metricOf(experiment, contestant)).find(Boolean);
  return figure ? intervalChart(experiment, contestants, figure, { runs: true, kind: 'metric', title: nameOf(figure.name) }) : null;
}

function switchesChart(experiment, contestants) {
  const figure = switchesOf(contestants);
  return figure ? intervalChart(experiment, contestants, figure, { log: true, kind: 'switches', title: figure.title }) : null;
}

export function chartsOf(experiment, contestants) {
  const order = ranked(experiment, contestants);
  const made = [metricChart, tradeoffChart, cpuChart, copiesChart, switchesChart, latencyChart, timelineChart]
    .map((make) => make(experiment, order))
    .filter(Boolean);
  return made.length === 0 ? null : h('div', { class: 'charts' }, made);
}
