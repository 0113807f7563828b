// SPDX-License-Identifier: BSD-2-Clause
// Invented models for the tests of the page: of the form that `harness report` writes, measured by nobody. Run it to get one as JSON:
// node sample.mjs [small|full]
import { pathToFileURL } from 'node:url';

/// Numbers that look random and are the same every time.
function randoms(seed) {
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
  read_write: [2, 2, 21, 0.62], mmap: [1, 1, 23, 0.55], sendfile: [0, 2, 31, 0.41], splice: [0, 1, 28, 0.44], zerocopy: [1, 2, 26, 0.5],
  uring: [2, 2, 24, 0.58], udp: [2, 2, 7, 1.4], afxdp: [1, 1, 9, 1.2], dpdk: [0, 0, 14, 1.9], simulated: [2, 2, 3, 2.8],
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
    return Math.exp(-z * z / 2) + 0.004 * (1 - i / buckets) + 0.0005 * random.uniform();
  });
  const total = weights.reduce((a, b) => a + b, 0);
  const pairs = weights.map((weight, i) => [Math.round(typical * 0.5 * step ** i), Math.round(weight / total * count)]).filter(([, n]) => n > 0);
  const sum = pairs.reduce((a, [, n]) => a + n, 0);
  const at = (share) => {
    if ((1 - share) * sum < 10) {
      return null;
    }
    let below = 0;
    return pairs.find(([, n]) => { below += n; return below >= share * sum; })[0];
  };
  return { count: sum, p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: pairs[pairs.length - 1][0], buckets: pairs };
}

function figure(name, unit, better, estimated, n, more = {}) {
  return { name, unit, better, party: null, place: null, of: '', value: estimated.value, low: estimated.low ?? null, high: estimated.high ?? null, n, grade: null, ...more };
}

function cpuFigures(random, cost, n) {
  const split = { sender: 0.35, receiver: 0.65 };
  const figures = [figure('cpu.machine_per_gib', 's/GiB', 'less', around(random, cost * 1.3, 0.04, n), n), figure('cpu.per_gib', 's/GiB', 'less', around(random, cost, 0.04, n), n)];
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
  const copies = (party, place, value) => figure('copies', 'B/B', 'less', { value }, 1, { party, place, grade: place === 'user' ? 'counted' : grade });
  const switches = round(4000 * Math.exp(-(4 - sent - received)) * (0.9 + 0.2 * random.uniform()), 4);
  return [figure('copies', 'B/B', 'less', { value: sent + received }, 1, { grade }), copies('sender', 'kernel', sent), copies('sender', 'user', 0), copies('receiver', 'kernel', received),
    copies('receiver', 'user', label === 'udp' ? 1 : 0), figure('mode_switches', '', 'less', { value: switches }, 1), figure('mode_switches_per_mib', '1/MiB', 'less', { value: round(switches / 256, 4) }, 1),
    figure('system_calls', '', 'less', { value: Math.round(switches / 2) }, 1), figure('context_switches', '', 'less', around(random, 480, 0.3, 12), 12), figure('page_faults', '', 'less', { value: 296 }, 12),
    figure('memory', 'B', 'less', { value: Math.round((13 + sent) * 1048576) }, 12), figure('retransmissions', '', 'less', { value: label === 'udp' ? 12 : 0 }, 12),
    figure('counter', '', 'none', { value: 217038 }, 12, { of: 'read ahead bytes', party: 'receiver' })];
}

