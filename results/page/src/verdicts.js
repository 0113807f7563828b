// SPDX-License-Identifier: BSD-2-Clause
// A row per claim: what the documents say, what was measured, and whether it holds; the evidence opens below it.
import { announce, command, h, jump, replace, uniqueId } from './dom.js';
import { sortableTable } from './table.js';
import { estimate, plural } from './units.js';

const kVerdicts = ['holds', 'does not hold', 'not shown', 'cannot run here', 'waits'];
const kMeaning = {
  holds: 'the whole interval satisfies the rule',
  'does not hold': 'the whole interval violates the rule',
  'not shown': 'too few runs or too much noise to tell',
  'cannot run here': 'this machine lacks something',
  waits: 'a part is not built yet',
};

export function badge(verdict) {
  return h('span', { class: `verdict ${verdict.replaceAll(' ', '-')}` }, verdict);
}

/// Where a rule's figures come from; of one that compares points of a sweep, both.
function evidenceOf(model, rule) {
  const found = [...new Set([rule.experiment, rule.than_experiment])].map((id) => model.experimentById.get(id)).filter(Boolean);
  return found.length === 0
    ? '–'
    : found.map((experiment) => {
        const record = model.recordById.get(experiment.record);
        return h(
          'div',
          {},
          jump('experiment', experiment.id, experiment.title),
          ' · ',
          record ? jump('record', record.id, record.file) : null,
        );
      });
}

/// What was measured, and how sure that is.
function measuredText(rule) {
  return [rule.ours || estimate(rule, rule.unit ?? ''), rule.why ? h('div', { class: 'note' }, rule.why) : null];
}

function evidence(model, verdict) {
  const rules =
    verdict.rules.length === 0
      ? null
      : h(
          'div',
          { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': `Rules of ${verdict.claim}` },
          h(
            'table',
            { class: 'rules stacks' },
            h('caption', { class: 'offscreen' }, `Rules of ${verdict.claim}`),
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                ['What we say', 'Rule', 'Measured', 'Outcome', 'Experiment · record'].map((text) => h('th', { scope: 'col' }, text)),
              ),
            ),
            h(
              'tbody',
              {},
              verdict.rules.map((rule) =>
                h(
                  'tr',
                  {},
                  h('td', { 'data-title': 'What we say' }, rule.says),
                  h('td', { 'data-title': 'Rule' }, rule.rule),
                  h('td', { 'data-title': 'Measured' }, measuredText(rule)),
                  h('td', { 'data-title': 'Outcome' }, badge(rule.outcome)),
                  h('td', { 'data-title': 'Experiment · record' }, evidenceOf(model, rule)),
                ),
              ),
            ),
          ),
        );
  const used = [...new Set(verdict.rules.map((rule) => model.experimentById.get(rule.experiment)?.record).filter(Boolean))];
  return [
    verdict.why ? h('p', {}, verdict.why) : null,
    verdict.doubt ? h('p', {}, h('strong', {}, 'Doubtful: '), verdict.doubt) : null,
    verdict.waits_for ? h('p', {}, h('strong', {}, 'Waits for: '), verdict.waits_for) : null,
    verdict.where ? h('p', {}, h('strong', {}, 'Can run: '), verdict.where) : null,
    verdict.nearest ? h('p', {}, h('strong', {}, 'Nearest thing that runs: '), verdict.nearest) : null,
    rules,
    used
      .map((id) => model.recordById.get(id))
      .filter((record) => record?.command)
      .map((record) => h('div', { class: 'again' }, h('span', {}, 'Measure it again: '), command(record.command))),
  ];
}

/// The button that opens the evidence, and the row that it opens; made once, so that it stays open when sorted.
function opened(model, verdict, width) {
  const id = uniqueId('evidence');
  const cell = h('td', { colspan: width });
  const row = h('tr', { id, class: 'evidence', hidden: true }, cell);
  const button = h(
    'button',
    {
      type: 'button',
      class: 'disclose',
      'aria-expanded': 'false',
      'aria-controls': id,
      'aria-label': `Evidence for ${verdict.claim}`,
      onclick: () => toggle(button.getAttribute('aria-expanded') !== 'true'),
    },
    'Evidence',
  );
  function toggle(open) {
    button.setAttribute('aria-expanded', String(open));
    row.hidden = !open;
    if (open && cell.childNodes.length === 0) {
      replace(cell, evidence(model, verdict));
    }
  }
  return { button, row };
}

function columns(parts) {
  return [
    { key: 'claim', title: 'Id', head: true, value: (one) => one.position, cell: (one) => one.claim, className: 'id' },
    {
      key: 'text',
      title: 'The documents say',
      value: (one) => one.text,
      cell: (one) => [one.text, one.source ? h('span', { class: 'source' }, ` [${one.source}]`) : null],
      className: 'statement',
    },
    { key: 'theirs', title: 'Theirs', plain: true, cell: (one) => one.theirs || '–' },
    { key: 'ours', title: 'Ours', plain: true, cell: (one) => one.ours || '–' },
    {
      key: 'verdict',
      title: 'Verdict',
      value: (one) => kVerdicts.indexOf(one.verdict),
      cell: (one) => [badge(one.verdict), parts.get(one).button],
    },
  ];
}

export function verdictsSection(model) {
  const section = h('section', { id: 'verdicts', 'aria-labelledby': 'verdicts-title' }, h('h2', { id: 'verdicts-title' }, 'Verdicts'));
  if (model.verdicts.length === 0) {
    section.append(h('p', { class: 'none' }, 'These records speak to no claim: they belong to no suite that names one.'));
    return section;
  }
  const rows = model.verdicts.map((verdict, position) => ({ ...verdict, position }));
  const parts = new Map(rows.map((row) => [row, opened(model, row, 5)]));
  const table = sortableTable({
    label: 'Verdicts',
    className: 'verdicts stacks',
    columns: columns(parts),
    rows,
    after: (row) => parts.get(row).row,
    bands: { key: 'claim', of: (row) => row.group },
    rowAttributes: (row) => ({ 'data-claim': row.claim }),
  });

  const chosen = new Set();
  const chips = kVerdicts
    .filter((name) => rows.some((row) => row.verdict === name))
    .map((name) => {
      const count = rows.filter((row) => row.verdict === name).length;
      const chip = h(
        'button',
        { type: 'button', class: `chip ${name.replaceAll(' ', '-')}`, 'aria-pressed': 'false', title: kMeaning[name] },
        h('strong', {}, String(count)),
        ` ${name}`,
      );
      chip.addEventListener('click', () => {
        const on = chip.getAttribute('aria-pressed') !== 'true';
        chip.setAttribute('aria-pressed', String(on));
        chosen[on ? 'add' : 'delete'](name);
        const left = rows.filter((row) => chosen.size === 0 || chosen.has(row.verdict));
        table.show(left);
        announce(`${plural(left.length, 'claim')} shown`);
      });
      return chip;
    });
  section.append(
    h(
      'p',
      { class: 'lead' },
      `${plural(rows.length, 'claim')} of the documents, each with the rule that decides it, our figures and the records they come from.`,
    ),
    h('div', { class: 'chips', role: 'group', 'aria-label': 'Show only verdicts that' }, chips),
    table.element,
  );
  return section;
}
