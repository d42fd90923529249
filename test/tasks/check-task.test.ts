import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cacheFolder } from '../../src/dev/paths.js';
import { AssayError } from '../../src/domain/errors.js';
import { checkTask, type CheckedTask, type CheckSettings } from '../../src/measure/check-task.js';
import { LeasePool } from '../../src/sandbox/host/lease.js';
import { loadTask } from '../../src/tasks/load.js';
import { writeSkeleton } from '../../src/tasks/skeleton.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-check-'));
  await writeSkeleton({ folder: join(folder, 'mine'), language: 'python', served: false });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Checks the skeleton, on a host of one slot, with one text of one of its files replaced. */
async function checked(
  file: string,
  from: string,
  to: string,
  { signal = new AbortController().signal, tell = () => undefined }: Partial<CheckSettings> = {},
): Promise<CheckedTask> {
  const path = join(folder, 'mine', file);
  const before = await readFile(path, 'utf8');
  expect(before).toContain(from);
  await writeFile(path, before.replace(from, to));
  const settings = { home: join(folder, 'home'), cache: cacheFolder(), slots: 1, signal, tell };
  return checkTask(await loadTask(join(folder, 'mine')), settings);
}

it('measures the start twice, and leaves nothing', async () => {
  const { failure, runs, warnings } = await checked('task.yaml', 'title: A', 'title: Another');
  expect(failure).toBeNull();
  expect(runs.map(({ seed, failure: failed }) => [seed, failed])).toEqual([
    [1, null],
    [2, null],
  ]);
  const [one, two] = runs.map(({ metrics }) => metrics['mse']);
  expect(one).not.toBe(two);
  expect(runs[0]?.margins.map(({ gate, over }) => [gate, over < 0])).toEqual([['size', true]]);
  expect(warnings).toEqual([]);
  const leases = await readdir(join(folder, 'home', 'leases'), { recursive: true });
  expect(leases.filter((name) => name.includes('beside/'))).toEqual([]);
  expect(await readdir(join(folder, 'home', 'work'))).toEqual([]);
});

it.each([
  ['metric: train_s, max: 0, known: train', 'disqualified', 'train', 's', 1],
  ['metric: bytes, min: 1000000, known: train', 'size_blocked', 'pack', 'bytes', 1],
  ['metric: mse, max: 0, known: evaluate', 'disqualified', 'evaluate', '', 1],
  ['metric: mse, max: 0, known: evaluate, test: statistical', 'disqualified', 'evaluate', '', 2],
])('fails where the start misses the gate %s', async (gate, status, phase, unit, measured) => {
  const { failure, runs } = await checked('task.yaml', 'metric: bytes, max: 20000, known: train', gate);
  expect(failure).toMatchObject({ status, phase, limit: { name: 'size', unit } });
  expect(failure?.reason).toMatch(
    measured === 1 ? /missed by [\d.]+( \(code is \d+, the artifact \d+\))?$/ : /, in the mean of 2 runs$/,
  );
  expect(runs).toHaveLength(measured);
  expect(runs[0]?.margins.some(({ over }) => over > 0)).toBe(true);
});

it('needs the slots of a worker, and says who holds them', async () => {
  const pool = new LeasePool('cpu', 1, join(folder, 'home', 'leases'));
  const stop = new AbortController();
  const told: string[] = [];
  const tell = (doing: string): void => {
    told.push(doing);
    if (doing.includes('waiting for')) stop.abort(new Error('told'));
  };
  await pool.withLease({ slots: 1, signal: new AbortController().signal }, () =>
    expect(checked('task.yaml', 'title: A', 'title: B', { signal: stop.signal, tell })).rejects.toThrow(
      'told',
    ),
  );
  expect(told.at(-1)).toBe(`pool cpu: waiting for 1 slots; held by process ${process.pid}`);
  expect(await readdir(join(folder, 'home', 'work'))).toEqual([]);
  await expect(checked('task.yaml', 'slots: 1', 'slots: 2')).rejects.toThrow(
    'a lease of 2 slots cannot be had from pool cpu of 1',
  );
});

it('warns of a seed that is fixed', async () => {
  const { warnings } = await checked('recipe/train.py', "int(os.environ['ASSAY_SEED'])", '3');
  expect(warnings).toEqual([expect.stringContaining('its seed is fixed')]);
});

it('shows the traceback of a start that crashes', async () => {
  const { failure, runs } = await checked(
    'recipe/train.py',
    'for step in',
    "raise ValueError('no data')\nfor step in",
  );
  expect(failure).toMatchObject({ status: 'crash', phase: 'train' });
  expect(failure?.tail).toMatch(/^Traceback[^]*ValueError: no data$/);
  expect(runs).toHaveLength(1);
});

it.each([
  [
    "'path': f'{part}/points.csv'",
    "'path': 7",
    /DATA_INVALID .* malformed: .*files\.0\.path: expected string/,
  ],
  ["'bytes': len(text)", "'bytes': 1", /DATA_INVALID .* train\/points\.csv has \d+ bytes, and not 1/],
  [
    "PARTS = {'train': 400,",
    "PARTS = {'other': 400,",
    /DATA_INVALID .* no folder train\/, which task\.yaml names/,
  ],
  ["(output / 'manifest.json')", "(output / 'manifest')", /DATA_INVALID .* without a manifest\.json/],
  [
    'files = []',
    "raise SystemExit('no network')",
    /PREPARE_FAILED prepare\.py .* exited with code 1 .*no network/,
  ],
])('blames the preparation where it has %s as %s', async (from, to, message) => {
  const found = await checked('prepare.py', from, to).catch((error: unknown) => error);
  if (!(found instanceof AssayError)) throw new Error('it was not refused');
  expect(`${found.code} ${found.message} ${found.detail}`).toMatch(message);
});

it.each([
  [
    "'metrics': {'mse': mse}",
    "'metrics': {'MSE': mse}",
    /gave no "mse", which task\.yaml names; it gave "MSE"/,
  ],
  ["'metrics': {'mse': mse}", "'metrics': {'m s e': mse}", /metrics\.m s e: a name of 1 to 64/],
  ["'metrics': {'mse': mse}", "'metrics': {'mse': float('nan')}", /NaN is no number of JSON/],
])('names the field where the evaluator has %s as %s', async (from, to, message) => {
  await expect(checked('evaluator/evaluate.py', from, to)).rejects.toThrow(message);
});

it('cuts and notes what an evaluator says too much', async () => {
  const { warnings, runs } = await checked(
    'evaluator/evaluate.py',
    "'feedback': feedback}",
    "'feedback': 'x' * 9000, 'extra': 1}",
  );
  expect(runs[0]?.feedback).toHaveLength(4096);
  expect(warnings).toEqual([expect.stringContaining('"extra"'), expect.stringContaining('cut to 4096')]);
});
