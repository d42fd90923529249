import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dtype } from '../../../src/domain/task/schema/artifact.js';
import { seal } from '../../../src/sandbox/sealing/seal.js';
import { artifactFailure } from '../../../src/measure/phases/seal-outputs.js';

const sealed = (...paths: string[]) => ({
  files: paths.map((path) => ({ path, bytes: 1, sha256: 'a'.repeat(64) })),
  bytes: paths.length,
  digest: 'd'.repeat(64),
});
const many = Array.from({ length: 7 }, (_, at) => `part-${at}.bin`);

it.each([
  ['direct', undefined, [], 'the artifact has no file: nothing was written to ASSAY_OUTPUT'],
  ['direct', ['x.json'], [], 'the artifact has no file: nothing was written to ASSAY_OUTPUT'],
  ['direct', undefined, ['any.bin'], null],
  ['direct', ['x.json'], ['x.json', 'log.txt'], null],
  ['direct', ['*.npy'], ['x.json'], 'the artifact has no *.npy, which the evaluator reads; it has x.json'],
  [
    'direct',
    ['*.npy'],
    many,
    'the artifact has no *.npy, which the evaluator reads; it has part-0.bin, part-1.bin, part-2.bin, part-3.bin, part-4.bin and 2 more',
  ],
  ['served', undefined, [], null],
  ['served', ['w.bin'], ['v.bin'], 'the artifact has no w.bin, which the evaluator reads; it has v.bin'],
] as const)(
  'an artifact for scoring %s that needs %j and has %j: %s',
  async (scoring, artifact, paths, reason) => {
    const evaluate = {
      run: 'true',
      timeout_s: 1,
      gpus: 0,
      ...(artifact === undefined ? {} : { artifact: [...artifact] }),
    };
    const failure = await artifactFailure({ scoring, evaluate }, sealed(...paths), '/nowhere');
    expect(failure?.reason ?? null).toBe(reason);
    if (failure !== null) expect(failure).toMatchObject({ status: 'crash', phase: 'seal' });
  },
);

describe('a file that is declared', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-declared-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** The reason for which files of an artifact are refused. */
  const refused = async (
    files: Record<string, Uint8Array>,
    declared: { path: string; dtype: Dtype; shape: number[] },
  ): Promise<string | null> => {
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    }
    const evaluate = { run: 'true', timeout_s: 1, gpus: 0, artifact: [declared] };
    const task = { scoring: 'direct' as const, evaluate };
    const of = await seal(folder, { maxBytes: 1e9, maxEntries: 100 });
    const failure = await artifactFailure(task, of, folder);
    if (failure !== null) expect(failure).toMatchObject({ status: 'crash', phase: 'seal' });
    return failure?.reason ?? null;
  };
  const f4 = (...numbers: number[]): Uint8Array => new Uint8Array(new Float32Array(numbers).buffer);
  const two = { path: 'x.f32', dtype: 'f4' as const, shape: [2, 3] };

  it('has its very size', async () => {
    expect(await refused({ 'x.f32': f4(1, 2, 3, 4, 5, -0) }, two)).toBeNull();
    expect(await refused({ 'x.f32': f4(1, 2, 3, 4, 5) }, two)).toBe(
      'the artifact is not what task.yaml declares: x.f32 has 20 bytes, and 2×3 of f4 are 24',
    );
  });

  it.each([NaN, Infinity, -Infinity])('holds no %d', async (value) => {
    expect(await refused({ 'x.f32': f4(1, 2, 3, 4, value, 6) }, two)).toBe(
      'the artifact is not what task.yaml declares: x.f32 has NaN or infinity at [1, 1]',
    );
  });

  it.each<[Dtype, number[], number[]]>([
    ['f2', [0xff, 0x7b], [0x00, 0x7c]],
    ['bf16', [0x7f, 0x7f], [0xc0, 0xff]],
    ['f8', [255, 255, 255, 255, 255, 255, 0xef, 0x7f], [1, 0, 0, 0, 0, 0, 0xf0, 0x7f]],
  ])('of %s may hold the largest number, and not what comes after it', async (dtype, most, after) => {
    const one = { path: 'x', dtype, shape: [1] };
    expect(await refused({ x: Uint8Array.from(most) }, one)).toBeNull();
    expect(await refused({ x: Uint8Array.from(after) }, one)).toMatch(/NaN or infinity at \[0\]/);
  });

  it('may hold any bytes where its numbers are whole', async () => {
    expect(
      await refused({ x: new Uint8Array(4).fill(255) }, { path: 'x', dtype: 'i4', shape: [1] }),
    ).toBeNull();
  });

  it('is looked at beyond its first megabytes', async () => {
    const numbers = new Float32Array(1_300_000);
    numbers[1_299_999] = NaN;
    const large = { path: 'x', dtype: 'f4' as const, shape: [1_300_000] };
    expect(await refused({ x: new Uint8Array(numbers.buffer) }, large)).toMatch(/at \[1299999\]/);
  });
});
