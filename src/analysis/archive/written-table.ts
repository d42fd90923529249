import { ENDINGS, type Trajectory, type TrajectoryTrial } from '../trajectory/trajectory.js';
import type { ColumnsInput } from './columns.js';

/** A trajectory as the table that searches commonly write, and what its columns mean. */
export interface WrittenTable {
  tsv: string;
  columns: ColumnsInput;
}

/** Writes one row for the start and for each trial; what a table cannot hold (single runs, beliefs) is left out. */
export function writtenTable({ metric, start, trials }: Trajectory): WrittenTable {
  const all = [...(start === null ? [] : [start]), ...trials];
  const idOf = new Map(all.map(({ number, id }) => [number, id]));
  const metrics = [...new Set(all.flatMap((trial) => Object.keys(trial.metrics)))]
    .filter((name) => name !== metric.name)
    .sort();
  const columns = columnsOf(metric.name, metrics, idOf);
  const rows = all.map((trial) => columns.map(([, value]) => cell(value(trial, trial === start))));
  const lines = [columns.map(([name]) => cell(name)), ...rows].map((cells) => cells.join('\t'));
  return { tsv: `${lines.join('\n')}\n`, columns: meaning(metric, metrics) };
}

type Value = string | number | null;
type Column = readonly [name: string, value: (trial: TrajectoryTrial, isStart: boolean) => Value];

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

function columnsOf(score: string, metrics: readonly string[], idOf: ReadonlyMap<number, string>): Column[] {
  return [
    ['exp_id', ({ id }) => id],
    ['timestamp', ({ endedAt }) => (endedAt === null ? null : new Date(endedAt).toISOString())],
    ['status', ({ ending }, isStart) => (isStart ? 'start' : ending)],
    [score, (trial) => trial.score],
    ...metrics.map((name): Column => [`metric_${name}`, (trial) => trial.metrics[name] ?? null]),
    ['specialist', ({ role }) => role],
    ['domain', ({ domain }) => domain],
    ['model', ({ model }) => model],
    ['parent_exp', ({ parent }) => (parent === null ? null : (idOf.get(parent) ?? null))],
    ['expected_delta', ({ expectedDelta }) => expectedDelta],
    ['artifact_bytes', ({ artifactBytes }) => artifactBytes],
    ['train_s', ({ times }) => seconds(times.trainMs)],
    ['evaluate_s', ({ times }) => seconds(times.evaluateMs)],
    ['total_s', ({ times }) => seconds(times.totalMs)],
    ['dollars', ({ costs }) => (costs.microUsd === null ? null : costs.microUsd / 1e6)],
    ['hypothesis', ({ hypothesis }) => hypothesis],
    ['notes', ({ cause }) => cause],
  ];
}

function meaning({ name, unit, direction }: Trajectory['metric'], metrics: readonly string[]): ColumnsInput {
  return {
    schema: 'assay.columns/1',
    metric: { name, unit, direction },
    columns: {
      id: 'exp_id',
      score: name,
      status: 'status',
      hypothesis: 'hypothesis',
      notes: 'notes',
      role: 'specialist',
      domain: 'domain',
      model: 'model',
      parent: 'parent_exp',
      ended_at: 'timestamp',
      expected_delta: 'expected_delta',
      artifact_bytes: 'artifact_bytes',
      train_s: 'train_s',
      evaluate_s: 'evaluate_s',
      total_s: 'total_s',
      dollars: 'dollars',
    },
    metrics: metrics.map((metric) => `metric_${metric}`),
    statuses: { ...Object.fromEntries(ENDINGS.map((ending) => [ending, ending])), start: 'start' },
  };
}

/** A cell, quoted where it holds what ends a cell or opens a quoted one. */
function cell(value: Value): string {
  const text = value === null ? '' : String(value);
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
