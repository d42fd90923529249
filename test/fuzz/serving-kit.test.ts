import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { KIT, numpyPython } from '../tasks/numpy-python.js';
import { RUNS } from './runs.js';

const output = z.object({
  came: z.record(z.string(), z.number()),
  good: z.string(),
  pieces: z.array(z.string()),
  trickle: z.tuple([z.string(), z.number()]),
});

it('whatever a server writes, the kit answers or calls it a fault, and no later than its deadline', async () => {
  const bin = await numpyPython();
  const env = { PATH: `${bin}:/usr/bin:/bin`, PYTHONPATH: KIT, PYTHONDONTWRITEBYTECODE: '1' };
  const seed = String(Math.floor(Math.random() * 2 ** 31));
  const script = join(import.meta.dirname, 'hostile_answers.py');
  const { stdout } = await promisify(execFile)('python', [script, String(RUNS.numRuns), seed], { env });
  const { came, good, pieces, trickle } = output.parse(JSON.parse(stdout));
  const ends = ['answered', 'protocol', 'late'];
  expect(
    Object.keys(came).filter((end) => !ends.includes(end)),
    `seed ${seed}`,
  ).toEqual([]);
  expect(came['protocol'] ?? 0, `seed ${seed}`).toBeGreaterThan(0);
  expect(good).toBe('answered');
  expect(pieces.filter((end) => !ends.includes(end))).toEqual([]);
  // a hundredth of the deadline passes with each byte
  expect(trickle[0]).toBe('late');
  expect(trickle[1]).toBeLessThanOrEqual(101);
}, 240_000);
