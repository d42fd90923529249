import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { KIT, numpyPython } from './numpy-python.js';

const runs = z.record(
  z.string(),
  z.object({
    kind: z.string().optional(),
    reason: z.string().optional(),
    nats: z.number().optional(),
    early: z.boolean().optional(),
    right: z.boolean().optional(),
    share: z.number().optional(),
  }),
);
const drawnLate = z.record(z.string(), z.array(z.array(z.number())));
const replayed = z.object({ seeds: z.number(), same: z.boolean(), other: z.boolean() });
const unseen = z.object({ unseen: z.number(), expected: z.number(), evaluations: z.number() });
const results = z.object({ runs, drawnLate, replayed, unseen });

let all: z.infer<typeof results>;
let found: z.infer<typeof runs>;
beforeAll(async () => {
  const bin = await numpyPython();
  const env = { PATH: `${bin}:/usr/bin:/bin`, PYTHONPATH: KIT, PYTHONDONTWRITEBYTECODE: '1' };
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
    ['peeks', 'twins_disagree'],
    ['peeks_3_ahead', 'twins_disagree'],
    ['peeks_at_5_percent', 'twins_disagree'],
    ['peeks_a_hundredth', 'twins_disagree'],
    ['peeks_as_first', 'twins_disagree'],
    ['peeks_as_second', 'twins_disagree'],
    ['peeks_in_the_last_of_a_chunk', 'twins_disagree'],
    ['remembers', 'twins_disagree'],
    ['replays', 'twins_disagree'],
    ['knows_what_exists', 'twins_disagree'],
    ['counts_requests', 'twins_disagree'],
    ['adapt_learns_early', 'twins_disagree'],
    ['predict_by_place', 'twins_disagree'],
    ['predict_by_batch', 'twins_disagree'],
    ['nan', 'invalid'],
    ['infinite', 'invalid'],
    ['stalls', 'late'],
  ])('refuses servers that cheat: %s as %s', (name, kind) => {
    expect(found[name]?.kind).toBe(kind);
  });

  it('makes the seed of a server when the one before is done, and that of whose answers count at the end', () => {
    expect(all.drawnLate).toEqual({ text: [[1], [2], [3]], items: [[1], [2], [2]] });
    // the danger: the second one's cuts can be derived from the seed of the first one's questions
    expect(nats('knows_all_that_will_be')).toBeLessThan(0.2);
  });

  it('asks and counts the same again by the seeds that it printed', () => {
    expect(all.replayed).toEqual({ seeds: 3, same: true, other: false });
  });

  it('leaves a server that looks ahead rarely unseen as often as it says', () => {
    const { unseen, expected, evaluations } = all.unseen;
    expect(expected).toBeGreaterThan(0.1);
    const deviation = Math.sqrt((expected * (1 - expected)) / evaluations);
    expect(Math.abs(unseen - expected)).toBeLessThan(4 * deviation);
  });

  it('normalises by itself: a constant beside all logits, or huge ones, gain nothing', () => {
    expect(nats('honest')).toBeGreaterThan(2);
    expect(nats('unnormalised')).toBeCloseTo(nats('honest'), 4);
    expect(nats('huge')).toBeGreaterThan(nats('honest'));
  });

  it('bounds what can be gained within the tolerance by twice that, in nats', () => {
    expect(nats('peeks_below_the_tolerance')).toBeLessThan(nats('honest'));
    expect(nats('honest') - nats('peeks_below_the_tolerance')).toBeLessThan(2e-4);
  });

  it('lets a server that says so learn, from each chunk after its scores are in', () => {
    expect(nats('adapt_learns')).toBeLessThan(1.3);
    expect(found['adapt_learns']?.early).toBe(false);
  });

  it.each([
    ['in_time', 1],
    ['stalls_once', 1],
    ['starts_slowly', 1],
    // the last answers of these are refused by the deadline itself
    ['of_few_steps', 1],
    ['twice_too_slow', 0.1],
    ['a_tenth_too_slow', 0.57],
  ])('stops an evaluation that cannot end in time, and no other: %s after %d of it', (name, share) => {
    const { kind, share: stopped, reason } = found[`pace_${name}`] ?? {};
    expect(kind).toBe(share < 1 ? 'late' : undefined);
    expect(stopped).toBeCloseTo(share, 2);
    if (share < 1) expect(reason).toMatch(/^scoring would take [\d.]+ s of 25 s, by what \d+% of it took/);
  });

  it('stops one that slows down when that can be seen', () => {
    expect(found['pace_slows_down']?.share).toBeGreaterThan(0.5);
    expect(found['pace_slows_down']?.share).toBeLessThan(0.95);
  });

  it('puts predictions of items back in order', () => {
    expect(found['predict_honest']).toEqual({ right: true });
  });

  it.each(['tells_in_error', 'tells_in_field', 'tells_in_vocab'])(
    'repeats nothing that a server said: %s',
    (name) => {
      expect(found[name]?.kind).toBe('protocol');
      expect(found[name]?.reason).not.toContain('no-agent-may-read');
    },
  );
});
