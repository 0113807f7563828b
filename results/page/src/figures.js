// SPDX-License-Identifier: BSD-2-Clause
// The table of an experiment: a row per contestant, columns from their figures.
import { h, replace, uniqueId } from './dom.js';
import { aloneBest, figureOf, figuresOf } from './model.js';
import { inSet, keyOf, kSets, titleOf, unitOf } from './names.js';
import { named } from './palette.js';
import { sortableTable } from './table.js';
import { few, interval, number, scaleOf } from './units.js';

function find(contestant, figure) {
  return figureOf(contestant, figure.name, { party: figure.party ?? null, place: figure.place ?? null, of: figure.of ?? '' });
}

function column(figure, contestants, best) {
  const found = new Map(contestants.map((contestant) => [contestant, find(contestant, figure)]));
  const values = [...found.values()].map((one) => one?.value ?? 0);
  const scale = scaleOf(Math.max(...values.map(Math.abs)), unitOf(figure));
  function cell(contestant) {
    const one = found.get(contestant);
    if (!one || one.value === null || one.value === undefined) {
      return h('span', { class: 'absent', 'aria-label': 'not measured' }, '–');
    }
    const value = number(one.value / scale.factor, scale.unit);
    const range = interval(one.low, one.high, scale.factor, scale.unit);
    // Bold is said of a difference only.
    const first = best && contestant === best;
    return [
      h(first ? 'strong' : 'span', { class: 'value' }, value),
      range ? h('span', { class: 'range' }, range, few(one.coverage)) : null,
      one.grade ? h('span', { class: `grade ${one.grade}` }, one.grade) : null,
    ];
  }
  return {
    key: keyOf(figure),
    title: titleOf(figure),
    unit: scale.unit,
    number: true,
    down: figure.better !== 'less',
    value: (contestant) => found.get(contestant)?.value ?? null,
    cell,
  };
}

function columns(set, experiment, contestants) {
  const figures = inSet(set, figuresOf(contestants));
  return [
    { key: 'label', title: 'Datapath', head: true, value: (one) => one.label, cell: (one) => named(one) },
    ...figures.map((figure) =>
      column(figure, contestants, figure.party || figure.place || figure.of ? null : aloneBest(experiment, figure.name, figure.better)),
    ),
    {
      key: 'n',
      title: 'Runs',
      number: true,
      down: true,
      value: (one) => one.runs.length || null,
      cell: (one) => number(one.runs.length || null),
    },
  ];
}

/// The table with the choice of its columns.
export function figuresTable(experiment, contestants) {
  const all = figuresOf(contestants);
  const sets = kSets.filter((set) => inSet(set.id, all).length > 0);
  const place = h('div');
  const name = uniqueId('columns');
  function show(set) {
    const listed = columns(set, experiment, contestants);
    const metric = listed.find((one) => one.key.split('|')[0] === experiment.metric?.name);
    replace(
      place,
      sortableTable({
        label: `${experiment.title}: ${kSets.find((one) => one.id === set).title.toLowerCase()} figures`,
        className: 'figures',
        columns: listed,
        rows: contestants,
        sorted: metric ? { key: metric.key, down: metric.down } : null,
        rowAttributes: (one) => ({ 'data-label': one.label }),
      }).element,
    );
  }
  const choice = h(
    'fieldset',
    { class: 'segments' },
    h('legend', {}, 'Columns'),
    sets.map((set, i) =>
      h(
        'label',
        {},
        h('input', { type: 'radio', name, value: set.id, checked: i === 0, onchange: () => show(set.id) }),
        h('span', {}, set.title),
      ),
    ),
  );
  show(sets[0]?.id ?? 'all');
  return [sets.length > 1 ? choice : null, place];
}