function contestant(random, label, kind, { n, buckets, scale = 1 }) {
  const traits = kTraits[label] ?? [1, 1, 12, 0.9];
  const rate = traits[2] * 1e9 * scale;
  const metric = kind === 'bulk' ? around(random, rate, 0.06, n) : kind === 'idle' ? around(random, label === 'dpdk' ? 1.98 : 0.004 * (1 + random.uniform()), 0.05, n) : around(random, rate / 2.5e5, 0.05, n);
  const name = { bulk: 'goodput', idle: 'cpu.share' }[kind] ?? 'operations';
  const operation = { bulk: 'download', idle: 'idle' }[kind] ?? 'read';
  const latency = kind === 'idle' ? {} : { [operation]: kind === 'bulk' ? { count: n, p50: Math.round(2.1e18 / rate), p90: null, p99: null, p999: null, max: Math.round(2.6e18 / rate), buckets: [] } : histogram(random, 4e14 / rate, 40000, buckets) };
  const quantiles = Object.entries(latency).flatMap(([of, found]) => ['p50', 'p90', 'p99', 'p999', 'max'].filter((key) => found[key] !== null).map((key) => figure(`latency.${key}`, 'ns', 'less', { value: found[key] }, found.count, { of })));
  return {
    label, sender: label.split('+')[0], receiver: label.split('+')[1] ?? 'read_write', status: 'ok', reason: null, hint: null,
    runs: metric.runs.map((value, i) => ({ value, seconds: round(2.1e9 / value), round: i + 1, placement_ns: 420 + Math.round(random.uniform() * 90) })),
    timeline: kind === 'bulk' ? { interval_s: 0.01, rate: Array.from({ length: Math.min(60, Math.max(8, Math.round(2.1e11 / rate))) }, (_, i) => round(rate * (i === 0 ? 0.6 : 0.9 + 0.2 * random.uniform()))) } : null,
    latency,
    figures: [figure(name, { bulk: 'bit/s', idle: '' }[kind] ?? '1/s', kind === 'idle' ? 'less' : 'more', metric, n), ...quantiles, ...(kind === 'idle' ? [figure('cpu.share', '', 'less', { value: metric.value * 0.4 }, n, { party: 'sender' }), figure('cpu.share', '', 'less', { value: metric.value * 0.6 }, n, { party: 'receiver' })] : cpuFigures(random, traits[3], n)),
      ...countFigures(traits, label, random)],
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
    return { a: sorted[0].label, b: other.label, metric: metric.name, ratio, low, high, n: a.n, paired: true, differs,
      sentence: differs ? `${sorted[0].label} moves ${ratio} times (${low}–${high}) what ${other.label} does.` : `No difference is shown between ${sorted[0].label} and ${other.label} (${low}–${high}).` };
  });
}

const kMetrics = { bulk: { name: 'goodput', unit: 'bit/s', better: 'more' }, idle: { name: 'cpu.share', unit: '', better: 'less' }, requests: { name: 'operations', unit: '1/s', better: 'more' } };

function record(id, workload, headline, suite, noisy) {
  return { id, file: `20261121-0${id.slice(1).padStart(5, '0')}-${workload}.json`, created: '2026-11-21T14:03:00Z', suite, command: `harness run --like=20261121-0${id.slice(1).padStart(5, '0')}-${workload}.json`,
    command_line: `harness compare --datapaths=all --workload=${workload} --seconds=5`, revision: '0123abcd', workload, headline, machine: 'Linux 6.1 · 2 × virtual CPU', noisy,
    noise: noisy ? ['repetitions of the same arithmetic differed by 592 %', 'others wanted the CPUs: 55 % of the time somebody waited for one'] : [],
    warnings: noisy ? ['zerocopy: the kernel copied after all (veth)'] : [], environment: [{ name: 'kernel', value: '6.1.0' }, { name: 'CPU', value: 'virtual, 2.1 GHz' }, { name: 'mitigations', value: 'Retpolines; PTI' }, { name: 'MTU', value: '1500' }] };
}

function experiment(random, recordId, link, title, kind, labels, options, missing = []) {
  const metric = kMetrics[kind];
  const contestants = labels.map((label) => contestant(random, label, kind, options));
  return { id: `${recordId}/${link}`, record: recordId, link, link_text: `${link}, MTU 1500, offloads on`, title, metric, caption: `${link}, MTU 1500 · 2-core virtual machine · n = ${options.n} · medians with 95 % intervals`,
    bulk: kind === 'bulk', idle: kind === 'idle', contestants, comparisons: comparisons(contestants, metric), unavailable: missing, warnings: recordId === 'r1' ? ['Noisy machine: repetitions of the same arithmetic differed by 592 %'] : [] };
}

