// SPDX-License-Identifier: BSD-2-Clause
// Invented models for the tests of the page: of the form that `harness report` writes, measured by nobody. Run it to get one as JSON:
// node sample.mjs [small|full]
import { pathToFileURL } from 'node:url';
import { experiment, kDatapaths, randoms, record } from './parts.mjs';

const kNoDpdk = {
  label: 'dpdk',
  status: 'unavailable',
  reason: 'no hugepages: 0 of 512 MiB could be reserved',
  hint: 'echo 256 > /proc/sys/vm/nr_hugepages',
};
const kFailed = { label: 'simulated', status: 'failed', reason: 'run 3: the digest of the receiver differs', hint: null };

function rule(says, text, outcome, estimated, unit, experimentId) {
  return {
    says,
    rule: text,
    outcome,
    value: null,
    low: null,
    high: null,
    ...estimated,
    unit,
    experiment: experimentId,
    than_experiment: '',
    ours: '',
    why: '',
    paired: true,
  };
}

function verdicts() {
  const row = (claim, group, text, source, theirs, verdict, ours, why, rules, waits_for = null) => ({
    claim,
    group,
    text,
    source,
    theirs,
    verdict,
    ours,
    why,
    rules,
    waits_for,
  });
  const zero = 'Zero-copy table';
  return [
    row(
      'Z0',
      zero,
      'Copying with read and write takes four copies and four mode switches for each file.',
      '003',
      '2 + 2 copies, 4 mode switches',
      'does not hold',
      '2.00 + 2.00 copies/B (traced), 4,134 mode switches',
      'A file of 256 MiB takes thousands of calls, not one.',
      [rule('one call covers the file', 'mode_switches of read_write at most 4', 'does not hold', { value: 4134 }, '', 'r1/veth')],
    ),
    row(
      'Z2',
      zero,
      'sendfile saves one copy and two mode switches.',
      '003',
      '1 + 2 copies, 2 mode switches',
      'holds',
      '0.00 copies/B (traced)',
      'The whole interval is below the rule.',
      [
        rule('sendfile copies at most once', 'copies (sender, kernel) of sendfile at most 1.05', 'holds', { value: 0 }, 'B/B', 'r1/veth'),
        rule(
          'sendfile is faster',
          'goodput of sendfile more than read_write',
          'holds',
          { value: 1.34, low: 1.21, high: 1.44 },
          '',
          'r1/veth',
        ),
      ],
    ),
    row(
      'Z4',
      zero,
      'splice moves a file without any copy.',
      '003',
      '0 + 2 copies',
      'not shown',
      '28.1 Gbit/s (24.0–31.2)',
      'The intervals overlap; about 24 runs more would tell.',
      [
        rule(
          'splice is as fast as sendfile',
          'goodput of splice about sendfile, within 5 %',
          'not shown',
          { value: 2.81e10, low: 2.4e10, high: 3.12e10 },
          'bit/s',
          'r1/veth',
        ),
      ],
    ),
    row(
      'D1',
      'Kernel bypass and XDP',
      'DPDK moves packets with no system calls and no interrupts.',
      '003',
      '0 system calls',
      'cannot run here',
      '–',
      'No hugepages on this machine; a machine with 512 MiB of them can.',
      [],
    ),
    row(
      'D2',
      'Kernel bypass and XDP',
      'DPDK burns a whole CPU when idle.',
      '003',
      '100 %',
      'holds',
      '198 % (196–199)',
      'Both sides poll.',
      [
        rule(
          'an idle poller takes a CPU',
          'cpu.share of dpdk at least 0.95',
          'holds',
          { value: 1.98, low: 1.96, high: 1.99 },
          'share',
          'r3/vhost',
        ),
      ],
    ),
    row(
      'X5',
      'Kernel bypass and XDP',
      'socket_redirect carries bytes past the TCP/IP stack.',
      '002',
      '11 against 14 Gbit/s',
      'waits',
      '–',
      '',
      [],
      'sockmap (not built yet)',
    ),
  ];
}

