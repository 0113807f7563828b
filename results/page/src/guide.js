// SPDX-License-Identifier: BSD-2-Clause
// The few words that a reader needs, and the licences of what is inside.
import { h } from './dom.js';

const kWords = [
  ['Datapath', 'how payload moves from a file on one host into a file on the other. A pair “a+b” sends by a and receives by b.'],
  ['Goodput', 'payload over the time from the first request to the last byte that the receiver has verified.'],
  [
    'Interval',
    'covers the median with 95 %. Where two overlap there is no winner; the ratio of paired runs decides, and is said in a sentence.',
  ],
  [
    'Copy',
    'one CPU copy of a payload byte, by side and place. Counted: programs on the kernel’s copy routines added up the bytes. Traced: follows from observed system calls. Modelled: only declared.',
  ],
  ['Mode switch', 'between user and kernel, two per system call. Not a context switch, which is the scheduler’s.'],
  ['CPU', 'of the processes, and of the whole machine, since work in softirqs is billed to nobody.'],
  ['Percentile', 'a dash where fewer than ten samples lie beyond it.'],
  ['Link', 'what joins the two hosts. Figures of different links stand in different tables and charts, always.'],
];

export function guide() {
  return h(
    'details',
    { class: 'guide' },
    h('summary', {}, 'How to read this'),
    h(
      'dl',
      {},
      kWords.map(([word, meaning]) => [h('dt', {}, word), h('dd', {}, meaning)]),
    ),
  );
}

export function footer() {
  return h(
    'footer',
    {},
    h(
      'p',
      {},
      'Made by Waggle (BSD-2-Clause) from the records above; the same records give the same file. It asks nothing of any network. Charts are drawn by Apache ECharts.',
    ),
    h(
      'details',
      {},
      h('summary', {}, 'Licences of what is inside'),
      h('pre', { tabindex: '0', role: 'region', 'aria-label': 'Licences' }, document.getElementById('licences').textContent),
    ),
  );
}
