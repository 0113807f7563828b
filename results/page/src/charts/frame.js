// SPDX-License-Identifier: BSD-2-Clause
// What surrounds a chart: title, buttons, keyboard, the same data as a table, and the link, machine and n below.
import { announce, h, replace, uniqueId } from '../dom.js';
import { init } from './library.js';
import { colors, isPrinting, onTheme } from './theme.js';

// Charts exist while they are near the window only: a report has hundreds.
const watched = new Map();
const observer = new IntersectionObserver((entries) => entries.forEach((entry) => watched.get(entry.target)?.(entry.isIntersecting)), {
  rootMargin: '600px',
});
const resized = new ResizeObserver((entries) => entries.forEach((entry) => entry.target.fit?.()));

/// The charts that exist, for tests and for whoever looks from the console: element → chart.
export const charts = new Map();

function zoomed(chart, factor) {
  (chart.getOption().dataZoom ?? []).forEach((zoom, index) => {
    const middle = (zoom.start + zoom.end) / 2;
    const half = Math.min(50, ((zoom.end - zoom.start) / 2) * factor);
    const start = Math.max(0, Math.min(100 - 2 * half, middle - half));
    chart.dispatchAction({ type: 'dataZoom', dataZoomIndex: index, start, end: start + 2 * half });
  });
}

function unzoomed(chart) {
  (chart.getOption().dataZoom ?? []).forEach((_, index) =>
    chart.dispatchAction({ type: 'dataZoom', dataZoomIndex: index, start: 0, end: 100 }),
  );
}

/// The values that arrow keys walk through: [series][point].
function walk(chart, at, step) {
  const walkable = chart
    .getOption()
    .series.map((series, index) => ({ index, size: series.silent ? 0 : (series.data ?? []).length }))
    .filter((one) => one.size > 0);
  if (walkable.length === 0) {
    return null;
  }
  const row = (at ? at.row + step.row + walkable.length : 0) % walkable.length;
  const size = walkable[row].size;
  const point = Math.max(0, Math.min(size - 1, at ? at.point + step.point * Math.max(1, Math.round(size / 60)) : 0));
  return { row, point, seriesIndex: walkable[row].index };
}

function button(text, label, onclick) {
  return h('button', { type: 'button', class: 'small', 'aria-label': label, title: label, onclick }, text);
}

function dataTable({ head, rows }, label) {
  return h(
    'div',
    { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': `${label}: data` },
    h(
      'table',
      { class: 'data' },
      h('caption', { class: 'offscreen' }, `${label}: data`),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          head.map((text, i) => h('th', { scope: 'col', class: i > 0 ? 'number' : null }, text)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row) =>
          h(
            'tr',
            {},
            row.map((text, i) => (i === 0 ? h('th', { scope: 'row' }, text) : h('td', { class: 'number' }, text))),
          ),
        ),
      ),
    ),
  );
}

