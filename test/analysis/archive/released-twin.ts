/** A small table with every oddity of the paper's release, in its columns; all numbers are made up. */
const HEADER = [
  ...['exp_id', 'timestamp', 'specialist', 'parent_exp', 'baseline_exp', 'domain', 'hypothesis'],
  ...['expected_delta', 'status', 'val_bpb', 'delta_vs_best', 'artifact_bytes', 'train_s', 'eval_s'],
  ...['total_s', 'job_name', 'snapshot_path', 'notes'],
];

type Cells = Partial<Record<string, string>>;
const row = (cells: Cells): string => HEADER.map((name) => cells[name] ?? '').join('\t');
const at = (minute: number): string => `2030-01-01T00:${String(minute).padStart(2, '0')}:00Z`;

const START = { exp_id: '000', timestamp: at(0), specialist: 'baseline', status: 'baseline', val_bpb: '1.0' };
const KEPT = {
  ...{ exp_id: '001', timestamp: at(10), specialist: 'opt', parent_exp: '000', domain: 'opt' },
  ...{ hypothesis: 'raise it', expected_delta: '-0.01', status: 'keep', val_bpb: '0.9' },
  ...{ delta_vs_best: '-0.100000', artifact_bytes: '900', total_s: '60', snapshot_path: 'snapshots/001_opt' },
};
/** Hypothesis quoted over two lines, parent with a prefix, expected in words, edit of another domain. */
const MULTILINE = {
  ...{ exp_id: '002', timestamp: at(12), specialist: 'opt', parent_exp: 'exp_001', domain: 'arch' },
  ...{ hypothesis: '"first line\nsecond ""line"""', expected_delta: 'minus_0.02', status: 'discard' },
  ...{ val_bpb: '0.95', delta_vs_best: '+0.050000', artifact_bytes: '910', total_s: '60' },
};
/** The cells after the hypothesis in one cell with it, as are its own notes. */
const RAGGED =
  `003\t${at(14)}\tarch\t001\t001\tarch\t` +
  '"wider it</hypothesis> <parameter name=""notes"">One line." -0.005 size_blocked 0.85  1100 60.0 50.0 120.0 job-3  later';
/** A fault of the infrastructure under the status of a crash, and a crash of the recipe. */
const INFRASTRUCTURE = {
  ...{ exp_id: '004', timestamp: at(15), specialist: 'arch', parent_exp: '001', domain: 'arch' },
  ...{ hypothesis: 'x', status: 'preflight_crash', notes: 'infrastructure sync failure' },
};
const CRASH = {
  ...{ exp_id: '005', timestamp: at(16), specialist: 'arch', parent_exp: '001', domain: 'arch' },
  ...{ hypothesis: 'y', status: 'preflight_crash', notes: 'my idea | ValueError: bad (train.py:7 in main)' },
};
const ABORTED = { ...CRASH, exp_id: '006', timestamp: at(17), status: 'harness_abort', notes: 'lost' };

const table = (rows: readonly (Cells | string)[]): string =>
  `${[HEADER.join('\t'), ...rows.map((each) => (typeof each === 'string' ? each : row(each)))].join('\n')}\n`;

export const TWIN = table([START, KEPT, MULTILINE, RAGGED, INFRASTRUCTURE, CRASH, ABORTED]);

/** Rows that contradict what the table says above them, and one that cannot be read. */
export const CONTRADICTING = table([
  START,
  KEPT,
  // made from a trial that is not there; a difference that is not that of the scores
  { ...MULTILINE, parent_exp: '099', delta_vs_best: '+0.990000' },
  // made from itself; kept though it is no better; larger than the smallest that was blocked
  {
    ...KEPT,
    exp_id: '003',
    timestamp: at(14),
    parent_exp: '003',
    val_bpb: '0.91',
    delta_vs_best: '+0.010000',
    artifact_bytes: '2000',
  },
  // better than the best, but not kept; ended before the one above; the id of an earlier row
  { ...KEPT, status: 'discard', timestamp: at(13), val_bpb: '0.8', delta_vs_best: '-0.100000' },
  // began before the result that it was made from
  { ...MULTILINE, exp_id: '005', timestamp: at(15), parent_exp: '003', total_s: '600' },
  {
    ...KEPT,
    exp_id: '006',
    timestamp: at(16),
    status: 'size_blocked',
    artifact_bytes: '1000',
    delta_vs_best: '',
  },
  { ...KEPT, exp_id: '007', timestamp: at(17), status: 'lost in thought' },
]);
