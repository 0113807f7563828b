// SPDX-License-Identifier: BSD-2-Clause
// Legends are outside of the charts, so that the keyboard reaches them.
import { h } from '../dom.js';
import { swatch } from '../palette.js';

/// Contestants that can be taken out of a chart.
export function contestantLegend(contestants, hidden, redraw, line = true) {
  return h(
    'div',
    { class: 'keys', role: 'group', 'aria-label': 'Shown in this chart' },
    contestants.map((contestant) => {
      const button = h(
        'button',
        { type: 'button', class: 'key', 'aria-pressed': String(!hidden.has(contestant.label)), 'data-label': contestant.label },
        swatch(contestant, line),
        contestant.label,
      );
      button.addEventListener('click', () => {
        hidden[hidden.has(contestant.label) ? 'delete' : 'add'](contestant.label);
        const list = button.closest('.legend');
        redraw();
        // The legend was drawn anew; the focus stays where it was.
        [...list.querySelectorAll('button')].find((one) => one.dataset.label === contestant.label)?.focus();
      });
      return button;
    }),
  );
}

/// Parts of stacked bars: a colour each, a pattern for how it is known.
export function partLegend(parts, grades = []) {
  return h(
    'ul',
    { class: 'keys' },
    parts.map(({ title, index }) => h('li', {}, h('span', { class: 'box', style: { background: `var(--part-${index + 1})` } }), title)),
    grades.map((grade) => h('li', {}, h('span', { class: `box pattern ${grade}` }), grade)),
  );
}

export function choice(label, options, chosen, pick) {
  const select = h(
    'select',
    { 'aria-label': label, onchange: () => pick(select.value) },
    options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
  );
  return select;
}
