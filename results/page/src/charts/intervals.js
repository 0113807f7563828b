// SPDX-License-Identifier: BSD-2-Clause
// One figure by datapath: the median with its interval, and every run as a dot.
import { figureOf } from '../model.js';
import { titleOf, unitOf } from '../names.js';
import { styleOf } from '../palette.js';
import { covering, estimate, interval, number, quantity, scaleOf, titled, withUnit } from '../units.js';
import { frame } from './frame.js';
import { base, card, categoryAxis, roomFor, tooltip, valueAxis, whiskers, zoom } from './parts.js';

/// Runs from first (above) to last (below) within the band of their datapath.
function dots(rows, band, log) {
  return rows.flatMap(({ contestant, runs, style }, place) =>
    runs
      .filter((run) => !log || run.value > 0)
      .map((run, i) => ({
        value: [run.value, place, i],
        symbolOffset: [0, runs.length < 2 ? 0 : (i / (runs.length - 1) - 0.5) * band * 0.56],
        itemStyle: { color: style.color },
        name: contestant.label,
      })),
  );
}

function runsText(runs, unit) {
  const scale = scaleOf(Math.max(...runs.map((run) => run.value)), unit);
  const shown = runs
    .slice(0, 24)
    .map((run) => number(run.value / scale.factor, scale.unit))
    .join(', ');
  return withUnit(shown, scale.unit) + (runs.length > 24 ? ` and ${runs.length - 24} more` : '');
}

function option(rows, figure, ctx) {
  const { theme, log, width } = ctx;
  const unit = unitOf(figure);
  const values = rows.flatMap(({ estimated, runs }) => [estimated.value, estimated.high ?? 0, ...runs.map((run) => run.value)]);
  const scale = scaleOf(Math.max(...values), unit);
  const labels = rows.map(({ contestant }) => contestant.label);
  const styled = rows.map((row) => ({ ...row, style: styleOf(row.contestant, theme.dark) }));
  const band = 34;
  const medians = log
    ? {
        type: 'scatter',
        symbolSize: 12,
        symbolKeepAspect: true,
        itemStyle: { opacity: 1 },
        z: 4,
        data: styled.map(({ estimated, style }, i) => ({
          value: [estimated.value > 0 ? estimated.value : NaN, i],
          symbol: style.symbol,
          itemStyle: { color: style.color },
        })),
      }
    : {
        type: 'bar',
        barWidth: '64%',
        data: styled.map(({ estimated, style }) => ({
          value: estimated.value,
          itemStyle: { color: style.color, opacity: theme.dark ? 0.42 : 0.3, decal: 'none' },
        })),
      };
  return {
    ...base(theme),
    grid: { left: roomFor(labels, width), right: 22, top: 6, bottom: 44 },
    yAxis: categoryAxis(theme, labels, width),
    xAxis: valueAxis(theme, { name: titled(titleOf(figure), scale.unit), log, factor: scale.factor }),
    dataZoom: zoom({ x: 0 }),
    tooltip: tooltip(theme, {
      trigger: 'axis',
      axisPointer: { type: 'shadow', shadowStyle: { color: theme.grid, opacity: 0.5 } },
      formatter: (found) => {
        const { contestant, estimated, runs } = rows[labels.indexOf(found[0].axisValue)];
        const scaled = scaleOf(estimated.value, unit);
        return card(
          contestant.label,
          [
            ['median', quantity(estimated.value, unit)],
            estimated.low === null || estimated.low === undefined
              ? null
              : [covering(estimated), withUnit(interval(estimated.low, estimated.high, scaled.factor, scaled.unit), scaled.unit)],
            estimated.n ? ['n', String(estimated.n)] : null,
            estimated.grade ? ['known as', estimated.grade] : null,
            runs.length > 0 ? ['runs, in order', runsText(runs, unit)] : null,
          ].filter(Boolean),
        );
      },
    }),
    series: [
      medians,
      { type: 'scatter', silent: true, symbolSize: 5, z: 3, data: dots(styled, band, log), itemStyle: { opacity: 0.85 } },
      whiskers(
        rows.map(({ estimated }, i) => [i, estimated.low ?? NaN, estimated.high ?? NaN, log ? NaN : estimated.value]),
        theme.text,
        { tickSize: 9 },
      ),
    ],
  };
}

/// `figure`: which one (name, party, place, of, unit); `runs`: whether its runs are known, as they are of the metric.
export function intervalChart(
  experiment,
  contestants,
  figure,
  { runs = false, log = false, kind = figure.name, title = titleOf(figure) } = {},
) {
  const rows = contestants
    .map((contestant) => ({ contestant, estimated: figureOf(contestant, figure.name, figure), runs: runs ? contestant.runs : [] }))
    .filter(({ estimated }) => estimated && estimated.value !== null && estimated.value !== undefined);
  if (rows.length === 0) {
    return null;
  }
  const unit = unitOf(figure);
  return frame({
    title,
    kind,
    log,
    lying: true,
    caption: experiment.caption,
    note: runs ? 'Dots: every run, the first above. Whisker: the interval of the median.' : 'Whisker: the interval, where there is one.',
    height: () => rows.length * 34 + 54,
    option: (ctx) => option(rows, figure, ctx),
    summary: () => rows.map(({ contestant, estimated }) => `${contestant.label} ${estimate(estimated, unit)}`).join('; '),
    data: () => ({
      head: ['Datapath', 'Median', 'Low', 'High', 'n', ...(runs ? ['Runs, in order'] : ['Grade'])],
      rows: rows.map(({ contestant, estimated, runs: all }) => [
        contestant.label,
        quantity(estimated.value, unit),
        quantity(estimated.low, unit),
        quantity(estimated.high, unit),
        String(estimated.n ?? '–'),
        runs ? runsText(all, unit) : (estimated.grade ?? '–'),
      ]),
    }),
  });
}
