// SPDX-License-Identifier: BSD-2-Clause
// One chart per sweep, which is one suite's and over one link.
import { h, jump, replace } from './dom.js';
import { sweepChart } from './charts/sweep.js';

function entry(model, sweep, filters) {
  const experiments = sweep.points.map((point) => model.experimentById.get(point.experiment));
  const place = h('div');
  const section = h(
    'article',
    { class: 'sweep', 'data-id': sweep.id },
    h(
      'h3',
      {},
      sweep.title,
      ' ',
      h(
        'span',
        { class: 'tags' },
        [sweep.suite, sweep.link].filter(Boolean).map((text) => h('span', { class: 'tag' }, text)),
      ),
    ),
    sweep.warnings.map((text) => h('p', { class: 'warning' }, text)),
    place,
    h(
      'details',
      {},
      h('summary', {}, 'The experiments behind it'),
      h(
        'ul',
        {},
        sweep.points.map((point, i) =>
          experiments[i] ? h('li', {}, `${point.label}: `, jump('experiment', point.experiment, experiments[i].title)) : null,
        ),
      ),
    ),
  );
  let drawn = null;
  filters.follow(() => {
    const accepted = (experiment) =>
      experiment &&
      !filters.hidden.link.has(experiment.link) &&
      !filters.hidden.workload.has(experiment.workload) &&
      !filters.hidden.suite.has(experiment.suite);
    const points = sweep.points
      .map((point, i) => ({ ...point, contestants: accepted(experiments[i]) ? filters.contestants(experiments[i]) : [] }))
      .filter((point) => point.contestants.length > 0);
    section.hidden = points.length === 0;
    const state = JSON.stringify(points.map((point) => [point.x, point.contestants.map((one) => one.label)]));
    if (state !== drawn && points.length > 0) {
      drawn = state;
      replace(
        place,
        sweepChart(sweep, experiments.find(Boolean)?.metric, points) ??
          h('p', { class: 'none' }, 'No figure was measured at these points.'),
      );
    }
  });
  return section;
}

export function sweepsSection(model, filters) {
  if (model.sweeps.length === 0) {
    return null;
  }
  return h(
    'section',
    { id: 'sweeps', 'aria-labelledby': 'sweeps-title' },
    h('h2', { id: 'sweeps-title' }, 'Sweeps'),
    h(
      'p',
      { class: 'lead' },
      'One setting varied, all else alike. Points of one line were measured in experiments of their own: between points the machine may have drifted.',
    ),
    h(
      'div',
      { class: 'sweep-list' },
      model.sweeps.map((sweep) => entry(model, sweep, filters)),
    ),
  );
}
