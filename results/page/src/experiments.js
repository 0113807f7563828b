// SPDX-License-Identifier: BSD-2-Clause
// The experiments: a line each, which opens to table, charts, sentences, and how it was made.
import { command, anchorOf, h, jump, replace } from './dom.js';
import { figuresTable } from './figures.js';
import { aloneBest, leader, metricOf } from './model.js';
import { nameOf } from './names.js';
import { named } from './palette.js';
import { plural, quantity } from './units.js';
import { chartsOf } from './charts/all.js';

/// What the line of an experiment says of its result; never more than the comparisons do.
function headline(experiment, contestants) {
  const found = leader(experiment, contestants);
  if (!found) {
    return h('span', { class: 'result none' }, 'nothing could be measured');
  }
  const { first, second, differs } = found;
  const unit = experiment.metric.unit || (/share$/.test(experiment.metric.name) ? 'share' : '');
  const text = (contestant) => [named(contestant), ' ', quantity(metricOf(experiment, contestant).value, unit)];
  if (!second) {
    return h('span', { class: 'result' }, text(first));
  }
  if (aloneBest(experiment, experiment.metric.name, experiment.metric.better) === first) {
    return h('span', { class: 'result' }, h('strong', {}, text(first)), h('span', { class: 'muted' }, ', then '), text(second));
  }
  return h(
    'span',
    { class: 'result' },
    text(first),
    ', ',
    text(second),
    h('span', { class: 'muted' }, differs === false ? ': no difference shown' : ''),
  );
}

function sentences(experiment, filters) {
  const shown = new Set(filters.contestants(experiment).map((contestant) => contestant.label));
  const list = experiment.comparisons.filter((one) => shown.has(one.a) && shown.has(one.b));
  if (list.length === 0) {
    return null;
  }
  const line = (one) =>
    h(
      'li',
      { class: one.differs ? null : 'muted' },
      one.sentence,
      h(
        'span',
        { class: 'note' },
        ` ${nameOf(one.metric)}; ${one.paired ? 'paired within rounds' : 'unpaired'}${one.n ? `, n = ${one.n}` : ''}`,
      ),
    );
  const [differing, alike] = [list.filter((one) => one.differs), list.filter((one) => !one.differs)];
  return h(
    'div',
    { class: 'sentences' },
    h('h4', {}, 'Who differs from whom'),
    differing.length > 0 ? h('ul', {}, differing.map(line)) : h('p', {}, 'No difference is shown between any two of them.'),
    alike.length > 0 && differing.length > 0
      ? h('details', {}, h('summary', {}, `No difference shown: ${plural(alike.length, 'pair')}`), h('ul', {}, alike.map(line)))
      : null,
  );
}

function missing(experiment, filters) {
  const list = experiment.unavailable.filter((one) => filters.shows(one));
  return list.length === 0
    ? null
    : h(
        'div',
        { class: 'missing' },
        h('h4', {}, 'Not in this experiment'),
        h(
          'ul',
          {},
          list.map((one) =>
            h(
              'li',
              {},
              named(one),
              one.status === 'failed' ? ' failed: ' : ' cannot run here: ',
              one.reason,
              one.hint ? h('span', { class: 'note' }, ` ${one.hint}`) : null,
            ),
          ),
        ),
      );
}

function made(model, experiment) {
  const record = model.recordById.get(experiment.record);
  return record
    ? h(
        'div',
        { class: 'made' },
        h('h4', {}, 'How it was made'),
        record.command ? command(record.command) : null,
        h('p', { class: 'note' }, 'Record ', jump('record', record.id, record.file), ', with its environment, warnings and all runs.'),
      )
    : null;
}

function body(model, experiment, filters) {
  const contestants = filters.contestants(experiment);
  return [
    h('p', { class: 'caption' }, experiment.caption),
    experiment.warnings.length > 0
      ? h(
          'div',
          { class: 'warning' },
          experiment.warnings.length === 1
            ? experiment.warnings[0]
            : h(
                'ul',
                {},
                experiment.warnings.map((text) => h('li', {}, text)),
              ),
        )
      : null,
    contestants.length > 0
      ? [figuresTable(experiment, contestants), chartsOf(experiment, contestants)]
      : h('p', { class: 'none' }, 'No contestant that the filters show was measured.'),
    h('div', { class: 'words' }, sentences(experiment, filters), missing(experiment, filters), made(model, experiment)),
  ];
}

