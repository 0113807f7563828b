// SPDX-License-Identifier: BSD-2-Clause
// Invented experiments and records: what models for the tests are put together from. Measured by nobody.

/// Numbers that look random and are the same every time.
export function randoms(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

export const kDatapaths = ['read_write', 'mmap', 'sendfile', 'splice', 'zerocopy', 'uring', 'udp', 'afxdp', 'dpdk', 'simulated'];
// Copies in the kernel by sender and receiver, and about how fast and how dear.
const kTraits = {
  read_write: [2, 2, 21, 0.62],
  mmap: [1, 1, 23, 0.55],
  sendfile: [0, 2, 31, 0.41],
  splice: [0, 1, 28, 0.44],
  zerocopy: [1, 2, 26, 0.5],
  uring: [2, 2, 24, 0.58],
  udp: [2, 2, 7, 1.4],
  afxdp: [1, 1, 9, 1.2],
  dpdk: [0, 0, 14, 1.9],
  simulated: [2, 2, 3, 2.8],
};

const round = (value, digits = 6) => Number(value.toPrecision(digits));

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

function around(random, value, spread, n) {
  const runs = Array.from({ length: n }, () => round(value * Math.exp(random.normal() * spread)));
  const sorted = [...runs].sort((a, b) => a - b);
  const skip = Math.max(0, Math.floor(n / 2 - Math.sqrt(n)));
  return { runs, value: round(median(runs)), low: sorted[skip], high: sorted[n - 1 - skip] };
}

function histogram(random, typical, count, buckets) {
  const step = Math.exp(Math.log(60) / buckets);
  const weights = Array.from({ length: buckets }, (_, i) => {
    const z = (i / buckets - 0.25) * 7;
    return Math.exp((-z * z) / 2) + 0.004 * (1 - i / buckets) + 0.0005 * random.uniform();
  });
  const total = weights.reduce((a, b) => a + b, 0);
  const pairs = weights
    .map((weight, i) => [Math.round(typical * 0.5 * step ** i), Math.round((weight / total) * count)])
    .filter(([, n]) => n > 0);
  const sum = pairs.reduce((a, [, n]) => a + n, 0);
  const at = (share) => {
    if ((1 - share) * sum < 10) {
      return null;
    }
    let below = 0;
    return pairs.find(([, n]) => {
      below += n;
      return below >= share * sum;
    })[0];
  };
  return { count: sum, p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: pairs[pairs.length - 1][0], buckets: pairs };
}

function figure(name, unit, better, estimated, n, more = {}) {
  return {
    name,
    unit,
    better,
    party: null,
    place: null,
    of: '',
    value: estimated.value,
    low: estimated.low ?? null,
    high: estimated.high ?? null,
    n,
    grade: null,
    ...more,
  };
}

function cpuFigures(random, cost, n) {
  const split = { sender: 0.35, receiver: 0.65 };
  const figures = [
    figure('cpu.machine_per_gib', 's/GiB', 'less', around(random, cost * 1.3, 0.04, n), n),
    figure('cpu.per_gib', 's/GiB', 'less', around(random, cost, 0.04, n), n),
  ];
  for (const [party, share] of Object.entries(split)) {
    figures.push(figure('cpu.per_gib', 's/GiB', 'less', around(random, cost * share, 0.04, n), n, { party }));
    figures.push(figure('cpu.user_per_gib', 's/GiB', 'less', { value: round(cost * share * 0.2) }, n, { party }));
    figures.push(figure('cpu.system_per_gib', 's/GiB', 'less', { value: round(cost * share * 0.8) }, n, { party }));
  }
  figures.push(figure('cpu.softirq_per_gib', 's/GiB', 'less', { value: round(cost * 0.22) }, n));
  return figures;
}

function countFigures([sent, received], label, random) {
  const grade = label === 'dpdk' ? 'modelled' : label === 'afxdp' ? 'counted' : 'traced';
  const copies = (party, place, value) =>
    figure('copies', 'B/B', 'less', { value }, 1, { party, place, grade: place === 'user' ? 'counted' : grade });
  const switches = round(4000 * Math.exp(-(4 - sent - received)) * (0.9 + 0.2 * random.uniform()), 4);
  return [
    figure('copies', 'B/B', 'less', { value: sent + received }, 1, { grade }),
    copies('sender', 'kernel', sent),
    copies('sender', 'user', 0),
    copies('receiver', 'kernel', received),
    copies('receiver', 'user', label === 'udp' ? 1 : 0),
    figure('mode_switches', '', 'less', { value: switches }, 1),
    figure('mode_switches_per_mib', '1/MiB', 'less', { value: round(switches / 256, 4) }, 1),
    figure('system_calls', '', 'less', { value: Math.round(switches / 2) }, 1),
    figure('context_switches', '', 'less', around(random, 480, 0.3, 12), 12),
    figure('page_faults', '', 'less', { value: 296 }, 12),
    figure('memory', 'B', 'less', { value: Math.round((13 + sent) * 1048576) }, 12),
    figure('retransmissions', '', 'less', { value: label === 'udp' ? 12 : 0 }, 12),
    figure('counter', '', 'none', { value: 217038 }, 12, { of: 'read ahead bytes', party: 'receiver' }),
  ];
}

function contestant(random, label, kind, { n, buckets, scale = 1 }) {
  const traits = kTraits[label] ?? [1, 1, 12, 0.9];
  const rate = traits[2] * 1e9 * scale;
  const metric =
    kind === 'bulk'
      ? around(random, rate, 0.06, n)
      : kind === 'idle'
        ? around(random, label === 'dpdk' ? 1.98 : 0.004 * (1 + random.uniform()), 0.05, n)
        : around(random, rate / 2.5e5, 0.05, n);
  const name = { bulk: 'goodput', idle: 'cpu.share' }[kind] ?? 'operations';
  const operation = { bulk: 'download', idle: 'idle' }[kind] ?? 'read';
  const latency =
    kind === 'idle'
      ? {}
      : {
          [operation]:
            kind === 'bulk'
              ? { count: n, p50: Math.round(2.1e18 / rate), p90: null, p99: null, p999: null, max: Math.round(2.6e18 / rate), buckets: [] }
              : histogram(random, 4e14 / rate, 40000, buckets),
        };
  const quantiles = Object.entries(latency).flatMap(([of, found]) =>
    ['p50', 'p90', 'p99', 'p999', 'max']
      .filter((key) => found[key] !== null)
      .map((key) => figure(`latency.${key}`, 'ns', 'less', { value: found[key] }, found.count, { of })),
  );
  return {
    label,
    sender: label.split('+')[0],
    receiver: label.split('+')[1] ?? 'read_write',
    status: 'ok',
    reason: null,
    hint: null,
    runs: metric.runs.map((value, i) => ({
      value,
      seconds: round(2.1e9 / value),
      round: i + 1,
      placement_ns: 420 + Math.round(random.uniform() * 90),
    })),
    timeline:
      kind === 'bulk'
        ? {
            interval_s: 0.01,
            rate: Array.from({ length: Math.min(60, Math.max(8, Math.round(2.1e11 / rate))) }, (_, i) =>
              round(rate * (i === 0 ? 0.6 : 0.9 + 0.2 * random.uniform())),
            ),
          }
        : null,
    latency,
    figures: [
      figure(name, { bulk: 'bit/s', idle: '' }[kind] ?? '1/s', kind === 'idle' ? 'less' : 'more', metric, n),
      ...quantiles,
      ...(kind === 'idle'
        ? [
            figure('cpu.share', '', 'less', { value: metric.value * 0.4 }, n, { party: 'sender' }),
            figure('cpu.share', '', 'less', { value: metric.value * 0.6 }, n, { party: 'receiver' }),
          ]
        : cpuFigures(random, traits[3], n)),
      ...countFigures(traits, label, random),
    ],
  };
}

function comparisons(contestants, metric) {
  const sign = metric.better === 'less' ? 1 : -1;
  const value = (one) => one.figures.find((found) => found.name === metric.name && !found.party);
  const sorted = [...contestants].sort((a, b) => sign * (value(a).value - value(b).value));
  return sorted.slice(1).map((other) => {
    const [a, b] = [value(sorted[0]), value(other)];
    const differs = metric.better === 'less' ? a.high < b.low : a.low > b.high;
    const [ratio, low, high] = [a.value / b.value, a.low / b.high, a.high / b.low].map((one) => round(one, 3));
    return {
      a: sorted[0].label,
      b: other.label,
      metric: metric.name,
      ratio,
      low,
      high,
      n: a.n,
      paired: true,
      differs,
      sentence: differs
        ? `${sorted[0].label} moves ${ratio} times (${low}–${high}) what ${other.label} does.`
        : `No difference is shown between ${sorted[0].label} and ${other.label} (${low}–${high}).`,
    };
  });
}

const kMetrics = {
  bulk: { name: 'goodput', unit: 'bit/s', better: 'more' },
  idle: { name: 'cpu.share', unit: '', better: 'less' },
  requests: { name: 'operations', unit: '1/s', better: 'more' },
};

export function record(id, workload, headline, suite, noisy) {
  return {
    id,
    file: `20261121-0${id.slice(1).padStart(5, '0')}-${workload}.json`,
    created: '2026-11-21T14:03:00Z',
    suite,
    command: `harness run --like=20261121-0${id.slice(1).padStart(5, '0')}-${workload}.json`,
    command_line: `harness compare --datapaths=all --workload=${workload} --seconds=5`,
    revision: '0123abcd',
    workload,
    headline,
    machine: 'Linux 6.1 · 2 × virtual CPU',
    noisy,
    noise: noisy
      ? ['repetitions of the same arithmetic differed by 592 %', 'others wanted the CPUs: 55 % of the time somebody waited for one']
      : [],
    warnings: noisy ? ['zerocopy: the kernel copied after all (veth)'] : [],
    environment: [
      { name: 'kernel', value: '6.1.0' },
      { name: 'CPU', value: 'virtual, 2.1 GHz' },
      { name: 'mitigations', value: 'Retpolines; PTI' },
      { name: 'MTU', value: '1500' },
    ],
  };
}

export function experiment(random, recordId, link, title, kind, labels, options, missing = []) {
  const metric = kMetrics[kind];
  const contestants = labels.map((label) => contestant(random, label, kind, options));
  return {
    id: `${recordId}/${link}`,
    record: recordId,
    link,
    link_text: `${link}, MTU 1500, offloads on`,
    title,
    metric,
    caption: `${link}, MTU 1500 · 2-core virtual machine · n = ${options.n} · medians with 95 % intervals`,
    bulk: kind === 'bulk',
    idle: kind === 'idle',
    contestants,
    comparisons: comparisons(contestants, metric),
    unavailable: missing,
    warnings: recordId === 'r1' ? ['Noisy machine: repetitions of the same arithmetic differed by 592 %'] : [],
  };
}
