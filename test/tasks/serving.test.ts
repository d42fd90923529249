import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ADVERSARIES, KIT, numpyPython } from './numpy-python.js';

const runs = z.record(
  z.string(),
  z.object({
    kind: z.string().optional(),
    reason: z.string().optional(),
    nats: z.number().optional(),
    error: z.number().optional(),
    tokens: z.number().optional(),
    off: z.number().optional(),
    early: z.boolean().optional(),
    right: z.boolean().optional(),
    share: z.number().optional(),
  }),
);
const results = z.object({
  runs,
  drawnLate: z.record(z.string(), z.array(z.array(z.number()))),
  replayed: z.object({ seeds: z.number(), same: z.boolean(), other: z.boolean() }),
  means: z.record(z.string(), z.number().nullable()),
});

let all: z.infer<typeof results>;
let found: z.infer<typeof runs>;
beforeAll(async () => {
  const bin = await numpyPython();
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    PYTHONPATH: `${KIT}:${ADVERSARIES}`,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const { stdout } = await promisify(execFile)('python', [join(import.meta.dirname, 'serving_cheats.py')], {
    env,
    maxBuffer: 1e7,
  });
  all = results.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
  found = all.runs;
}, 120_000);

const nats = (name: string): number => found[name]?.nats ?? NaN;

describe('the evaluator kit', () => {
  it.each([
    ['better_everywhere', 'twins_disagree', 'in the mean'],
    ['peeks_in_5_percent', 'twins_disagree', 'differ by more than 0.3'],
    ['peeks_in_0.05_percent', 'twins_disagree', 'differ by more than 0.3'],
    ['unnormalised', 'twins_disagree', 'differ by more than 0.3'],
    ['stronger_second', 'twins_disagree', 'differ by more than 0.3'],
    ['learns_undeclared', 'twins_disagree', 'without being sent them'],
    ['learns_early', 'twins_disagree', 'without being sent them'],
    ['adapts_once', 'twins_disagree', 'wants to adapt'],
    ['knows_what_exists', 'twins_disagree', 'without being sent them'],
    ['rows_RowsPeek', 'twins_disagree', 'differ by more than 0.3'],
    ['rows_RowsUnnormalised', 'twins_disagree', 'differ by more than 0.3'],
    ['greedy_GreedyByPlace', 'twins_disagree', 'another order'],
    ['predict_by_place', 'twins_disagree', 'another order'],
    ['predict_by_batch', 'twins_disagree', 'another order'],
    ['nan', 'invalid', 'not finite'],
    ['nan_blind', 'invalid', 'not finite'],
    ['positive', 'invalid', 'above 0'],
    ['late', 'late', 'no answer in time'],
    ['slow_blind', 'late', 'without the token took more than 0.005 s'],
  ])('refuses servers that cheat: %s as %s', (name, kind, why) => {
    expect(found[name]?.kind).toBe(kind);
    expect(found[name]?.reason).toContain(why);
  });

  it('scores an honest server by its own noise', () => {
    expect(nats('honest')).toBeGreaterThan(2);
    expect(found['honest']?.error).toBeGreaterThan(0);
    expect(found['honest']?.error).toBeLessThan(0.001);
  });

  it('scores a text from where it is told to', () => {
    expect([found['honest']?.tokens, found['honest_later']?.tokens]).toEqual([4096, 3996]);
    expect(nats('honest_later')).toBeCloseTo(nats('honest'), 1);
  });

  it('never sends a token before it was answered for blind, of rows no token twice', () => {
    for (const name of ['honest', 'rows_RowServer']) expect(found[name]?.early).toBe(false);
  });

  it('draws the places when the first server has answered everything', () => {
    expect(all.drawnLate).toEqual({ text: [[1], [2]], items: [[1], [2]] });
    // the danger: the places can be derived from the seed of the first server's requests
    expect(nats('knows_all_that_will_be')).toBeLessThan(0.8 * nats('honest'));
  });

  it('asks the same again by the seeds that it printed', () => {
    expect(all.replayed).toEqual({ seeds: 2, same: true, other: false });
  });

  it('normalises by itself: huge logits that are all alike gain nothing', () => {
    expect(nats('huge')).toBeCloseTo(Math.log(64), 6);
  });

  it('corrects parts of a text by what was asked of them, and says nothing of the others', () => {
    const bits = expect.closeTo(3 / Math.log(2), 9) as number;
    expect(all.means).toEqual({ all: 3, first: 3, unasked: null, lone: null, share: 1, bits });
  });

  it('scores spans of independent rows', () => {
    const { off = NaN, error = NaN } = found['rows_RowServer'] ?? {};
    expect(Math.abs(off)).toBeLessThan(4 * error);
  });

  it.each(['greedy_RowServer', 'predict_honest'])('puts answers back in order: %s', (name) => {
    expect(found[name]).toEqual({ right: true });
  });

  it.each([
    ['in_time', 1],
    ['stalls_once', 1],
    ['starts_slowly', 1],
    ['of_a_long_first', 1],
    // the last answers of these are refused by the deadline itself
    ['of_few_steps', 1],
    ['twice_too_slow', 0.1],
    ['a_tenth_too_slow', 0.57],
    ['of_a_slow_second', 0.55],
  ])('stops an evaluation that cannot end in time, and no other: %s after %d of it', (name, share) => {
    const { kind, share: stopped, reason } = found[`pace_${name}`] ?? {};
    expect(kind).toBe(share < 1 ? 'late' : undefined);
    expect(stopped).toBeCloseTo(share, 2);
    if (share < 1)
      expect(reason).toMatch(/^scoring would take [\d.]+ s of 25 s, by what \d+% of a server's part took/);
  });

  it('stops one that slows down when that can be seen', () => {
    expect(found['pace_slows_down']?.share).toBeGreaterThan(0.5);
    expect(found['pace_slows_down']?.share).toBeLessThan(0.95);
  });

  it.each(['tells_in_id', 'tells_in_type', 'tells_in_hello'])(
    'repeats nothing that a server said: %s',
    (name) => {
      expect(found[name]?.kind).toBe('protocol');
      expect(found[name]?.reason).not.toContain('no-agent-may-read');
    },
  );
});
