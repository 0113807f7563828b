// SPDX-License-Identifier: BSD-2-Clause
// Goodput over time within the median run of each contestant.
import { styleOf } from '../palette.js';
import { number, quantity, scaleOf } from '../units.js';
import { frame } from './frame.js';
import { contestantLegend } from './legends.js';
import { base, card, tooltip, valueAxis, zoom } from './parts.js';

export function timelineChart(experiment, contestants) {
  const rows = contestants.filter((one) => one.timeline?.rate?.length > 1 && one.timeline.interval_s > 0);
  if (rows.length === 0) {
    return null;
  }
  const scale = scaleOf(Math.max(...rows.flatMap((one) => one.timeline.rate)), 'bit/s');
  const longest = Math.max(...rows.map((one) => one.timeline.rate.length * one.timeline.interval_s));
  const time = scaleOf(longest, 's');
  const at = (one, seconds) => one.timeline.rate[Math.floor(seconds / one.timeline.interval_s + 1e-6)];
  function option({ theme, log, hidden }) {
    const shown = rows.filter((one) => !hidden.has(one.label));
    return {
      ...base(theme),
      grid: { left: 64, right: 22, top: 12, bottom: 46 },
      dataZoom: zoom({ x: 0 }),
      xAxis: valueAxis(theme, { name: `Time since the first request [${time.unit}]`, factor: time.factor, max: longest }),
      yAxis: valueAxis(theme, { name: `Goodput [${scale.unit}]`, vertical: true, log, factor: scale.factor }),
      tooltip: tooltip(theme, {
        trigger: 'axis',
        axisPointer: { type: 'line', snap: false },
        formatter: (found) => {
          const seconds = found[0].axisValue;
          return card(
            `at ${quantity(seconds, 's')}`,
            shown.map((one) => [one.label, at(one, seconds) === undefined ? 'done' : quantity(at(one, seconds), 'bit/s')]),
          );
        },
      }),
      series: shown.map((one) => {
        const style = styleOf(one, theme.dark);
        const points = one.timeline.rate.map((rate, i) => [i * one.timeline.interval_s, log && rate <= 0 ? null : rate]);
        return {
          type: 'line',
          name: one.label,
          symbol: 'none',
          step: 'end',
          data: [...points, [one.timeline.rate.length * one.timeline.interval_s, points[points.length - 1][1]]],
          lineStyle: { color: style.color, width: 1.8, type: style.dash.length > 0 ? style.dash : 'solid' },
          itemStyle: { color: style.color },
        };
      }),
    };
  }
  return frame({
    title: 'Goodput over time',
    kind: 'timeline',
    log: false,
    caption: experiment.caption,
    note: 'The median run of each.',
    option,
    legend: ({ hidden }, redraw) => contestantLegend(rows, hidden, redraw),
    summary: () =>
      rows
        .map(
          (one) =>
            `${one.label} between ${quantity(Math.min(...one.timeline.rate), 'bit/s')} and ${quantity(Math.max(...one.timeline.rate), 'bit/s')}`,
        )
        .join('; '),
    data: () => {
      const longestRow = rows.reduce((most, one) => (one.timeline.rate.length > most.timeline.rate.length ? one : most));
      return {
        head: [`Time [${time.unit}]`, ...rows.map((one) => `${one.label} [${scale.unit}]`)],
        rows: longestRow.timeline.rate.map((_, i) => {
          const seconds = i * longestRow.timeline.interval_s;
          return [
            number(seconds / time.factor, time.unit),
            ...rows.map((one) => {
              const rate = at(one, seconds);
              return rate === undefined ? '–' : number(rate / scale.factor, scale.unit);
            }),
          ];
        }),
      };
    },
  });
}