/// A report of a few experiments: two links, three workloads, a sweep; what lacks and what fails too.
export function smallModel({ hostile = false } = {}) {
  const random = randoms(7);
  const options = { n: 12, buckets: 120 };
  const stream = kDatapaths.slice(0, 6);
  const records = [
    record('r1', 'download', 'download of 256 MiB, warm cache, into tmpfs', null, true),
    record(
      'r2',
      'rr',
      'rr: round trips of 4 KiB, 16 clients',
      { name: 'latency', experiment: 'rr', title: 'Round trips', point: {}, digest: '00' },
      false,
    ),
    record('r3', 'idle', 'idle for 5 s', null, false),
  ];
  const experiments = [
    experiment(random, 'r1', 'veth', 'Download of 256 MiB over veth', 'bulk', [...stream, 'udp', 'afxdp'], options, [kNoDpdk, kFailed]),
    experiment(random, 'r1', 'vhost', 'Download of 256 MiB over vhost', 'bulk', ['dpdk'], options),
    experiment(
      random,
      'r2',
      'veth',
      'Round trips of 4 KiB over veth',
      'requests',
      ['read_write', 'sendfile', 'uring', 'udp', 'afxdp'],
      options,
      [kNoDpdk],
    ),
    experiment(random, 'r3', 'vhost', 'Idle for 5 s over vhost', 'idle', ['udp', 'dpdk'], options),
  ];
  const points = [16, 18, 20, 22, 24, 26].map((bits, i) => {
    const id = `r${i + 4}`;
    records.push(
      record(
        id,
        'download',
        `download of ${2 ** (bits - 10)} KiB`,
        { name: 'bulk', experiment: 'size', title: 'Goodput against size', point: { size: String(2 ** bits) }, digest: '01' },
        false,
      ),
    );
    const label = bits < 20 ? `${2 ** (bits - 10)} KiB` : `${2 ** (bits - 20)} MiB`;
    experiments.push(
      experiment(random, id, 'veth', `Download of ${label} over veth`, 'bulk', [...stream, 'afxdp'], {
        ...options,
        scale: 0.15 + 0.17 * i,
      }),
    );
    return { x: 2 ** bits, label, experiment: `${id}/veth` };
  });
  const model = {
    schema: 'waggle-report/1',
    title: 'Sample: how files travel',
    about: 'invented records of 2026-11-21, 1 machine',
    datapaths: kDatapaths,
    records,
    experiments,
    sweeps: [
      {
        id: 'bulk/size/veth',
        suite: 'bulk',
        title: 'Goodput against size',
        link: 'veth',
        x: { name: 'size', unit: 'B', log: true },
        caption: 'veth, MTU 1500 · 2-core virtual machine · n = 12 each',
        points,
      },
    ],
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
    const free = [
      'title',
      'about',
      'headline',
      'machine',
      'noise',
      'warnings',
      'value',
      'reason',
      'hint',
      'sentence',
      'says',
      'rule',
      'why',
      'text',
      'theirs',
      'ours',
      'caption',
      'command',
      'command_line',
      'file',
      'of',
    ];
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
    records.push(
      record(
        `r${i}`,
        workload,
        `${workload} number ${i}`,
        { name: ['bulk', 'latency', 'loss', 'mtu'][i % 4], experiment: 'size', title: 'A suite', point: { size: String(i) }, digest: '02' },
        i % 7 === 0,
      ),
    );
    experiments.push(
      experiment(
        random,
        `r${i}`,
        ['veth', 'vhost', 'loopback'][i % 5 === 4 ? 2 : i % 2],
        `${workload} number ${i}`,
        kind,
        kDatapaths,
        { n: 15, buckets: 220, scale: 0.5 + random.uniform() },
        [],
      ),
    );
  }
  return {
    schema: 'waggle-report/1',
    title: 'Sample: full',
    about: 'invented',
    datapaths: kDatapaths,
    records,
    experiments,
    sweeps: [],
    verdicts: verdicts(),
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(JSON.stringify(process.argv[2] === 'full' ? fullModel() : smallModel()));
}