const kNoDpdk = { label: 'dpdk', status: 'unavailable', reason: 'no hugepages: 0 of 512 MiB could be reserved', hint: 'echo 256 > /proc/sys/vm/nr_hugepages' };
const kFailed = { label: 'simulated', status: 'failed', reason: 'run 3: the digest of the receiver differs', hint: null };

function rule(says, text, outcome, estimated, unit, experimentId) {
  return { says, rule: text, outcome, value: null, low: null, high: null, ...estimated, unit, experiment: experimentId, than_experiment: '', ours: '', why: '', paired: true };
}

function verdicts() {
  const row = (claim, group, text, source, theirs, verdict, ours, why, rules, waits_for = null) => ({ claim, group, text, source, theirs, verdict, ours, why, rules, waits_for });
  const zero = 'Zero-copy table';
  return [
    row('Z0', zero, 'Copying with read and write takes four copies and four mode switches for each file.', '003', '2 + 2 copies, 4 mode switches', 'does not hold', '2.00 + 2.00 copies/B (traced), 4,134 mode switches', 'A file of 256 MiB takes thousands of calls, not one.', [rule('one call covers the file', 'mode_switches of read_write at most 4', 'does not hold', { value: 4134 }, '', 'r1/veth')]),
    row('Z2', zero, 'sendfile saves one copy and two mode switches.', '003', '1 + 2 copies, 2 mode switches', 'holds', '0.00 copies/B (traced)', 'The whole interval is below the rule.', [rule('sendfile copies at most once', 'copies (sender, kernel) of sendfile at most 1.05', 'holds', { value: 0 }, 'B/B', 'r1/veth'), rule('sendfile is faster', 'goodput of sendfile more than read_write', 'holds', { value: 1.34, low: 1.21, high: 1.44 }, '', 'r1/veth')]),
    row('Z4', zero, 'splice moves a file without any copy.', '003', '0 + 2 copies', 'not shown', '28.1 Gbit/s (24.0–31.2)', 'The intervals overlap; about 24 runs more would tell.', [rule('splice is as fast as sendfile', 'goodput of splice about sendfile, within 5 %', 'not shown', { value: 2.81e10, low: 2.4e10, high: 3.12e10 }, 'bit/s', 'r1/veth')]),
    row('D1', 'Kernel bypass and XDP', 'DPDK moves packets with no system calls and no interrupts.', '003', '0 system calls', 'cannot run here', '–', 'No hugepages on this machine; a machine with 512 MiB of them can.', []),
    row('D2', 'Kernel bypass and XDP', 'DPDK burns a whole CPU when idle.', '003', '100 %', 'holds', '198 % (196–199)', 'Both sides poll.', [rule('an idle poller takes a CPU', 'cpu.share of dpdk at least 0.95', 'holds', { value: 1.98, low: 1.96, high: 1.99 }, 'share', 'r3/vhost')]),
    row('X5', 'Kernel bypass and XDP', 'socket_redirect carries bytes past the TCP/IP stack.', '002', '11 against 14 Gbit/s', 'waits', '–', '', [], 'sockmap (not built yet)'),
  ];
}

