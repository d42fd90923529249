import type { ColumnsInput } from './columns.js';

/** Columns that the three tables of the paper's release (arXiv 2605.05724) share. */
const SHARED = {
  id: 'exp_id',
  status: 'status',
  hypothesis: 'hypothesis',
  notes: 'notes',
  role: 'specialist',
  domain: 'domain',
  parent: 'parent_exp',
  ended_at: 'timestamp',
  expected_delta: 'expected_delta',
  delta: 'delta_vs_best',
  total_s: 'total_s',
  train_s: 'train_s',
  snapshot: 'snapshot_path',
} as const;

const COMMON = {
  schema: 'assay.columns/1',
  statuses: {
    baseline: 'start',
    keep: 'keep',
    discard: 'discard',
    disqualified: 'disqualified',
    size_blocked: 'size_blocked',
    train_budget_overrun: 'train_budget_overrun',
    eval_budget_overrun: 'eval_budget_overrun',
    preflight_crash: 'preflight_crash',
    crash: 'crash',
    harness_abort: 'infrastructure',
  },
  infrastructure: [{ status: 'preflight_crash', notes: 'infrastructure sync failure' }],
  parent_prefix: 'exp_',
} satisfies Partial<ColumnsInput>;

/** Tables whose columns are known, by a column that only they have; the first that fits is taken. */
const KNOWN: readonly { has: readonly string[]; columns: ColumnsInput }[] = [
  {
    has: ['exp_id', 'core_metric', 'val_bpb'],
    columns: {
      ...COMMON,
      metric: { name: 'core_metric', direction: 'maximize' },
      columns: { ...SHARED, score: 'core_metric' },
      metrics: ['val_bpb'],
      accelerators: 8,
    },
  },
  {
    has: ['exp_id', 'train_s', 'accuracy', 'acc_std'],
    columns: {
      ...COMMON,
      metric: { name: 'train_s', unit: 's', direction: 'minimize' },
      columns: { ...SHARED, score: 'train_s' },
      metrics: ['accuracy'],
      accelerators: 1,
    },
  },
  {
    has: ['exp_id', 'val_bpb', 'artifact_bytes', 'eval_s'],
    columns: {
      ...COMMON,
      metric: { name: 'val_bpb', direction: 'minimize' },
      columns: { ...SHARED, score: 'val_bpb', artifact_bytes: 'artifact_bytes', evaluate_s: 'eval_s' },
      accelerators: 8,
    },
  },
  {
    // the table that karpathy/autoresearch has its agents write
    has: ['commit', 'val_bpb', 'memory_gb', 'status', 'description'],
    columns: {
      schema: 'assay.columns/1',
      metric: { name: 'val_bpb', direction: 'minimize' },
      columns: { id: 'commit', score: 'val_bpb', status: 'status', hypothesis: 'description' },
      statuses: { keep: 'keep', discard: 'discard', crash: 'crash' },
      no_score: [0],
      accelerators: 1,
    },
  },
];

/** Returns the meaning of a table by the names of its columns; null where they are not known. */
export function knownColumns(header: readonly string[]): ColumnsInput | null {
  const names = new Set(header);
  return KNOWN.find(({ has }) => has.every((name) => names.has(name)))?.columns ?? null;
}
