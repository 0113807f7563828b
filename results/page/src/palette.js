// SPDX-License-Identifier: BSD-2-Clause
// One colour, marker and line per datapath, from the table that the plots read too.
import table from '../../plots/palette.json';
import { datapathOf } from './model.js';
import { h, svg } from './dom.js';

/// A regular polygon, or a star, in a box of 10 by 10.
function polygon(corners, { inner = 1, turned = 0, width = 1 } = {}) {
  const count = inner < 1 ? corners * 2 : corners;
  const points = Array.from({ length: count }, (_, i) => {
    const angle = (i / count + turned) * 2 * Math.PI;
    const radius = 5 * (i % 2 === 1 ? inner : 1);
    return `${(5 + radius * width * Math.sin(angle)).toFixed(2)},${(5 - radius * Math.cos(angle)).toFixed(2)}`;
  });
  return `M${points.join('L')}Z`;
}

const kMarkers = {
  circle: 'M10,5A5,5,0,1,1,0,5A5,5,0,1,1,10,5Z',
  square: 'M0.6,0.6H9.4V9.4H0.6Z',
  'triangle up': 'M5,0.5L10,9.5H0Z',
  'triangle down': 'M0,0.5H10L5,9.5Z',
  'triangle left': 'M9.5,0V10L0.5,5Z',
  'triangle right': 'M0.5,0L9.5,5L0.5,10Z',
  diamond: polygon(4),
  'thin diamond': polygon(4, { width: 0.62 }),
  plus: 'M3.4,0H6.6V3.4H10V6.6H6.6V10H3.4V6.6H0V3.4H3.4Z',
  cross: 'M2,0L5,3L8,0L10,2L7,5L10,8L8,10L5,7L2,10L0,8L3,5L0,2Z',
  star: polygon(5, { inner: 0.42 }),
  pentagon: polygon(5),
  hexagon: polygon(6),
  'hexagon turned': polygon(6, { turned: 1 / 12 }),
  octagon: polygon(8, { turned: 1 / 16 }),
};
const kLines = { solid: [], dashed: [7, 3], dotted: [2, 2], 'dash dot': [8, 3, 2, 3] };

let strangers = [];

/// Names that the table lacks take the rest of the palette in the order of the report.
export function learn(names) {
  strangers = names.filter((name) => !Object.hasOwn(table.datapaths, name));
}

function entry(name) {
  return Object.hasOwn(table.datapaths, name)
    ? table.datapaths[name]
    : table.others[Math.max(0, strangers.indexOf(name)) % table.others.length];
}

/// Colour of the sender; of a pair, marker and line of the receiver.
export function styleOf(contestant, dark) {
  const sender = entry(datapathOf(contestant));
  const paired = String(contestant.label).includes('+') && contestant.receiver;
  const shape = paired ? entry(contestant.receiver) : sender;
  return {
    color: dark ? sender.dark : sender.light,
    shape: kMarkers[shape.marker] ?? kMarkers.circle,
    symbol: `path://${kMarkers[shape.marker] ?? kMarkers.circle}`,
    dash: kLines[shape.line] ?? [],
  };
}

/// Marker on a piece of line, as in the charts; CSS chooses the colour of the theme.
export function swatch(contestant, line = false) {
  const { shape, dash, color } = styleOf(contestant, false);
  const width = line ? 28 : 12;
  const stroke = line
    ? svg('line', {
        x1: 0,
        y1: 6,
        x2: width,
        y2: 6,
        stroke: 'currentColor',
        'stroke-width': 2,
        'stroke-dasharray': dash.join(' ') || 'none',
      })
    : null;
  const marker = svg('path', { d: shape, transform: `translate(${(width - 10) / 2} 1)`, fill: 'currentColor' });
  const picture = svg('svg', { viewBox: `0 0 ${width} 12`, width, height: 12, 'aria-hidden': 'true' }, ...[stroke, marker].filter(Boolean));
  return h('span', { class: 'swatch', style: { '--light': color, '--dark': styleOf(contestant, true).color } }, picture);
}

/// The label with its swatch.
export function named(contestant) {
  return h('span', { class: 'named' }, swatch(contestant), h('span', {}, contestant.label));
}
