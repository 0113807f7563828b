// SPDX-License-Identifier: BSD-2-Clause
// Pieces that several charts have: axes, intervals, the card that a hover shows.
import { h } from '../dom.js';
import { tick } from '../units.js';

export function base(theme) {
  return { animation: false, backgroundColor: 'transparent', textStyle: { fontFamily: theme.font, color: theme.text } };
}

/// Room for labels of an axis of categories.
export function roomFor(labels, width) {
  const longest = Math.max(...labels.map((label) => label.length), 4);
  return Math.min(longest * 7 + 14, Math.max(80, width * 0.32));
}

export function valueAxis(
  theme,
  { name, log = false, factor = 1, min, max, format, base: logBase = 10, vertical = false, zero = true, minInterval, interval },
) {
  return {
    type: log ? 'log' : 'value',
    logBase,
    name,
    nameLocation: 'middle',
    nameGap: vertical ? 46 : 26,
    min: min ?? (log || !zero ? undefined : 0),
    max,
    minInterval,
    interval,
    scale: !zero,
    nameTextStyle: { color: theme.muted, fontSize: 12 },
    axisLine: { show: !vertical, lineStyle: { color: theme.line } },
    axisTick: { show: false },
    axisLabel: { color: theme.muted, fontSize: 11.5, hideOverlap: true, formatter: format ?? ((value) => tick(value / factor)) },
    splitLine: { lineStyle: { color: theme.grid } },
    axisPointer: { lineStyle: { color: theme.muted }, label: { show: false } },
  };
}

export function categoryAxis(theme, labels, width) {
  return {
    type: 'category',
    inverse: true,
    data: labels,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: theme.line } },
    axisLabel: { color: theme.text, fontSize: 12, interval: 0, width: roomFor(labels, width) - 12, overflow: 'truncate' },
    axisPointer: { label: { show: false } },
  };
}

/// Intervals as whiskers. Data: [place, low, high, middle]; along x for lying bars, along y otherwise.
export function whiskers(data, color, { lying = true, tickSize = 9, middle = true } = {}) {
  const at = (api, place, value) => api.coord(lying ? [value, place] : [place, value]);
  const line = ([x1, y1], [x2, y2], width, style) => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: { stroke: style, lineWidth: width },
  });
  const across = ([x, y], size) =>
    lying
      ? [
          [x, y - size],
          [x, y + size],
        ]
      : [
          [x - size, y],
          [x + size, y],
        ];
  return {
    type: 'custom',
    silent: true,
    z: 5,
    clip: true,
    data,
    encode: lying ? { x: [1, 2, 3], y: 0 } : { x: 0, y: [1, 2, 3] },
    tooltip: { show: false },
    renderItem: (params, api) => {
      const [place, low, high, value] = [0, 1, 2, 3].map((i) => api.value(i));
      const style = typeof color === 'function' ? color(params.dataIndex) : color;
      const children = [];
      if (Number.isFinite(low) && Number.isFinite(high)) {
        const [from, to] = [at(api, place, low), at(api, place, high)];
        children.push(
          line(from, to, 1.5, style),
          line(...across(from, tickSize / 2), 1.5, style),
          line(...across(to, tickSize / 2), 1.5, style),
        );
      }
      if (middle && Number.isFinite(value)) {
        children.push(line(...across(at(api, place, value), tickSize), 2.5, style));
      }
      return { type: 'group', children };
    },
  };
}

export function tooltip(theme, more) {
  return {
    confine: true,
    transitionDuration: 0,
    backgroundColor: theme.surface,
    borderColor: theme.line,
    borderWidth: 1,
    padding: [8, 10],
    textStyle: { color: theme.text, fontSize: 13, fontFamily: theme.font },
    className: 'tip',
    extraCssText: 'box-shadow: 0 2px 8px rgb(0 0 0 / .18); border-radius: 4px; max-width: 22rem; white-space: normal;',
    ...more,
  };
}

/// The card of a hover: a title, and rows of name and value.
export function card(title, rows, note = null) {
  return h(
    'div',
    { class: 'card' },
    h('div', { class: 'card-title' }, title),
    rows.length > 0
      ? h(
          'table',
          {},
          h(
            'tbody',
            {},
            rows.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, value))),
          ),
        )
      : null,
    note ? h('div', { class: 'note' }, note) : null,
  );
}

/// Zooming with Ctrl and the wheel or two fingers, moving with the mouse; the buttons of the frame do the same.
export function zoom(axes) {
  return Object.entries(axes).map(([axis, index]) => ({
    type: 'inside',
    [`${axis}AxisIndex`]: index,
    filterMode: 'none',
    zoomOnMouseWheel: 'ctrl',
    moveOnMouseMove: true,
    moveOnMouseWheel: false,
    preventDefaultMouseMove: false,
  }));
}
