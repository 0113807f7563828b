// SPDX-License-Identifier: BSD-2-Clause
// What of the experiments is shown: one state, which the sections follow.
import { announce, h, replace } from './dom.js';
import { datapathOf, measured } from './model.js';
import { named } from './palette.js';

export class Filters {
  constructor(model) {
    this.hidden = { datapath: new Set(), link: new Set(), workload: new Set(), suite: new Set() };
    this.text = '';
    this.listeners = [];
    const experiments = model.experiments;
    const distinct = (key) => [...new Set(experiments.map((one) => one[key]).filter(Boolean))];
    this.choices = { datapath: model.datapaths, link: distinct('link'), workload: distinct('workload'), suite: distinct('suite') };
  }

  changed() {
    this.listeners.forEach((listener) => listener());
  }

  follow(listener) {
    this.listeners.push(listener);
    listener();
  }

  contestants(experiment) {
    return measured(experiment).filter((contestant) => this.shows(contestant));
  }

  shows(contestant) {
    return !this.hidden.datapath.has(datapathOf(contestant));
  }

  accepts(experiment) {
    const { link, workload, suite } = this.hidden;
    if (link.has(experiment.link) || workload.has(experiment.workload) || suite.has(experiment.suite)) {
      return false;
    }
    if (![...experiment.contestants, ...experiment.unavailable].some((contestant) => this.shows(contestant))) {
      return false;
    }
    const text = [experiment.title, experiment.caption, experiment.link_text, experiment.workload, experiment.suite, experiment.id]
      .join(' ')
      .toLowerCase();
    return this.text
      .toLowerCase()
      .split(/\s+/)
      .every((word) => text.includes(word));
  }
}

function menu(filters, kind, title, content) {
  const choices = filters.choices[kind];
  const hidden = filters.hidden[kind];
  if (choices.length < 2) {
    return null;
  }
  const state = h('span', { class: 'state' });
  const boxes = choices.map((name) => {
    const box = h('input', {
      type: 'checkbox',
      value: name,
      checked: true,
      onchange: () => {
        hidden[box.checked ? 'delete' : 'add'](name);
        filters.changed();
      },
    });
    return { name, box, label: h('label', {}, box, content ? content(name) : name) };
  });
  function all(checked) {
    hidden.clear();
    if (!checked) {
      choices.forEach((name) => hidden.add(name));
    }
    filters.changed();
  }
  const details = h(
    'details',
    { class: 'menu', 'data-kind': kind },
    h('summary', {}, title, ' ', state),
    h(
      'div',
      { class: 'sheet', role: 'group', 'aria-label': title },
      boxes.map((one) => one.label),
      h(
        'div',
        { class: 'both' },
        h('button', { type: 'button', class: 'small', onclick: () => all(true) }, 'All'),
        h('button', { type: 'button', class: 'small', onclick: () => all(false) }, 'None'),
      ),
    ),
  );
  details.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && details.open) {
      details.open = false;
      details.querySelector('summary').focus();
    }
  });
  filters.follow(() => {
    boxes.forEach((one) => {
      one.box.checked = !hidden.has(one.name);
    });
    replace(state, hidden.size === 0 ? 'all' : `${choices.length - hidden.size} of ${choices.length}`);
    details.classList.toggle('narrowed', hidden.size > 0);
  });
  return details;
}

export function filterBar(model, filters) {
  const search = h('input', {
    type: 'search',
    placeholder: 'Title, size, …',
    'aria-label': 'Filter experiments by text',
    oninput: () => {
      filters.text = search.value.trim();
      filters.changed();
    },
  });
  const reset = h(
    'button',
    {
      type: 'button',
      onclick: () => {
        Object.values(filters.hidden).forEach((set) => set.clear());
        search.value = '';
        filters.text = '';
        filters.changed();
      },
    },
    'Reset',
  );
  const count = h('span', { class: 'count' });
  const menus = [
    menu(filters, 'datapath', 'Datapaths', (name) => named({ label: name, sender: name })),
    menu(filters, 'link', 'Links'),
    menu(filters, 'workload', 'Workloads'),
    menu(filters, 'suite', 'Suites'),
  ].filter(Boolean);
  document.addEventListener('click', (event) => {
    menus
      .filter((one) => one.open && !one.contains(event.target))
      .forEach((one) => {
        one.open = false;
      });
  });
  // One at a time, and none left open behind the focus.
  menus.forEach((one) =>
    one.addEventListener('focusout', (event) => {
      if (event.relatedTarget && !one.contains(event.relatedTarget) && !event.relatedTarget.contains(one)) {
        one.open = false;
      }
    }),
  );
  let before = null;
  filters.follow(() => {
    const shown = model.experiments.filter((experiment) => filters.accepts(experiment)).length;
    const text = `${shown} of ${model.experiments.length} experiments`;
    count.textContent = text;
    if (before !== null && before !== text) {
      announce(`${text} shown`);
    }
    before = text;
    reset.hidden = filters.text === '' && Object.values(filters.hidden).every((set) => set.size === 0);
  });
  return h('div', { class: 'filters', role: 'search', 'aria-label': 'Filters of experiments and sweeps' }, menus, search, count, reset);
}
