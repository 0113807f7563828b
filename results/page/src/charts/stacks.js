// SPDX-License-Identifier: BSD-2-Clause
// What adds up: CPU time by kind and side, copies by side and place with a pattern for how they are known.
import { figureOf, figuresOf } from '../model.js';
import { nameOf, titleOf, unitOf } from '../names.js';
import { estimate, interval, number, quantity, scaleOf, titled } from '../units.js';
import { frame } from './frame.js';
import { partLegend } from './legends.js';
import { base, card, categoryAxis, roomFor, tooltip, valueAxis, whiskers, zoom } from './parts.js';

const kDecals = {
  counted: 'none',
  traced: { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: Math.PI / 4 },
  modelled: {
    symbol: 'circle',
    symbolSize: 0.7,
    dashArrayX: [
      [5, 5],
      [0, 5, 5, 0],
    ],
    dashArrayY: [5, 0],
  },
};

function decal(grade, theme) {
  const pattern = kDecals[grade] ?? 'none';
  return pattern === 'none' ? pattern : { ...pattern, color: theme.dark ? 'rgba(0,0,0,.55)' : 'rgba(255,255,255,.7)' };
}

/// spec: { title, kind, unit, parts: [{ title, index, find(contestant) }], total(contestant), totalTitle, grades }.
function stackChart(experiment, contestants, spec) {
  const rows = contestants
    .map((contestant) => ({ contestant, pieces: spec.parts.map((part) => part.find(contestant)), total: spec.total?.(contestant) ?? null }))
    .filter(({ pieces, total }) => [...pieces, total].some((one) => one && one.value !== null && one.value !== undefined));
  if (rows.length === 0) {
    return null;
  }
  const sum = (row) => row.pieces.reduce((all, one) => all + (one?.value ?? 0), 0);
  const scale = scaleOf(Math.max(...rows.map((row) => Math.max(sum(row), row.total?.value ?? 0))), spec.unit);
  const grades = spec.grades
    ? ['counted', 'traced', 'modelled'].filter((grade) => rows.some((row) => row.pieces.some((one) => one?.grade === grade)))
    : [];
  const text = (one) => `${estimate(one, spec.unit)}${one.grade ? `, ${one.grade}` : ''}`;

  function option({ theme, width }) {
    const labels = rows.map(({ contestant }) => contestant.label);
    return {
      ...base(theme),
      aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
      grid: { left: roomFor(labels, width), right: 22, top: 6, bottom: 44 },
      yAxis: categoryAxis(theme, labels, width),
      xAxis: valueAxis(theme, { name: titled(spec.title, scale.unit), factor: scale.factor }),
      dataZoom: zoom({ x: 0 }),
      tooltip: tooltip(theme, {
        trigger: 'axis',
        axisPointer: { type: 'shadow', shadowStyle: { color: theme.grid, opacity: 0.5 } },
        formatter: (found) => {
          const row = rows[labels.indexOf(found[0].axisValue)];
          return card(
            row.contestant.label,
            [
              ...spec.parts.map((part, i) => (row.pieces[i] ? [part.title, text(row.pieces[i])] : null)),
              row.total ? [spec.totalTitle, text(row.total)] : null,
            ].filter(Boolean),
          );
        },
      }),
      series: [
        ...spec.parts.map((part, i) => ({
          type: 'bar',
          stack: 'parts',
          name: part.title,
          barWidth: '58%',
          silent: i > 0,
          data: rows.map(({ pieces }) => ({
            value: pieces[i]?.value ?? 0,
            itemStyle: {
              color: theme.parts[part.index],
              borderColor: theme.surface,
              borderWidth: pieces[i]?.value > 0 ? 1 : 0,
              decal: decal(pieces[i]?.grade, theme),
            },
          })),
        })),
        whiskers(
          rows.map(({ total }, i) => [i, total?.low ?? NaN, total?.high ?? NaN, total?.value ?? NaN]),
          theme.text,
          { tickSize: 10 },
        ),
      ],
    };
  }
  return frame({
    title: spec.title,
    kind: spec.kind,
    lying: true,
    caption: experiment.caption,
    note: spec.note,
    height: () => rows.length * 30 + 54,
    option,
    legend: () => partLegend(spec.parts, grades),
    summary: () =>
      rows
        .map((row) => `${row.contestant.label} ${row.total ? quantity(row.total.value, spec.unit) : quantity(sum(row), spec.unit)}`)
        .join('; '),
    data: () => ({
      head: [
        'Datapath',
        ...spec.parts.map((part) => titled(part.title, scale.unit)),
        ...(spec.total ? [titled(spec.totalTitle, scale.unit)] : []),
      ],
      rows: rows.map((row) => [
        row.contestant.label,
        ...[...row.pieces, ...(spec.total ? [row.total] : [])].map((one) =>
          !one
            ? '–'
            : [
                number((one.value ?? NaN) / scale.factor, scale.unit),
                interval(one.low, one.high, scale.factor, scale.unit) && `(${interval(one.low, one.high, scale.factor, scale.unit)})`,
                one.grade,
              ]
                .filter(Boolean)
                .join(' '),
        ),
      ]),
    }),
  });
}

