// SPDX-License-Identifier: BSD-2-Clause
// The model: what `harness report` has computed. Here it is read and looked up; no figure is computed.
import { keyOf } from './names.js';

export const kSchema = 'waggle-report/1';

async function gunzip(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).text();
}

/// What a data block of the page holds: JSON as it is, or { "gzip": base64 of its gzip }.
async function block(id) {
  const value = JSON.parse(document.getElementById(id).textContent);
  return value && typeof value.gzip === 'string' && Object.keys(value).length === 1 ? JSON.parse(await gunzip(value.gzip)) : value;
}

function list(value) {
  return Array.isArray(value) ? value : [];
}

function completed(experiment) {
  return {
    ...experiment,
    warnings: list(experiment.warnings),
    comparisons: list(experiment.comparisons),
    unavailable: list(experiment.unavailable),
    contestants: list(experiment.contestants).map((contestant) => ({
      ...contestant,
      runs: list(contestant.runs).filter((run) => Number.isFinite(run.value)),
      latency: contestant.latency ?? {},
      figures: list(contestant.figures),
    })),
  };
}

/// The model with its lists complete and looked up by id. Throws one line when this is none that the page knows.
export async function readModel() {
  const model = await block('model');
  if (!model || model.schema !== kSchema) {
    throw new Error(`This file holds no report that it can show: its model says “${model?.schema ?? 'nothing'}”, not “${kSchema}”.`);
  }
  const records = list(model.records);
  const recordById = new Map(records.map((record) => [record.id, record]));
  const experiments = list(model.experiments).map((experiment) => {
    const whole = completed(experiment);
    whole.workload = recordById.get(experiment.record)?.workload ?? '';
    whole.suite = recordById.get(experiment.record)?.suite?.name ?? '';
    return whole;
  });
  const known = list(model.datapaths);
  const found = experiments.flatMap((one) => [...one.contestants, ...one.unavailable].map((contestant) => datapathOf(contestant)));
  return {
    title: model.title || 'Waggle report',
    about: model.about ?? '',
    records,
    recordById,
    experiments,
    experimentById: new Map(experiments.map((one) => [one.id, one])),
    sweeps: list(model.sweeps).map((sweep) => ({ ...sweep, points: list(sweep.points), warnings: list(sweep.warnings) })),
    leftOut: list(model.left_out),
    verdicts: list(model.verdicts).map((verdict) => ({ ...verdict, rules: list(verdict.rules) })),
    // Named by a record, so in the order of the list that stays the same from report to report, then what it lacks.
    datapaths: [...known.filter((name) => found.includes(name)), ...[...new Set(found)].filter((name) => !known.includes(name))],
    known,
  };
}

/// The records themselves, for download; read when first asked for.
let recordFiles;
export function readRecords() {
  recordFiles ??= block('records').then(list);
  return recordFiles;
}

/// The text of a record's file: plain in `text`, or `gzip` in base64.
export async function textOf(file) {
  return file.gzip === undefined ? file.text : gunzip(file.gzip);
}

/// What a contestant is filtered and coloured by: its sender, or its label where it says none.
export function datapathOf(contestant) {
  return contestant.sender || String(contestant.label).split('+')[0];
}

export function measured(experiment) {
  return experiment.contestants.filter((contestant) => contestant.status === 'ok');
}

export function figureOf(contestant, name, { party = null, place = null, of = '' } = {}) {
  return (
    contestant.figures.find(
      (figure) => figure.name === name && (figure.party ?? null) === party && (figure.place ?? null) === place && (figure.of ?? '') === of,
    ) ?? null
  );
}

/// The figure by which the contestants of an experiment are compared.
export function metricOf(experiment, contestant) {
  const name = experiment.metric?.name;
  return figureOf(contestant, name) ?? contestant.figures.find((figure) => figure.name === name) ?? null;
}

/// Every figure that some contestant has, once, in the order of the first that has it.
export function figuresOf(contestants) {
  const seen = new Map();
  for (const contestant of contestants) {
    for (const figure of contestant.figures) {
      if (!seen.has(keyOf(figure))) {
        seen.set(keyOf(figure), figure);
      }
    }
  }
  return [...seen.values()];
}

/// Contestants, best median first; those without one last.
export function ranked(experiment, contestants = measured(experiment)) {
  const sign = experiment.metric?.better === 'less' ? 1 : -1;
  const value = (contestant) => metricOf(experiment, contestant)?.value ?? null;
  return [...contestants].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    return x === null || y === null ? (x === null) - (y === null) : sign * (x - y);
  });
}

function comparisonOf(experiment, a, b, metric) {
  return (
    experiment.comparisons.find((one) => one.metric === metric && ((one.a === a && one.b === b) || (one.a === b && one.b === a))) ?? null
  );
}

/// The contestant that is best by a figure and differs from all others for the better; null when there is none.
/// Medians of unlike rounds may tell otherwise than the ratios within rounds do.
export function aloneBest(experiment, name, better) {
  const others = measured(experiment).length - 1;
  const sign = better === 'less' ? 1 : -1;
  const value = (contestant) => figureOf(contestant, name)?.value ?? Infinity * sign;
  const [best] = [...measured(experiment)].sort((a, b) => sign * (value(a) - value(b)));
  const winner = (one) => ((one.ratio > 1) === (better !== 'less') ? one.a : one.b);
  const beaten = experiment.comparisons.filter((one) => one.metric === name && one.differs && winner(one) === best?.label);
  return best && others > 0 && new Set(beaten.map((one) => (one.a === best.label ? one.b : one.a))).size === others ? best : null;
}

/// The first and the second by the metric, and whether a comparison says that they differ (null when none was made).
export function leader(experiment, contestants = measured(experiment)) {
  const [first, second] = ranked(experiment, contestants).filter((one) => metricOf(experiment, one));
  if (!first) {
    return null;
  }
  const comparison = second ? comparisonOf(experiment, first.label, second.label, experiment.metric.name) : null;
  return { first, second: second ?? null, differs: comparison ? comparison.differs : null };
}
