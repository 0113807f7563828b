// SPDX-License-Identifier: BSD-2-Clause
// What could not run, why, and what would change that: once per reason, however many experiments it was missing from.
import { h, jump } from './dom.js';
import { named } from './palette.js';
import { sortableTable } from './table.js';

function gathered(model, filters) {
  const reasons = new Map();
  for (const experiment of model.experiments.filter((one) => filters.accepts(one))) {
    for (const one of experiment.unavailable.filter((contestant) => filters.shows(contestant))) {
      const key = JSON.stringify([one.label, one.status, one.reason]);
      const found = reasons.get(key) ?? { ...one, experiments: [] };
      found.experiments.push(experiment);
      reasons.set(key, found);
    }
  }
  return [...reasons.values()];
}

function whereCell(row) {
  const links = row.experiments.map((one) => h('li', {}, jump('experiment', one.id, one.title)));
  return row.experiments.length === 1
    ? jump('experiment', row.experiments[0].id, row.experiments[0].title)
    : h('details', {}, h('summary', {}, `${row.experiments.length} experiments`), h('ul', {}, links));
}

const kColumns = [
  { key: 'label', title: 'Datapath', head: true, value: (row) => row.label, cell: (row) => named(row) },
  {
    key: 'status',
    title: 'Status',
    value: (row) => row.status,
    cell: (row) => (row.status === 'failed' ? h('strong', { class: 'failed' }, 'failed') : 'unavailable'),
  },
  { key: 'reason', title: 'Why', value: (row) => row.reason, cell: (row) => row.reason ?? '–' },
  { key: 'hint', title: 'What would do', value: (row) => row.hint, cell: (row) => row.hint ?? '–' },
  { key: 'where', title: 'Missing from', down: true, value: (row) => row.experiments.length, cell: whereCell },
];

export function unavailableSection(model, filters) {
  const section = h(
    'section',
    { id: 'missing', 'aria-labelledby': 'missing-title' },
    h('h2', { id: 'missing-title' }, 'What could not run'),
  );
  const all = gathered(model, { accepts: () => true, shows: () => true });
  if (all.length === 0) {
    section.append(h('p', { class: 'none' }, 'Every contestant of every experiment was measured.'));
    return section;
  }
  const table = sortableTable({
    label: 'What could not run',
    className: 'missing stacks',
    columns: kColumns,
    rows: all,
    empty: 'Nothing that the filters show.',
  });
  filters.follow(() => table.show(gathered(model, filters)));
  section.append(table.element);
  return section;
}
