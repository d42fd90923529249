import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  budgetReason,
  changedLimits,
  lackingBudget,
  limitChangeSchema,
  limitsFrom,
  limitsInUnits,
  reachedLimit,
  LIMIT_NAMES,
  type LimitChange,
  type Limits,
} from '../../src/domain/money/budget.js';
import {
  advance,
  elapsedFrom,
  seenLately,
  totalMs,
  uncountedMs,
  type Anchor,
} from '../../src/domain/campaign/clock.js';
import { reasonText } from '../../src/domain/campaign/reasons.js';
import { explain } from '../../src/domain/text/explain.js';

const count = fc.integer({ min: 1, max: 100_000 });
const hours = fc.double({ min: 0.001, max: 8000, noNaN: true });
const cents = fc.integer({ min: 1, max: 1_000_000 }).map((value) => value / 100);

const limits: fc.Arbitrary<Limits> = fc
  .record({
    trials: count,
    submissions: fc.option(count, { nil: undefined }),
    hours: fc.option(hours),
    hoursWithoutGain: fc.option(hours),
    dollars: fc.option(cents),
    acceleratorSeconds: fc.option(cents),
  })
  .map(({ submissions, ...others }) =>
    limitsFrom(submissions === undefined ? others : { ...others, submissions }),
  );
const change: fc.Arbitrary<LimitChange> = fc.record(
  {
    trials: count,
    submissions: count,
    hours: fc.option(hours),
    hoursWithoutGain: fc.option(hours),
    dollars: fc.option(cents),
    acceleratorSeconds: fc.option(cents),
  },
  { requiredKeys: [] },
);

describe('a change of limits', () => {
  it('sets what it names, takes away what it names as null, and leaves the rest', () => {
    fc.assert(
      fc.property(limits, change, (before, asked) => {
        const [old, now] = [limitsInUnits(before), limitsInUnits(changedLimits(before, asked))];
        for (const name of LIMIT_NAMES) {
          const follows = name === 'submissions' && asked.trials !== undefined;
          if (asked[name] !== undefined) expect(now[name]).toBe(asked[name]);
          else if (!follows) expect(now[name]).toBe(old[name]);
        }
      }),
    );
  });

  it('made twice is made once', () => {
    fc.assert(
      fc.property(limits, change, (before, asked) => {
        const once = changedLimits(before, asked);
        expect(changedLimits(once, asked)).toEqual(once);
      }),
    );
  });

  it('lets submissions follow the trials only while they are four for each', () => {
    const before = limitsFrom({ trials: 10 });
    expect(changedLimits(before, { trials: 30 }).submissions).toBe(120);
    expect(changedLimits(before, { trials: 30, submissions: 50 }).submissions).toBe(50);
    expect(changedLimits({ ...before, submissions: 41 }, { trials: 30 }).submissions).toBe(41);
  });

  it.each([
    [{}, /names no limit; there are trials, submissions, hours, /],
    [{ by: 'ann' }, /names no limit/],
    [{ trails: 3 }, /unknown field "trails"/],
    [{ trials: 0 }, /^trials: /],
    [{ trials: null }, /^trials: /],
    [{ dollars: -1 }, /^dollars: /],
    [{ hours: 'many' }, /^hours: /],
    ['more', /expected object/],
  ])('of the shape %j is refused in words', (asked, reason) => {
    const parsed = limitChangeSchema.safeParse(asked);
    expect(parsed.success ? '' : explain(parsed.error)).toMatch(reason);
  });
});

describe('a budget', () => {
  it('names the command that makes room, and that amount does', () => {
    const amount = fc.integer({ min: 1, max: 5_000_000 });
    fc.assert(
      fc.property(amount, amount, amount, fc.boolean(), (limit, spent, needs, dollars) => {
        const kind = dollars ? 'microUsd' : 'acceleratorMs';
        const at = { microUsd: 0, acceleratorMs: 0 };
        const held = { ...at, [kind]: Math.min(spent, limit) };
        const asked = { ...at, [kind]: needs };
        const before = { ...limitsFrom({ trials: 1 }), [kind]: limit };
        const lacking = lackingBudget(before, held, asked);
        expect(lacking !== null).toBe(held[kind] + needs > limit);
        if (lacking === null) return;
        const reason = reasonText(budgetReason('night-1', lacking, { limits: before, held, needs: asked }));
        const found = /`assay budget night-1 --(dollars|accelerator-seconds) ([\d.e+-]+)`/.exec(reason);
        const raise = Number(found?.[2]);
        const after = changedLimits(before, dollars ? { dollars: raise } : { acceleratorSeconds: raise });
        expect(lackingBudget(after, held, asked)).toBeNull();
      }),
    );
  });

  it('says in numbers why it is used up', () => {
    const limit = { ...limitsFrom({ trials: 1 }), microUsd: 5_000_000 };
    const held = { microUsd: 4_980_000, acceleratorMs: 0 };
    const needs = { microUsd: 120_000, acceleratorMs: 0 };
    expect(reasonText(budgetReason('night-1', 'dollars', { limits: limit, held, needs }))).toBe(
      'the dollar budget of $5.00 is used up ($4.98 spent or held, a request needs up to $0.12): ' +
        '`assay budget night-1 --dollars 10`',
    );
  });
});

