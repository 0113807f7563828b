// SPDX-License-Identifier: BSD-2-Clause
// What figures are called, and in which set of columns they stand. A figure that this list lacks has its own name.

const kNames = {
  goodput: 'Goodput',
  operations: 'Operations',
  'latency.p50': 'Latency p50',
  'latency.p90': 'Latency p90',
  'latency.p99': 'Latency p99',
  'latency.p999': 'Latency p99.9',
  'latency.max': 'Latency max',
  'cpu.per_gib': 'CPU per GiB',
  'cpu.machine_per_gib': 'CPU per GiB, whole machine',
  'cpu.user_per_gib': 'CPU per GiB, user',
  'cpu.system_per_gib': 'CPU per GiB, system',
  'cpu.softirq_per_gib': 'CPU per GiB, softirq',
  'cpu.empty_polls_per_gib': 'CPU per GiB, empty polls',
  'cpu.per_operation': 'CPU per operation',
  'cpu.machine_per_operation': 'CPU per operation, whole machine',
  'cpu.share': 'CPU used',
  'cpu.machine_share': 'CPU used, whole machine',
  copies: 'Copies per byte',
  'copies.modelled': 'Copies per byte, model',
  'copies.verification': 'Copies per byte of verification',
  'ceiling.share': 'Share of what the link can carry',
  mode_switches: 'Mode switches per run',
  system_calls: 'System calls per run',
  context_switches: 'Context switches per run',
  page_faults: 'Page faults',
  memory: 'Peak memory',
  retransmissions: 'Retransmissions',
  drops: 'Drops',
  empty_polls: 'Empty polls',
  counter: 'Counter',
  seconds: 'Time',
};

export function nameOf(name) {
  const each = /^(.+)_per_(mib|operation)$/.exec(name);
  if (each && kNames[each[1]] && !kNames[name]) {
    return `${kNames[each[1]].replace(' per run', '')} per ${each[2] === 'mib' ? 'MiB' : 'operation'}`;
  }
  return kNames[name] ?? name.replaceAll('_', ' ').replaceAll('.', ', ');
}

/// "CPU per GiB, sender": the name with whom and what it is of.
export function titleOf(figure) {
  const parts = [nameOf(figure.name), figure.party, figure.place];
  if (figure.of) {
    parts.push(figure.name === 'counter' ? `“${figure.of}”` : figure.of);
  }
  return parts.filter(Boolean).join(', ');
}

/// The unit to scale by: a share of CPUs is printed as per cent.
export function unitOf(figure) {
  return /share$/.test(figure.name) && !figure.unit ? 'share' : (figure.unit ?? '');
}

export function keyOf(figure) {
  return [figure.name, figure.party ?? '', figure.place ?? '', figure.of ?? ''].join('|');
}

const kMain = [
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
  'memory',
];

export const kSets = [
  { id: 'main', title: 'Main' },
  { id: 'cpu', title: 'CPU', has: (figure) => figure.name.startsWith('cpu.') },
  { id: 'copies', title: 'Copies', has: (figure) => figure.name.startsWith('copies') },
  { id: 'latency', title: 'Latency', has: (figure) => figure.name.startsWith('latency.') },
  {
    id: 'system',
    title: 'System',
    has: (figure) =>
      /^(mode_switches|system_calls|context_switches|page_faults|memory|retransmissions|drops|empty_polls|counter)/.test(figure.name),
  },
  { id: 'all', title: 'All', has: () => true },
];

/// The figures of a set among all that an experiment has; the main ones once each, of all parties together where that exists.
export function inSet(set, figures) {
  if (set !== 'main') {
    return figures.filter(kSets.find((one) => one.id === set).has);
  }
  const chosen = [];
  for (const name of kMain) {
    const same = figures.filter((figure) => figure.name === name);
    const whole = same.filter((figure) => !figure.party && !figure.place);
    chosen.push(...(whole.length > 0 ? whole : same).slice(0, 4));
  }
  return chosen;
}