/// A report of a few experiments: two links, three workloads, a sweep; what lacks and what fails too.
export function smallModel({ hostile = false } = {}) {
  const random = randoms(7);
  const options = { n: 12, buckets: 120 };
  const stream = kDatapaths.slice(0, 6);
  const records = [record('r1', 'download', 'download of 256 MiB, warm cache, into tmpfs', null, true), record('r2', 'rr', 'rr: round trips of 4 KiB, 16 clients', { name: 'latency', experiment: 'rr', title: 'Round trips', point: {}, digest: '00' }, false),
    record('r3', 'idle', 'idle for 5 s', null, false)];
  const experiments = [
    experiment(random, 'r1', 'veth', 'Download of 256 MiB over veth', 'bulk', [...stream, 'udp', 'afxdp'], options, [kNoDpdk, kFailed]),
    experiment(random, 'r1', 'vhost', 'Download of 256 MiB over vhost', 'bulk', ['dpdk'], options),
    experiment(random, 'r2', 'veth', 'Round trips of 4 KiB over veth', 'requests', ['read_write', 'sendfile', 'uring', 'udp', 'afxdp'], options, [kNoDpdk]),
    experiment(random, 'r3', 'vhost', 'Idle for 5 s over vhost', 'idle', ['udp', 'dpdk'], options),
  ];
  const points = [16, 18, 20, 22, 24, 26].map((bits, i) => {
    const id = `r${i + 4}`;
    records.push(record(id, 'download', `download of ${2 ** (bits - 10)} KiB`, { name: 'bulk', experiment: 'size', title: 'Goodput against size', point: { size: String(2 ** bits) }, digest: '01' }, false));
    const label = bits < 20 ? `${2 ** (bits - 10)} KiB` : `${2 ** (bits - 20)} MiB`;
    experiments.push(experiment(random, id, 'veth', `Download of ${label} over veth`, 'bulk', [...stream, 'afxdp'], { ...options, scale: 0.15 + 0.17 * i }));
    return { x: 2 ** bits, label, experiment: `${id}/veth` };
  });
  const model = {
    schema: 'waggle-report/1', title: 'Sample: how files travel', about: 'invented records of 2026-11-21, 1 machine', datapaths: kDatapaths, records, experiments,
    sweeps: [{ id: 'bulk/size/veth', suite: 'bulk', title: 'Goodput against size', link: 'veth', x: { name: 'size', unit: 'B', log: true }, caption: 'veth, MTU 1500 · 2-core virtual machine · n = 12 each', points }],
    verdicts: verdicts(),
  };
  return hostile ? withHostileTexts(model) : model;
}

export const kHostile = '</script><img src=x onerror="window.broken=1"><!-- <b>&amp;';

/// What a stranger's record could say, wherever a text stands.
function withHostileTexts(model) {
  const walk = (value, key) => {
    if (Array.isArray(value)) {
      return value.map((one) => walk(one, key));
    }
    if (value && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, walk(one, name)]));
    }
    const free = ['title', 'about', 'headline', 'machine', 'noise', 'warnings', 'value', 'reason', 'hint', 'sentence', 'says', 'rule', 'why', 'text', 'theirs', 'ours', 'caption', 'command', 'command_line', 'file', 'of'];
    return typeof value === 'string' && free.includes(key) ? `${value}${kHostile}` : value;
  };
  const changed = walk(model, '');
  const first = changed.experiments[0];
  first.contestants[0].label = kHostile;
  first.contestants[0].sender = kHostile;
  first.comparisons[0].a = kHostile;
  return changed;
}

/// As large as a report of the suite `full`: 60 experiments of 10 contestants.
export function fullModel() {
  const random = randoms(11);
  const records = [];
  const experiments = [];
  for (let i = 0; i < 60; i += 1) {
    const kind = i % 3 === 0 ? 'requests' : 'bulk';
    const workload = { requests: 'rr', bulk: 'download' }[kind];
    records.push(record(`r${i}`, workload, `${workload} number ${i}`, { name: ['bulk', 'latency', 'loss', 'mtu'][i % 4], experiment: 'size', title: 'A suite', point: { size: String(i) }, digest: '02' }, i % 7 === 0));
    experiments.push(experiment(random, `r${i}`, ['veth', 'vhost', 'loopback'][i % 5 === 4 ? 2 : i % 2], `${workload} number ${i}`, kind, kDatapaths, { n: 15, buckets: 220, scale: 0.5 + random.uniform() }, []));
  }
  return { schema: 'waggle-report/1', title: 'Sample: full', about: 'invented', datapaths: kDatapaths, records, experiments, sweeps: [], verdicts: verdicts() };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(JSON.stringify(process.argv[2] === 'full' ? fullModel() : smallModel()));
}
