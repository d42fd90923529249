import { expect, it } from 'vitest';
import { incompleteFailure } from '../../../src/measure/phases/seal-outputs.js';

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
] as const)('an artifact for scoring %s that needs %j and has %j: %s', (scoring, artifact, paths, reason) => {
  const evaluate = {
    run: 'true',
    timeout_s: 1,
    gpus: 0,
    ...(artifact === undefined ? {} : { artifact: [...artifact] }),
  };
  const failure = incompleteFailure({ scoring, evaluate }, sealed(...paths));
  expect(failure?.reason ?? null).toBe(reason);
  if (failure !== null) expect(failure).toMatchObject({ status: 'crash', phase: 'seal' });
});