const kKinds = ['user', 'system', 'softirq', 'empty_polls'];
const kKindTitles = { user: 'user', system: 'system', softirq: 'softirq', empty_polls: 'empty polls' };

/// Empty polls are of the user's part: beside them stands the rest of it.
function withoutEmptyPolls(contestant, figure) {
  const polls = figure?.name === 'cpu.user_per_gib' ? figureOf(contestant, 'cpu.empty_polls_per_gib', figure) : null;
  return polls ? { ...figure, value: Math.max(0, figure.value - polls.value), low: null, high: null } : figure;
}

/// Where payload is moved in bulk, kinds of CPU time by side where those are known; else what each side used.
export function cpuChart(experiment, contestants) {
  const figures = figuresOf(contestants).filter((figure) => experiment.bulk || !/_?per_gib$/.test(figure.name));
  const kinds = [
    ...new Set(figures.map((figure) => /^cpu\.(\w+)_per_gib$/.exec(figure.name)?.[1]).filter((kind) => kind && kind !== 'machine')),
  ].sort((a, b) => kKinds.indexOf(a) - kKinds.indexOf(b));
  const parts = kinds
    .flatMap((kind) => {
      const same = figures.filter((figure) => figure.name === `cpu.${kind}_per_gib`);
      const split = same.some((figure) => figure.party);
      return same
        .filter((figure) => Boolean(figure.party) === split)
        .map((figure) => ({
          title: [figure.party, kKindTitles[kind] ?? kind].filter(Boolean).join(', '),
          find: (contestant) => withoutEmptyPolls(contestant, figureOf(contestant, figure.name, figure)),
        }));
    })
    .map((part, index) => ({ ...part, index: index % 6 }));
  if (parts.length > 0) {
    return stackChart(experiment, contestants, {
      title: 'CPU per GiB',
      kind: 'cpu',
      unit: 's/GiB',
      parts,
      total: (contestant) => figureOf(contestant, 'cpu.machine_per_gib') ?? figureOf(contestant, 'cpu.per_gib'),
      totalTitle: figures.some((one) => one.name === 'cpu.machine_per_gib') ? 'whole machine' : 'all parties',
      note: 'Mark and whisker: the whole machine, which also pays for what nobody is billed for.',
    });
  }
  const name = ['cpu.per_gib', 'cpu.per_operation', 'cpu.share'].find((one) =>
    figures.some((figure) => figure.name === one && figure.party),
  );
  if (!name) {
    return null;
  }
  const sides = figures.filter((figure) => figure.name === name && figure.party);
  const machine = {
    'cpu.per_gib': 'cpu.machine_per_gib',
    'cpu.per_operation': 'cpu.machine_per_operation',
    'cpu.share': 'cpu.machine_share',
  }[name];
  return stackChart(experiment, contestants, {
    title: nameOf(name),
    kind: 'cpu',
    unit: unitOf(sides[0]),
    totalTitle: 'whole machine',
    note: 'Mark and whisker: the whole machine.',
    parts: sides.map((figure, index) => ({
      title: figure.party,
      index: index % 6,
      find: (contestant) => figureOf(contestant, name, figure),
    })),
    total: (contestant) => figureOf(contestant, machine),
  });
}

export function copiesChart(experiment, contestants) {
  const figures = figuresOf(contestants).filter((figure) => figure.name === 'copies' && figure.party && figure.place);
  return figures.length === 0
    ? null
    : stackChart(experiment, contestants, {
        title: 'Copies per byte',
        kind: 'copies',
        unit: 'B/B',
        grades: true,
        parts: figures.map((figure, index) => ({
          title: `${figure.party}, ${figure.place}`,
          index: index % 6,
          find: (contestant) => figureOf(contestant, 'copies', figure),
        })),
        note: 'Plain: counted in the kernel; hatched: traced from system calls; dotted: only modelled.',
      });
}

/// Mode switches, by whatever they are counted per.
export function switchesOf(contestants) {
  const figures = figuresOf(contestants).filter((figure) => /^mode_switches_per_/.test(figure.name));
  const figure = figures.find((one) => !one.party) ?? null;
  return figure && { ...figure, title: titleOf(figure) };
}
