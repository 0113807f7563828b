// SPDX-License-Identifier: BSD-2-Clause
// How latencies are distributed: cumulatively, and by percentile on HdrHistogram's scale. From the merged buckets of all runs.
import { styleOf } from '../palette.js';
import { number, quantity, scaleOf } from '../units.js';
import { frame } from './frame.js';
import { choice, contestantLegend } from './legends.js';
import { base, card, tooltip, valueAxis, zoom } from './parts.js';

// Fewer say nothing about a distribution.
const kFewest = 20;

/// [latency, share of operations that took no longer], rising.
function cumulated(buckets) {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let below = 0;
  return buckets.map(([latency, count]) => {
    below += count;
    return [latency, below / total];
  });
}

function shareAt(curve, latency) {
  let share = 0;
  for (const [edge, upTo] of curve) {
    if (edge > latency) {
      break;
    }
    share = upTo;
  }
  return share;
}

function latencyAt(curve, share) {
  return (curve.find(([, upTo]) => upTo >= share) ?? curve[curve.length - 1])[0];
}

/// 0.999 → 3, HdrHistogram's scale.
const nines = (share) => -Math.log10(1 - share);
const ofNines = (value) => 1 - 10 ** -value;

function percent(share, more = 1) {
  const digits = more + Math.max(0, Math.ceil(nines(Math.min(share, 0.9999999)) - 2 - 1e-9));
  return `${(share * 100).toFixed(digits)} %`;
}

function percentTick(value) {
  return Number.isInteger(value) ? percent(ofNines(value), 0) : '';
}

function lines(rows, theme, step, points) {
  return rows.map((row) => {
    const style = styleOf(row.contestant, theme.dark);
    return {
      type: 'line',
      name: row.contestant.label,
      symbol: 'none',
      data: points(row),
      step,
      lineStyle: { color: style.color, width: 2, type: style.dash.length > 0 ? style.dash : 'solid' },
      itemStyle: { color: style.color },
    };
  });
}

/// The ends of a logarithmic axis are no round numbers.
function withoutEnds(axis, log) {
  return { ...axis, axisLabel: { ...axis.axisLabel, showMinLabel: !log, showMaxLabel: false } };
}

function cdf(rows, theme, log, unit) {
  const all = rows.flatMap((row) => row.curve.map(([latency]) => latency));
  return {
    xAxis: withoutEnds(
      valueAxis(theme, {
        name: `Latency [${unit.unit}]`,
        log,
        factor: unit.factor,
        min: log ? Math.max(1, Math.min(...all)) : 0,
        max: Math.max(...all),
      }),
      log,
    ),
    yAxis: valueAxis(theme, {
      name: 'Share of operations',
      vertical: true,
      min: 0,
      max: 1,
      format: (value) => `${number(value * 100)} %`,
    }),
    series: lines(rows, theme, 'end', (row) => [[row.curve[0][0], 0], ...row.curve]),
    rowsAt: (latency) => [
      `within ${quantity(latency, 'ns')}`,
      rows.map((row) => [row.contestant.label, percent(Math.min(shareAt(row.curve, latency), 0.99999))]),
    ],
  };
}

function percentiles(rows, theme, log, unit) {
  // A percentile beyond which fewer than ten samples lie is not shown.
  const most = (row) => nines(Math.max(0, 1 - 10 / row.count));
  return {
    xAxis: valueAxis(theme, { name: 'Percentile', min: 0, max: Math.max(1, ...rows.map(most)), format: percentTick, interval: 1 }),
    yAxis: valueAxis(theme, { name: `Latency [${unit.unit}]`, vertical: true, log, factor: unit.factor }),
    series: lines(rows, theme, 'start', (row) => {
      const inside = row.curve
        .filter(([, share]) => share < 1 && nines(share) <= most(row))
        .map(([latency, share]) => [nines(share), latency]);
      return [[0, row.curve[0][0]], ...inside];
    }),
    rowsAt: (value) => [
      `percentile ${percent(ofNines(value))}`,
      rows.map((row) => [
        row.contestant.label,
        value <= most(row) + 1e-9 ? quantity(latencyAt(row.curve, ofNines(value)), 'ns') : 'too few samples',
      ]),
    ],
  };
}

function option({ theme, log, hidden }, all, view) {
  const rows = all.filter((row) => !hidden.has(row.contestant.label));
  const values = rows.flatMap((row) => row.curve.map(([latency]) => latency));
  const unit = scaleOf(values.length > 0 ? values.sort((a, b) => a - b)[Math.floor(values.length / 2)] : 0, 'ns');
  if (rows.length === 0) {
    return { ...base(theme), xAxis: { show: false }, yAxis: { show: false }, series: [] };
  }
  const { rowsAt, ...drawn } = (view === 'cdf' ? cdf : percentiles)(rows, theme, log, unit);
  return {
    ...base(theme),
    ...drawn,
    grid: { left: 64, right: 22, top: 12, bottom: 46 },
    dataZoom: zoom({ x: 0 }),
    tooltip: tooltip(theme, {
      trigger: 'axis',
      axisPointer: { type: 'line', snap: false },
      formatter: (found) => card(...rowsAt(found[0].axisValue)),
    }),
  };
}

/// Both views of one operation's latencies, chosen by the reader; nothing where there are too few operations.
export function latencyChart(experiment, contestants) {
  const operations = [...new Set(contestants.flatMap((one) => Object.keys(one.latency)))].filter((operation) =>
    contestants.some((one) => one.latency[operation]?.count >= kFewest && one.latency[operation].buckets?.length > 0),
  );
  if (operations.length === 0) {
    return null;
  }
  const state = { operation: operations[0], view: 'cdf' };
  const rowsOf = () =>
    contestants
      .map((contestant) => ({ contestant, ...contestant.latency[state.operation] }))
      .filter((row) => row.count >= kFewest && row.buckets?.length > 0)
      .map((row) => ({ ...row, curve: cumulated(row.buckets) }));
  let rows = rowsOf();
  return frame({
    title: 'Latency',
    kind: 'latency',
    log: true,
    caption: experiment.caption,
    heading: () => `Latency of ${state.operation}`,
    note: 'From the histograms of all counted runs, merged.',
    controls: (redraw) => [
      operations.length > 1
        ? choice(
            'Operation',
            operations.map((one) => [one, one]),
            state.operation,
            (value) => {
              state.operation = value;
              rows = rowsOf();
              redraw();
            },
          )
        : null,
      choice(
        'View of latency',
        [
          ['cdf', 'Cumulative'],
          ['percentiles', 'Percentiles'],
        ],
        state.view,
        (value) => {
          state.view = value;
          redraw();
        },
      ),
    ],
    legend: ({ hidden }, redraw) =>
      contestantLegend(
        rows.map((row) => row.contestant),
        hidden,
        redraw,
      ),
    option: (ctx) => option(ctx, rows, state.view),
    summary: () =>
      rows.map((row) => `${row.contestant.label} median ${quantity(row.p50, 'ns')}, p99 ${quantity(row.p99, 'ns')}`).join('; '),
    data: () => ({
      head: ['Datapath', 'Count', 'p50', 'p90', 'p99', 'p99.9', 'Max'],
      rows: rows.map((row) => [
        row.contestant.label,
        number(row.count),
        ...[row.p50, row.p90, row.p99, row.p999, row.max].map((value) => quantity(value, 'ns')),
      ]),
    }),
  });
}
