import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ADVERSARIES, KIT, numpyPython } from './numpy-python.js';

const results = z.record(
  z.string(),
  z.object({
    kind: z.string().optional(),
    reason: z.string().optional(),
    right: z.boolean().optional(),
    chosen: z.array(z.number()).optional(),
    nats: z.number().optional(),
    hellos: z.number().optional(),
    tokens: z.number().optional(),
    rows: z.number().optional(),
  }),
);

let found: z.infer<typeof results>;
beforeAll(async () => {
  const env = {
    PATH: `${await numpyPython()}:/usr/bin:/bin`,
    PYTHONPATH: `${KIT}:${ADVERSARIES}:${import.meta.dirname}`,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const { stdout } = await promisify(execFile)('python', [join(import.meta.dirname, 'serving_parts.py')], {
    env,
    maxBuffer: 1e7,
  });
  found = results.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}, 120_000);

describe('choices among rows', () => {
  it('chooses the likeliest option of an honest server, whatever the lengths', () => {
    expect(found['honest']).toEqual({ right: true });
  });

  it.each([
    ['by_place', 'log-probabilities that one server claimed'],
    ['flattens', 'log-probabilities that one server claimed'],
    ['by_place_loose', 'another option was chosen in another order'],
    ['remembers', 'another option was chosen in another order'],
  ])('refuses servers that cheat: %s', (name, why) => {
    expect(found[name]?.kind).toBe('twins_disagree');
    expect(found[name]?.reason).toContain(why);
  });

  it('takes an option without a token that counts as min does: chosen where it is the first', () => {
    expect(found['empty']).toEqual({ chosen: [0, 0] });
  });
});

describe('a scoring of several parts', () => {
  it('greets each server once, and finds what the parts find alone', () => {
    expect(found['together']).toMatchObject({ right: true, hellos: 2 });
    expect(found['together']?.nats).toBeCloseTo(found['alone']?.nats ?? NaN, 1);
    expect(found['alone']?.right).toBe(true);
  });

  it('keeps to the most rows and tokens of a request', () => {
    expect(found['together']?.rows).toBe(48);
    // rows of 33 tokens, 48 of them; choices have 400 at most
    expect(found['together']?.tokens).toBe(48 * 33);
  });
});
