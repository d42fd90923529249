import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { evaluationSchema } from '../../src/domain/trial/evaluation.js';
import { KIT, numpyPython } from './numpy-python.js';

const run = promisify(execFile);
const TASK = join(import.meta.dirname, '../../tasks/cifar10-airbench96');
const SECRET = 'a1'.repeat(32);
const IMAGES = 1000;
const PROCESSES = 2;

let work: string;
let bin: string;
let artifact: string;
let labels: Buffer;

const python = (env: Record<string, string>, ...argv: string[]): Promise<unknown> =>
  run('python', argv, {
    cwd: TASK,
    env: { PATH: `${bin}:/usr/bin:/bin`, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: KIT, ...env },
  });

async function prepared(name: string, secret: string): Promise<string> {
  const output = join(work, name);
  await mkdir(output);
  await python(
    { ASSAY_OUTPUT: output, ASSAY_DATA_SECRET: secret, ASSAY_PROFILE: 'ci', ASSAY_DOWNLOADS: work },
    'prepare.py',
  );
  return output;
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'assay-airbench-'));
  bin = await numpyPython();
  const data = await prepared('data', SECRET);
  labels = await readFile(join(data, 'search/labels.u8'));
}, 300_000);
afterAll(() => rm(work, { recursive: true, force: true }));
beforeEach(async () => {
  artifact = await mkdtemp(join(work, 'artifact-'));
  await mkdir(join(artifact, 'orders'));
});

/** A secret order as the harness makes one: row i of what a process saw is row order[i]. */
const orderOf = (process: number): number[] =>
  Array.from({ length: IMAGES }, (_, row) => (row * 7 + 13 * (process + 1)) % IMAGES);

/** Logits that name one class a row. */
function naming(classOf: (row: number) => number | undefined): Buffer {
  const logits = new Float32Array(IMAGES * 10);
  for (let row = 0; row < IMAGES; row++) logits[row * 10 + (classOf(row) ?? 0)] = 1;
  return Buffer.from(logits.buffer);
}

/** Evaluates processes that left logits; `answer` has the class of row i of what a process saw, in its order. */
async function evaluated(answer: (row: number, order: number[]) => number | undefined) {
  const told = [];
  for (let process = 0; process < PROCESSES; process++) {
    const order = orderOf(process);
    await mkdir(join(artifact, String(process)), { recursive: true });
    await writeFile(
      join(artifact, String(process), 'logits.f32'),
      naming((row) => answer(row, order)),
    );
    await writeFile(join(artifact, 'orders', `${process}.u32`), Buffer.from(Uint32Array.from(order).buffer));
    told.push({ process, seed: process, seconds: 20 + process, order: `orders/${process}.u32` });
  }
  await writeFile(join(artifact, 'processes.json'), JSON.stringify(told));
  const result = join(artifact, 'result.json');
  const env = {
    ASSAY_ARTIFACT: artifact,
    ASSAY_DATA: join(work, 'data/search'),
    ASSAY_PROCESSES: join(artifact, 'processes.json'),
    ASSAY_PROFILE: 'ci',
    ASSAY_RESULT_FD: '3',
  };
  await run('sh', ['-c', `python evaluator/evaluate.py 3> ${result}`], {
    cwd: TASK,
    env: { PATH: `${bin}:/usr/bin:/bin`, PYTHONPATH: KIT, PYTHONDONTWRITEBYTECODE: '1', ...env },
  });
  return evaluationSchema
    .and(z.looseObject({ metrics: z.looseObject({ accuracy: z.number() }), feedback: z.string() }))
    .parse(JSON.parse(await readFile(result, 'utf8')));
}

it('prepares images whose labels are the evaluator’s alone, the same on every host of a store', async () => {
  const again = await prepared('again', SECRET);
  const other = await prepared('other', 'b2'.repeat(32));
  expect(await readdir(join(again, 'test'))).toEqual(['images.u8']);
  const of = (folder: string): Promise<Buffer> => readFile(join(folder, 'test/images.u8'));
  expect(await of(again)).toEqual(await of(join(work, 'data')));
  expect(await of(other)).not.toEqual(await of(again));
});

it('puts logits back into order, and tells accuracy with its error, margin and times', async () => {
  const all = await evaluated((row, order) => labels[order[row] ?? 0]);
  expect(all.metrics.accuracy).toBe(1);
  const some = await evaluated((row, order) => (row < 700 ? labels[order[row] ?? 0] : 10 - 1));
  expect(some.metrics.accuracy).toBeGreaterThan(0.7);
  expect(some.metrics.accuracy).toBeLessThan(0.8);
  expect(some).toMatchObject({ standard_errors: { accuracy: expect.any(Number) as number } });
  expect(some.feedback).toMatch(
    /Accuracy 0\.7\d+ in the mean of 2 processes: 0\.2\d+ above the gate of 0\.5/,
  );
  expect(some.feedback).toContain('Seconds of the processes: 20.00, 21.00.');
});

it('gives nothing for labels that were learnt by the order of the test images', async () => {
  const { metrics, feedback } = await evaluated((row) => labels[row]);
  expect(metrics.accuracy).toBeLessThan(0.2);
  expect(feedback).toMatch(/below the gate/);
});

it('does not read an accuracy that a recipe wrote itself', async () => {
  for (const name of ['accuracy.json', '0/accuracy.json', '0/log.pt'])
    await mkdir(join(artifact, '0'), { recursive: true }).then(() =>
      writeFile(join(artifact, name), '{"accuracy": 1.0, "tta_val_acc": 1.0}'),
    );
  const { metrics } = await evaluated(() => 0);
  expect(metrics.accuracy).toBeLessThan(0.2);
});
