// SPDX-License-Identifier: BSD-2-Clause
// Numbers as people read them. The model has SI base units; here they are only scaled and rounded.

const kTimes = [
  [1e-9, 'ns'],
  [1e-6, 'µs'],
  [1e-3, 'ms'],
  [1, 's'],
];
const kBytes = ['B', 'KiB', 'MiB', 'GiB', 'TiB'].map((name, i) => [1024 ** i, name]);

const kScales = {
  'bit/s': [
    [1, 'bit/s'],
    [1e3, 'kbit/s'],
    [1e6, 'Mbit/s'],
    [1e9, 'Gbit/s'],
    [1e12, 'Tbit/s'],
  ],
  s: kTimes,
  us: kTimes.map(([factor, name]) => [factor * 1e6, name]),
  µs: kTimes.map(([factor, name]) => [factor * 1e6, name]),
  ns: kTimes.map(([factor, name]) => [factor * 1e9, name]),
  B: kBytes,
  '1/s': [
    [1, '/s'],
    [1e3, 'k/s'],
    [1e6, 'M/s'],
  ],
  share: [[0.01, '%']],
};

/// The scale in which `largest` has a few digits before its point: { factor, unit }.
export function scaleOf(largest, unit) {
  const scales = kScales[unit];
  if (!scales) {
    return { factor: 1, unit };
  }
  const size = Math.abs(largest);
  let chosen = scales[0];
  for (const scale of scales) {
    if (size >= scale[0] * 0.9995) {
      chosen = scale;
    }
  }
  return size === 0
    ? { factor: scales.length > 3 ? 1 : scales[0][0], unit: unit === 'share' ? '%' : unit }
    : { factor: chosen[0], unit: chosen[1] };
}

// Copies stand beside others that are nearly as many: 2.00 and 1.98.
const kDecimals = { 'B/B': 2 };

/// Three significant digits, and whole numbers whole: 2,067; 17.8; 0.0561.
export function number(value, unit = '') {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return '–';
  }
  if (unit in kDecimals) {
    return value.toFixed(kDecimals[unit]);
  }
  const size = Math.abs(value);
  if (size === 0) {
    return '0';
  }
  if (size >= 1e9 || size < 1e-4) {
    return value.toPrecision(3);
  }
  // Of a count, that is; what has been scaled is whole by chance.
  if ((Number.isInteger(value) && !unit) || size >= 99.95) {
    return Math.round(value).toLocaleString('en-US');
  }
  return size >= 9.995 ? value.toFixed(1) : size >= 0.9995 ? value.toFixed(2) : value.toPrecision(3);
}

/// "17.8 Gbit/s"
export function quantity(value, unit) {
  if (value === null || value === undefined) {
    return '–';
  }
  const scale = scaleOf(value, unit);
  return withUnit(number(value / scale.factor, scale.unit), scale.unit);
}

export function withUnit(text, unit) {
  return unit ? `${text} ${unit}` : text;
}

/// ", 75 %" where an interval covers the median with less than 95 %.
export function few(coverage) {
  return typeof coverage === 'number' && coverage < 0.949 ? `, ${Math.round(coverage * 1000) / 10} %` : '';
}

/// A title with its unit, where that says more than the title: "Goodput [Gbit/s]".
export function titled(title, unit) {
  return unit && !['B/B', '1/MiB'].includes(unit) ? `${title} [${unit}]` : title;
}

/// "15.1–19.2", in a scale that was chosen before.
export function interval(low, high, factor = 1, unit = '') {
  return low === null || low === undefined || high === null || high === undefined
    ? ''
    : `${number(low / factor, unit)}–${number(high / factor, unit)}`;
}

/// "95 % interval": what it covers, where runs are few.
export function covering({ coverage = null }) {
  return `${coverage === null ? 95 : Math.round(coverage * 1000) / 10} % interval`;
}

/// "17.8 Gbit/s (15.1–19.2)"; what it covers is said where that is less than 95 %.
export function estimate({ value, low = null, high = null, coverage = null }, unit) {
  if (value === null || value === undefined) {
    return '–';
  }
  const scale = scaleOf(value, unit);
  const range = interval(low, high, scale.factor, scale.unit);
  return `${withUnit(number(value / scale.factor, scale.unit), scale.unit)}${range ? ` (${range}${few(coverage)})` : ''}`;
}

/// Ticks of an axis: fewer digits than values have.
export function tick(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) {
    return value.toExponential(0).replace('e+', 'e');
  }
  return String(Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 4 }));
}

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/// 2026-11-21 14:03 UTC from an ISO date; what is none stays as it is.
export function moment(text) {
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(text ?? '');
  return found ? `${found[1]} ${found[2]}${/Z$|\+00:00$/.test(text) ? ' UTC' : ''}` : String(text ?? '');
}
