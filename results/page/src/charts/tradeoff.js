// SPDX-License-Identifier: BSD-2-Clause
// What is paid for what is got: the metric against CPU per unit of work, one point per datapath.
import { figureOf, metricOf } from '../model.js';
import { titleOf, unitOf } from '../names.js';
import { styleOf } from '../palette.js';
import { estimate, quantity, scaleOf, titled } from '../units.js';
import { frame } from './frame.js';
import { contestantLegend } from './legends.js';
import { base, card, tooltip, valueAxis, whiskers, zoom } from './parts.js';

const kCosts = ['cpu.machine_per_gib', 'cpu.per_gib'];
const kCostsOfOperations = ['cpu.machine_per_operation', 'cpu.per_operation'];

export function tradeoffChart(experiment, contestants) {
  const name = (experiment.bulk ? kCosts : kCostsOfOperations).find((one) => contestants.some((contestant) => figureOf(contestant, one)));
  const rows = contestants
    .map((contestant) => ({ contestant, gain: metricOf(experiment, contestant), cost: name ? figureOf(contestant, name) : null }))
    .filter(({ gain, cost }) => gain && cost && gain.value !== null && cost.value !== null);
  if (rows.length < 2 || experiment.metric.name === name) {
    return null;
  }
  const [gainUnit, costUnit] = [unitOf(rows[0].gain), unitOf(rows[0].cost)];
  const gainScale = scaleOf(Math.max(...rows.map(({ gain }) => gain.value)), gainUnit);
  const costScale = scaleOf(Math.max(...rows.map(({ cost }) => cost.value)), costUnit);
  function option({ theme, log, hidden }) {
    const shown = rows.filter(({ contestant }) => !hidden.has(contestant.label));
    return {
      ...base(theme),
      grid: { left: 64, right: 30, top: 22, bottom: 46 },
      dataZoom: zoom({ x: 0, y: 0 }),
      xAxis: valueAxis(theme, { name: titled(titleOf(rows[0].cost), costScale.unit), log, factor: costScale.factor }),
      yAxis: valueAxis(theme, { name: titled(titleOf(rows[0].gain), gainScale.unit), vertical: true, log, factor: gainScale.factor }),
      tooltip: tooltip(theme, {
        trigger: 'item',
        formatter: (found) => {
          const { contestant, gain, cost } = shown[found.dataIndex];
          return card(contestant.label, [
            [titleOf(gain), estimate(gain, gainUnit)],
            [titleOf(cost), estimate(cost, costUnit)],
          ]);
        },
      }),
      series: [
        {
          type: 'scatter',
          symbolSize: 13,
          symbolKeepAspect: true,
          z: 6,
          labelLayout: { hideOverlap: true },
          itemStyle: { opacity: 1 },
          data: shown.map(({ contestant, gain, cost }) => {
            const style = styleOf(contestant, theme.dark);
            return {
              value: [cost.value, gain.value],
              name: contestant.label,
              symbol: style.symbol,
              itemStyle: { color: style.color },
              label: {
                show: true,
                formatter: contestant.label,
                position: 'right',
                distance: 8,
                color: theme.text,
                fontSize: 12,
                textBorderColor: theme.surface,
                textBorderWidth: 3,
              },
            };
          }),
        },
        whiskers(
          shown.map(({ gain, cost }) => [gain.value, cost.low ?? NaN, cost.high ?? NaN, NaN]),
          theme.muted,
          { tickSize: 5, middle: false },
        ),
        whiskers(
          shown.map(({ gain, cost }) => [cost.value, gain.low ?? NaN, gain.high ?? NaN, NaN]),
          theme.muted,
          { lying: false, tickSize: 5, middle: false },
        ),
      ],
    };
  }
  return frame({
    title: 'Trade-off',
    kind: 'tradeoff',
    log: false,
    caption: experiment.caption,
    note: experiment.metric.better === 'less' ? 'Better is to the left and below.' : 'Better is to the left and above.',
    option,
    height: () => 320,
    legend: ({ hidden }, redraw) =>
      contestantLegend(
        rows.map((row) => row.contestant),
        hidden,
        redraw,
        false,
      ),
    summary: () =>
      rows
        .map(({ contestant, gain, cost }) => `${contestant.label} ${quantity(gain.value, gainUnit)} at ${quantity(cost.value, costUnit)}`)
        .join('; '),
    data: () => ({
      head: ['Datapath', titleOf(rows[0].gain), titleOf(rows[0].cost)],
      rows: rows.map(({ contestant, gain, cost }) => [contestant.label, estimate(gain, gainUnit), estimate(cost, costUnit)]),
    }),
  });
}