/** Event that one of several workers meets: time passes, a clock jumps, it looks, it is started again. */
type Happening =
  | { kind: 'pass'; ms: number }
  | { kind: 'jump'; who: number; ms: number }
  | { kind: 'look'; who: number }
  | { kind: 'hold'; atWork: boolean }
  | { kind: 'gain' };

const WORKERS = 3;
const YEAR_MS = 365 * 86_400_000;
const who = fc.nat({ max: WORKERS - 1 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 100_000 }) }),
  fc.record({ kind: fc.constant('jump' as const), who, ms: fc.integer({ min: -YEAR_MS, max: YEAR_MS }) }),
  fc.record({ kind: fc.constant('look' as const), who }),
  fc.record({ kind: fc.constant('hold' as const), atWork: fc.boolean() }),
  fc.constant({ kind: 'gain' as const }),
);

/** Workers with their own clocks on one campaign, as the store keeps it. */
class Watched {
  now = 0;
  atWork = true;
  version = 0;
  elapsed = elapsedFrom(new Date(0));
  readonly walls = Array.from({ length: WORKERS }, () => 0);
  /** Monotonic clocks begin anywhere. */
  readonly began = [17, -4_000_000, 90];
  readonly anchors: (Anchor | null)[];

  constructor(anchored: boolean) {
    this.anchors = this.began.map((monotonicMs) => (anchored ? { monotonicMs, totalMs: 0 } : null));
  }

  look(worker: number): void {
    const monotonicMs = this.now + (this.began[worker] ?? 0);
    const wall = new Date(this.now + (this.walls[worker] ?? 0));
    const elapsedMs = uncountedMs(this.elapsed, this.anchors[worker] ?? null, { wall, monotonicMs });
    this.elapsed = advance(this.elapsed, {
      elapsedMs,
      atWork: this.atWork,
      frontierVersion: this.version,
      wall,
    });
    this.anchors[worker] = { monotonicMs, totalMs: totalMs(this.elapsed) };
  }

  happen(one: Happening): void {
    if (one.kind === 'pass') this.now += one.ms;
    else if (one.kind === 'jump') this.walls[one.who] = (this.walls[one.who] ?? 0) + one.ms;
    else if (one.kind === 'look') this.look(one.who);
    else if (one.kind === 'gain') this.version += 1;
    else {
      this.look(0);
      this.atWork = one.atWork;
    }
  }
}

describe('the hours of a campaign', () => {
  it('are what passed, whatever its clocks show and however many watch', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const watched = new Watched(true);
        let worked = 0;
        for (const one of happenings) {
          if (one.kind === 'pass' && watched.atWork) worked += one.ms;
          watched.happen(one);
        }
        watched.look(0);
        expect(totalMs(watched.elapsed)).toBe(watched.now);
        expect(watched.elapsed.ranMs).toBe(worked);
      }),
    );
  });

  it('never go back, and never leave out what was at work since the last gain', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(happening, { maxLength: 60 }), (anchored, happenings) => {
        const watched = new Watched(anchored);
        for (const one of happenings) {
          const { ranMs, stillMs, sinceGainMs, gainVersion } = watched.elapsed;
          watched.happen(one);
          const { elapsed } = watched;
          expect(elapsed.ranMs).toBeGreaterThanOrEqual(ranMs);
          expect(elapsed.stillMs).toBeGreaterThanOrEqual(stillMs);
          if (elapsed.gainVersion === gainVersion)
            expect(elapsed.sinceGainMs - sinceGainMs).toBe(elapsed.ranMs - ranMs);
          else expect(elapsed.sinceGainMs).toBe(0);
        }
      }),
    );
  });

  it('include the time without a worker, by the wall clocks of the one before and the one after', () => {
    const watched = new Watched(true);
    watched.happen({ kind: 'pass', ms: 5000 });
    watched.look(0);
    watched.happen({ kind: 'pass', ms: 3_600_000 });
    watched.anchors[1] = null;
    watched.look(1);
    expect(watched.elapsed.ranMs).toBe(3_605_000);
    watched.anchors[2] = null;
    watched.happen({ kind: 'jump', who: 2, ms: -YEAR_MS });
    watched.look(2);
    expect(watched.elapsed.ranMs).toBe(3_605_000);
    watched.happen({ kind: 'pass', ms: 1000 });
    watched.look(2);
    expect(watched.elapsed.ranMs).toBe(3_606_000);
  });

  it('end it when they are used up', () => {
    const limit = limitsFrom({ trials: 10, hours: 1, hoursWithoutGain: 0.5 });
    const progress = { submitted: 0, counted: 0, ranMs: 3_599_999, sinceGainMs: 0 };
    expect(reachedLimit(limit, progress)).toBeNull();
    expect(reachedLimit(limit, { ...progress, ranMs: 3_600_000 })).toMatchObject({
      limit: 'hours',
      of: 1,
    });
    expect(reachedLimit(limit, { ...progress, sinceGainMs: 1_800_000 })).toMatchObject({
      limit: 'hoursWithoutGain',
      of: 0.5,
    });
  });
});

it('a worker that a server still lists is not called dead because the clocks differ', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  const seen = (ageMs: number): boolean => seenLately(new Date(now.getTime() - ageMs), now, 75_000, 360_000);
  expect([0, 74_999, -YEAR_MS, YEAR_MS].map(seen)).toEqual([true, true, true, true]);
  expect([75_000, 300_000, 360_000].map(seen)).toEqual([false, false, false]);
});
