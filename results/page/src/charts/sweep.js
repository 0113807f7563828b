// SPDX-License-Identifier: BSD-2-Clause
// A figure against what was swept, over one link: a line per contestant, with intervals.
import { figureOf, figuresOf } from '../model.js';
import { keyOf, titleOf, unitOf } from '../names.js';
import { styleOf } from '../palette.js';
import { estimate, quantity, scaleOf, tick, titled } from '../units.js';
import { frame } from './frame.js';
import { choice, contestantLegend } from './legends.js';
import { base, card, tooltip, valueAxis, whiskers, zoom } from './parts.js';

const kOffered = [
  'goodput',
  'operations',
  'latency.p50',
  'latency.p99',
  'cpu.machine_per_gib',
  'cpu.per_gib',
  'cpu.per_operation',
  'cpu.share',
  'copies',
  'mode_switches_per_mib',
  'mode_switches_per_operation',
  'retransmissions',
  'memory',
];

/// The figures that a reader may choose: those with a value at two points or more, of all parties where that exists.
function offered(points) {
  const all = figuresOf(points.flatMap((point) => point.contestants));
  return kOffered.flatMap((name) => {
    const same = all.filter((figure) => figure.name === name);
    const whole = same.filter((figure) => !figure.party && !figure.place);
    return whole.length > 0 ? whole : same;
  });
}

function styledLine(style) {
  return { color: style.color, width: 2, type: style.dash.length > 0 ? style.dash : 'solid' };
}

/// points: [{ x, label, contestants }], in the order of x.
export function sweepChart(sweep, metric, points) {
  const figures = offered(points);
  if (figures.length === 0) {
    return null;
  }
  const state = { figure: figures.find((figure) => figure.name === metric?.name) ?? figures[0] };
  const labels = [...new Map(points.flatMap((point) => point.contestants).map((one) => [one.label, one])).values()];
  const numeric = points.every((point) => typeof point.x === 'number');
  const place = (point, i) => (numeric ? point.x : i);
  const valueAt = (point, label) => {
    const contestant = point.contestants.find((one) => one.label === label);
    const found = contestant && figureOf(contestant, state.figure.name, state.figure);
    return found && found.value !== null && found.value !== undefined ? found : null;
  };
  const unit = () => unitOf(state.figure);
  const scale = () =>
    scaleOf(Math.max(0, ...points.flatMap((point) => labels.map((one) => valueAt(point, one.label)?.value ?? 0))), unit());
  const title = () => titleOf(state.figure);
  const log = numeric && sweep.x?.log && points.every((point) => point.x > 0);

  function xAxis(theme, width) {
    const textOf = (value) => points.find((point, i) => Math.abs(place(point, i) - value) <= Math.abs(value) * 1e-6)?.label;
    if (!numeric) {
      return {
        ...valueAxis(theme, {
          name: sweep.x?.name,
          min: -0.3,
          max: points.length - 0.7,
          interval: 1,
          format: (value) => textOf(value) ?? '',
        }),
        splitLine: { show: false },
      };
    }
    const [least, most] = [Math.min(...points.map((point) => point.x)), Math.max(...points.map((point) => point.x))];
    const axis = valueAxis(theme, {
      name: sweep.x?.name,
      log,
      base: log ? 2 : 10,
      zero: false,
      min: log ? least / 1.25 : undefined,
      max: log ? most * 1.25 : undefined,
      format: (value) => textOf(value) ?? (log ? '' : tick(value)),
    });
    // The points themselves are the ticks: nothing was measured between them.
    axis.axisLabel = { ...axis.axisLabel, customValues: points.map((point) => point.x), rotate: width < 460 && points.length > 4 ? 35 : 0 };
    axis.splitLine = { show: false };
    axis.nameGap = width < 460 && points.length > 4 ? 44 : 26;
    return axis;
  }
  function option({ theme, log: logY, hidden, width }) {
    const scaled = scale();
    const shown = labels.filter((one) => !hidden.has(one.label));
    return {
      ...base(theme),
      grid: { left: 64, right: 26, top: 12, bottom: width < 460 ? 64 : 46 },
      dataZoom: zoom({ x: 0, y: 0 }),
      xAxis: xAxis(theme, width),
      yAxis: valueAxis(theme, { name: titled(titleOf(state.figure), scaled.unit), vertical: true, log: logY, factor: scaled.factor }),
      tooltip: tooltip(theme, {
        trigger: 'axis',
        axisPointer: { type: 'line', snap: true },
        formatter: (found) => {
          const point = points.find((one, i) => place(one, i) === found[0].value[0]);
          return card(
            `${sweep.x?.name ?? ''} ${point.label}`,
            shown
              .map((one) => [one.label, valueAt(point, one.label)])
              .sort((a, b) => (b[1]?.value ?? -1) - (a[1]?.value ?? -1))
              .map(([label, value]) => [label, value ? estimate(value, unit()) : 'not measured']),
          );
        },
      }),
      series: [
        ...shown.map((one) => {
          const style = styleOf(one, theme.dark);
          return {
            type: 'line',
            name: one.label,
            symbol: style.symbol,
            symbolSize: 9,
            symbolKeepAspect: true,
            lineStyle: styledLine(style),
            itemStyle: { color: style.color },
            connectNulls: false,
            z: 4,
            data: points.map((point, i) => {
              const value = valueAt(point, one.label)?.value;
              return [place(point, i), value === undefined || (logY && value <= 0) ? null : value];
            }),
          };
        }),
        ...shown.map((one) =>
          whiskers(
            points
              .map((point, i) => {
                const value = valueAt(point, one.label);
                return [place(point, i), value?.low ?? NaN, value?.high ?? NaN, NaN];
              })
              .filter(([, low]) => Number.isFinite(low) && (!logY || low > 0)),
            styleOf(one, theme.dark).color,
            { lying: false, tickSize: 6, middle: false },
          ),
        ),
      ],
    };
  }
  return frame({
    title: sweep.title,
    kind: 'sweep',
    log: false,
    caption: sweep.caption,
    note: 'Whiskers: intervals.',
    heading: title,
    option,
    height: () => 340,
    controls: (redraw) =>
      figures.length > 1
        ? choice(
            'Figure',
            figures.map((figure) => [keyOf(figure), titleOf(figure)]),
            keyOf(state.figure),
            (key) => {
              state.figure = figures.find((figure) => keyOf(figure) === key);
              redraw();
            },
          )
        : null,
    legend: ({ hidden }, redraw) => contestantLegend(labels, hidden, redraw),
    summary: () =>
      labels
        .map((one) => {
          const known = points.map((point) => [point, valueAt(point, one.label)]).filter(([, value]) => value);
          return known.length === 0
            ? `${one.label} not measured`
            : `${one.label} from ${quantity(known[0][1].value, unit())} at ${known[0][0].label} to ${quantity(known[known.length - 1][1].value, unit())} at ${known[known.length - 1][0].label}`;
        })
        .join('; '),
    data: () => ({
      head: [sweep.x?.name ?? '', ...labels.map((one) => one.label)],
      rows: points.map((point) => [
        point.label,
        ...labels.map((one) => {
          const value = valueAt(point, one.label);
          return value ? estimate(value, unit()) : '–';
        }),
      ]),
    }),
  });
}