/// spec: { title, kind, height(ctx), option(ctx), summary(), data(), legend(ctx, redraw), controls(redraw), log: null or whether it starts so, caption, note }.
export function frame(spec) {
  const label = spec.title;
  const help = uniqueId('help');
  const state = { log: spec.log ?? false, hidden: new Set() };
  let chart = null;
  let near = false;
  let at = null;
  let ratio = 0;

  const canvas = h('div', {
    class: 'canvas',
    tabindex: '0',
    role: 'application',
    'aria-roledescription': 'chart',
    'aria-describedby': help,
  });
  const legend = h('div', { class: 'legend' });
  const logButton =
    spec.log === undefined || spec.log === null
      ? null
      : h('button', { type: 'button', class: 'small log', 'aria-pressed': String(state.log), onclick: () => toggleLog() }, 'Log');
  const heading = h('h4', {}, label);
  const details = h('details', { class: 'as-table' }, h('summary', {}, 'The same as a table'));
  details.addEventListener('toggle', () => {
    if (details.open) {
      fillTable();
    }
  });
  const figure = h(
    'figure',
    { class: 'chart', 'data-kind': spec.kind },
    h(
      'div',
      { class: 'chart-head' },
      heading,
      h(
        'div',
        { class: 'tools', role: 'group', 'aria-label': `${label}: view` },
        spec.controls ? spec.controls(() => refresh()) : null,
        logButton,
        spec.zoom === false
          ? null
          : [
              button('−', `Zoom out: ${label}`, () => chart && zoomed(chart, 2)),
              button('+', `Zoom in: ${label}`, () => chart && zoomed(chart, 0.5)),
              button('⟲', `Whole range: ${label}`, () => chart && unzoomed(chart)),
            ],
      ),
    ),
    legend,
    canvas,
    h(
      'p',
      { id: help, class: 'offscreen' },
      'Arrow keys walk through the values, plus and minus zoom, 0 shows all, L toggles the logarithmic axis, Escape hides the card.',
    ),
    h('figcaption', {}, spec.note ? h('span', { class: 'note' }, spec.note, ' ') : null, spec.caption),
    details,
  );

  function context() {
    return { theme: colors(), log: state.log, hidden: state.hidden, width: canvas.clientWidth };
  }
  function fillTable() {
    details.querySelector('.scroll')?.remove();
    details.append(dataTable(spec.data(), label));
  }
  function draw() {
    if (!(near || isPrinting()) || canvas.clientWidth === 0) {
      return;
    }
    const ctx = context();
    canvas.style.height = `${spec.height ? spec.height(ctx) : 300}px`;
    const wanted = isPrinting() ? (watched.size > 80 ? 1 : 2) : window.devicePixelRatio || 1;
    if (chart && ratio !== wanted) {
      drop();
    }
    ratio = wanted;
    chart ??= init(canvas, null, { renderer: 'canvas', devicePixelRatio: wanted });
    charts.set(canvas, chart);
    chart.resize();
    chart.setOption(spec.option(ctx), { notMerge: true });
  }
  function drop() {
    chart?.dispose();
    charts.delete(canvas);
    chart = null;
    at = null;
  }
  function refresh() {
    heading.textContent = spec.heading ? spec.heading() : label;
    canvas.setAttribute('aria-label', `${heading.textContent}. ${spec.summary()}`);
    replace(legend, spec.legend ? spec.legend({ hidden: state.hidden }, () => refresh()) : null);
    draw();
    if (details.open) {
      fillTable();
    }
  }
  function toggleLog() {
    state.log = !state.log;
    logButton.setAttribute('aria-pressed', String(state.log));
    draw();
    announce(`${label}: ${state.log ? 'logarithmic' : 'linear'} axis`);
  }
  const steps = {
    ArrowRight: { row: 0, point: 1 },
    ArrowLeft: { row: 0, point: -1 },
    ArrowDown: { row: 1, point: 0 },
    ArrowUp: { row: -1, point: 0 },
  };
  canvas.addEventListener('keydown', (event) => {
    if (!chart || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    // In lying bars the contestants stand below each other: up and down are what walks.
    const lying = spec.lying
      ? { ArrowDown: steps.ArrowRight, ArrowUp: steps.ArrowLeft, ArrowRight: steps.ArrowRight, ArrowLeft: steps.ArrowLeft }
      : steps;
    if (lying[event.key]) {
      at = walk(chart, at, lying[event.key]);
      if (at) {
        chart.dispatchAction({ type: 'showTip', seriesIndex: at.seriesIndex, dataIndex: at.point });
        announce(
          [...canvas.querySelectorAll('.card')]
            .map((card) => [...card.querySelectorAll('.card-title, tr')].map((part) => part.textContent).join(', '))
            .join('. '),
        );
      }
    } else if (event.key === '+' || event.key === '=') {
      zoomed(chart, 0.5);
    } else if (event.key === '-') {
      zoomed(chart, 2);
    } else if (event.key === '0') {
      unzoomed(chart);
    } else if (event.key.toLowerCase() === 'l' && logButton) {
      toggleLog();
    } else if (event.key === 'Escape') {
      chart.dispatchAction({ type: 'hideTip' });
      at = null;
    } else {
      return;
    }
    event.preventDefault();
  });
  // Before whoever watches the window has said that it is near.
  canvas.addEventListener('focus', () => {
    if (!chart) {
      near = true;
      draw();
    }
  });
  canvas.addEventListener('blur', () => chart?.dispatchAction({ type: 'hideTip' }));

  canvas.fit = () => {
    if (chart && (Math.abs(chart.getWidth() - canvas.clientWidth) > 1 || ratio !== (window.devicePixelRatio || 1))) {
      draw();
    }
  };
  const stop = onTheme(() => {
    if (!figure.isConnected) {
      release();
    } else if (near || isPrinting()) {
      draw(); // paper shows all that is open, near the window or not
    } else {
      drop();
    }
  });
  watched.set(canvas, (visible) => {
    if (!figure.isConnected) {
      release();
      return;
    }
    near = visible;
    if (visible) {
      draw();
    } else if (!isPrinting()) {
      drop();
    }
  });
  function release() {
    drop();
    stop();
    observer.unobserve(canvas);
    resized.unobserve(canvas);
    watched.delete(canvas);
  }
  observer.observe(canvas);
  resized.observe(canvas);
  canvas.style.height = `${spec.height ? spec.height({ width: 600 }) : 300}px`;
  refresh();
  return figure;
}
