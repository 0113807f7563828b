// SPDX-License-Identifier: BSD-2-Clause
// Where it all comes from: each record with its machine, its noise, its command, and the file itself.
import { anchorOf, announce, command, h } from './dom.js';
import { readRecords, textOf } from './model.js';
import { moment, plural } from './units.js';

function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = h('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function download(record, files) {
  const file = files.find((one) => one.id === record.id);
  if (!file) {
    return h('span', { class: 'note' }, 'The file itself is not in this report.');
  }
  return h(
    'button',
    {
      type: 'button',
      class: 'download',
      onclick: async () => {
        try {
          save(record.file, await textOf(file));
        } catch {
          announce('This browser cannot unpack the record');
        }
      },
    },
    'Download record',
  );
}

function environment(list) {
  return h(
    'details',
    {},
    h('summary', {}, 'Environment'),
    h(
      'table',
      { class: 'environment' },
      h('caption', { class: 'offscreen' }, 'Environment'),
      h(
        'tbody',
        {},
        list.map(({ name, value }) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, String(value)))),
      ),
    ),
  );
}

function entry(model, record, files) {
  const noise = record.noise ?? [];
  const warnings = record.warnings ?? [];
  return h(
    'article',
    { class: 'record', id: anchorOf('record', record.id) },
    h('h3', {}, record.headline || record.file),
    h(
      'p',
      { class: 'note' },
      [
        record.file,
        moment(record.created),
        record.machine,
        record.revision && `revision ${record.revision}`,
        record.suite && `suite ${record.suite.name}`,
        record.placement,
      ]
        .filter(Boolean)
        .join(' · '),
    ),
    record.noisy || noise.length > 0
      ? h(
          'div',
          { class: 'warning' },
          h('strong', {}, record.noisy ? 'Noisy machine' : 'Noise'),
          noise.length > 0
            ? h(
                'ul',
                {},
                noise.map((text) => h('li', {}, text)),
              )
            : null,
        )
      : h('p', { class: 'quiet' }, 'The machine was quiet enough, before, between and after the runs.'),
    warnings.length > 0
      ? h(
          'div',
          { class: 'warning' },
          h('strong', {}, plural(warnings.length, 'warning')),
          h(
            'ul',
            {},
            warnings.map((text) => h('li', {}, text)),
          ),
        )
      : null,
    record.command ? [h('h4', {}, 'Make it again'), command(record.command)] : null,
    record.command_line ? [h('h4', {}, 'It was made by'), command(record.command_line, 'command line')] : null,
    (record.environment ?? []).length > 0 ? environment(record.environment) : null,
    download(record, files),
  );
}

export async function recordsSection(model) {
  let files = [];
  let failure = null;
  try {
    files = await readRecords();
  } catch (error) {
    failure = h('p', { class: 'warning' }, `The records inside this file cannot be read: ${error.message}`);
  }
  const noisy = model.records.filter((record) => record.noisy).length;
  return h(
    'section',
    { id: 'records', 'aria-labelledby': 'records-title' },
    h('h2', { id: 'records-title' }, 'Records and the machine'),
    h(
      'p',
      { class: 'lead' },
      `${plural(model.records.length, 'record')}${noisy > 0 ? `, ${noisy} of them made while the machine was noisy, which is said with each` : ''}. Every figure above follows from them.`,
    ),
    failure,
    model.leftOut.length > 0
      ? h(
          'div',
          { class: 'warning' },
          h('strong', {}, 'Left out, since they could not be read'),
          h(
            'ul',
            {},
            model.leftOut.map((text) => h('li', {}, text)),
          ),
        )
      : null,
    model.records.map((record) => entry(model, record, files)),
  );
}
