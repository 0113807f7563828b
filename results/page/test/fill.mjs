// SPDX-License-Identifier: BSD-2-Clause
// Puts a model and records into the template, as the command `harness report` does: the text that a reader gets.
import { gzipSync } from 'node:zlib';

/// JSON that no element of HTML ends: every `<` is escaped, which JSON allows within texts, the only place where it occurs.
export function safe(value) {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

export function packed(value) {
  return JSON.stringify({ gzip: gzipSync(JSON.stringify(value)).toString('base64') });
}

/// records: [{ id, file, text }] or [{ id, file, gzip }].
export function filled(template, model, records, { compress = false } = {}) {
  return template
    .replace('@@WAGGLE_MODEL@@', () => (compress ? packed(model) : safe(model)))
    .replace('@@WAGGLE_RECORDS@@', () => safe(records));
}