function entry(model, experiment, filters) {
  const result = h('span', { class: 'result' });
  const content = h('div', { class: 'body' });
  const record = model.recordById.get(experiment.record);
  const details = h(
    'details',
    { class: 'experiment', id: anchorOf('experiment', experiment.id), 'data-id': experiment.id },
    h(
      'summary',
      {},
      h('h3', {}, experiment.title),
      h(
        'span',
        { class: 'tags' },
        [experiment.workload, experiment.link].filter(Boolean).map((text) => h('span', { class: 'tag' }, text)),
        record?.noisy ? h('span', { class: 'tag noisy' }, 'noisy') : null,
      ),
      result,
    ),
    content,
  );
  let drawn = null;
  function draw() {
    const state = [...filters.hidden.datapath].join('\n');
    if (details.open && drawn !== state) {
      drawn = state;
      replace(content, body(model, experiment, filters));
    }
  }
  details.addEventListener('toggle', draw);
  filters.follow(() => {
    details.hidden = !filters.accepts(experiment);
    replace(result, headline(experiment, filters.contestants(experiment)));
    if (!details.hidden) {
      draw();
    }
  });
  details.draw = draw;
  return details;
}

/// Opens the experiment that the address names, since links and verdicts lead there.
export function openNamed() {
  let id;
  try {
    id = decodeURIComponent(location.hash.slice(1));
  } catch {
    return; // no address of ours
  }
  const target = document.getElementById(id);
  if (target?.tagName === 'DETAILS') {
    target.hidden = false;
    target.open = true;
    target.draw?.();
    target.scrollIntoView();
    target.querySelector('summary').focus({ preventScroll: true });
  }
}

export function experimentsSection(model, filters, bar) {
  const groups = new Map();
  model.experiments.forEach((experiment) => {
    const suite = model.recordById.get(experiment.record)?.suite;
    const title = suite ? `Suite ${suite.name}` : 'Experiments of no suite';
    groups.set(title, [...(groups.get(title) ?? []), experiment]);
  });
  const entries = new Map(model.experiments.map((experiment) => [experiment, entry(model, experiment, filters)]));
  const empty = h('p', { class: 'none' }, 'No experiment matches the filters.');
  const parts = [...groups].map(([title, list]) => {
    const part = h(
      'div',
      { class: 'suite' },
      groups.size > 1 || list.some((one) => one.suite) ? h('p', { class: 'suite-title' }, title) : null,
      list.map((one) => entries.get(one)),
    );
    filters.follow(() => {
      part.hidden = list.every((one) => !filters.accepts(one));
    });
    return part;
  });
  filters.follow(() => {
    empty.hidden = model.experiments.some((one) => filters.accepts(one));
  });
  const first = entries.get(model.experiments[0]);
  if (first && model.experiments.length <= 3) {
    entries.forEach((one) => {
      one.open = true;
    });
  } else if (first) {
    first.open = true;
  }
  const toggle = h(
    'button',
    {
      type: 'button',
      onclick: () => {
        const open = toggle.textContent === 'Open all';
        entries.forEach((one) => {
          one.open = open && !one.hidden;
        });
        toggle.textContent = open ? 'Close all' : 'Open all';
      },
    },
    'Open all',
  );
  return h(
    'section',
    { id: 'experiments', 'aria-labelledby': 'experiments-title' },
    h('div', { class: 'headline' }, h('h2', { id: 'experiments-title' }, 'Experiments'), model.experiments.length > 3 ? toggle : null),
    h(
      'p',
      { class: 'lead' },
      'Contestants of one experiment ran interleaved, in random order, over one link. Compare within an experiment only; bold marks a best that differs from all others. Intervals cover the median with 95 %.',
    ),
    bar,
    empty,
    parts,
  );
}
