import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DOUBT,
  evaluationLimit,
  needsAnother,
  projectedSeconds,
  projectionOf,
  REHEARSALS,
  rehearsalFailure,
  unprojected,
  type Rehearsed,
} from '../../src/domain/task/rehearsal.js';
import { taskSchema } from '../../src/domain/task/task.js';
import { leaseBoundMs, phaseSeconds } from '../../src/domain/task/bounds.js';
import { trainTimeout } from '../../src/domain/task/phase-clock.js';

const seconds = fc.double({ min: 0.001, max: 500, noNaN: true });
const share = fc.double({ min: 0.01, max: 0.5, noNaN: true });
const limit = fc.double({ min: 1, max: 1000, noNaN: true });
const onTime: fc.Arbitrary<Rehearsed> = fc.record({
  greetS: seconds,
  servedS: seconds,
  late: fc.constant(null),
  hostSpeed: fc.constantFrom(null, 0.95, 1),
});
const late: fc.Arbitrary<Rehearsed> = fc.record({
  greetS: fc.option(seconds),
  servedS: seconds,
  late: fc.constant('late: no answer'),
  hostSpeed: fc.constantFrom(null, 0.95, 1),
});
const any = fc.oneof(onTime, late);

/** All rehearsals that are made, with `next` as what each would measure. */
function rehearsed(next: readonly Rehearsed[], part: number, limitS: number): Rehearsed[] {
  const runs: Rehearsed[] = [];
  do runs.push(next[runs.length] ?? { greetS: 1, servedS: 1, late: null, hostSpeed: null });
  while (needsAnother(runs, part, limitS));
  return runs;
}

describe('a rehearsed evaluation', () => {
  it('is projected exactly where every share takes the same', () => {
    fc.assert(
      fc.property(seconds, seconds, share, (greetS, fullS, part) => {
        const run = { greetS, servedS: fullS * part, late: null, hostSpeed: 1 };
        expect(projectedSeconds(run, part)).toBeCloseTo(greetS + fullS, 6);
      }),
    );
  });

  it('is rehearsed again only when the first is too long, and never a third time', () => {
    fc.assert(
      fc.property(any, any, share, limit, (first, second, part, limitS) => {
        const runs = rehearsed([first, second], part, limitS);
        const tooLong = first.late !== null || projectedSeconds(first, part) > DOUBT * limitS;
        expect(runs).toHaveLength(tooLong ? REHEARSALS : 1);
      }),
    );
  });

  it('ends a trial exactly when every rehearsal is late or over the limit by more than the doubt', () => {
    fc.assert(
      fc.property(any, any, share, limit, (first, second, part, limitS) => {
        const runs = rehearsed([first, second], part, limitS);
        const failure = rehearsalFailure(runs, part, limitS, '');
        const bad = [first, second].every(
          (run) => run.late !== null || projectedSeconds(run, part) > DOUBT * limitS,
        );
        expect(failure !== null).toBe(bad);
        if (failure === null) return;
        expect(failure).toMatchObject({ status: 'eval_budget_overrun', phase: 'rehearsal' });
        expect(failure.reason).toMatch(/^projected before training: /);
        if (runs.every((run) => run.late === null)) {
          expect(failure.limit?.allowed).toBe(limitS);
          expect(failure.limit?.used).toBeGreaterThan(DOUBT * limitS * 0.999);
        }
      }),
    );
  });

  it('ends no trial whose full evaluation would keep its limit, where a host slows a rehearsal down', () => {
    fc.assert(
      fc.property(
        seconds,
        seconds,
        share,
        fc.double({ min: 1, max: 9, noNaN: true }),
        (greetS, fullS, part, slow) => {
          const limitS = (greetS + fullS) * 1.001;
          const busy = { greetS: greetS * slow, servedS: fullS * part * slow, late: null, hostSpeed: 1 };
          const quiet = { greetS, servedS: fullS * part, late: null, hostSpeed: 1 };
          for (const next of [[busy, quiet], [quiet]]) {
            const runs = rehearsed(next, part, limitS);
            expect(rehearsalFailure(runs, part, limitS, '')).toBeNull();
          }
        },
      ),
    );
  });

  it('ends no trial for what a slow host took from it', () => {
    const slowness = fc.double({ min: 0.05, max: 0.89, noNaN: true });
    fc.assert(
      fc.property(seconds, seconds, share, slowness, (greetS, fullS, part, hostSpeed) => {
        const limitS = (greetS + fullS) * 1.001;
        const busy = {
          greetS: greetS / hostSpeed,
          servedS: (fullS * part) / hostSpeed,
          late: null,
          hostSpeed,
        };
        expect(projectedSeconds(busy, part)).toBeCloseTo(greetS + fullS, 6);
        expect(rehearsed([busy, busy], part, limitS)).toHaveLength(1);
        const late = { greetS: null, servedS: limitS, late: 'late: no answer', hostSpeed };
        const both = rehearsed([late, late], part, limitS);
        expect(both).toHaveLength(REHEARSALS);
        expect(rehearsalFailure(both, part, limitS, '')).toBeNull();
        expect(projectionOf(both, part, limitS)).toBeNull();
        expect(unprojected(both)).toContain(`late: no answer, on a host at ${hostSpeed.toFixed(2)}`);
      }),
    );
  });

  it('says in a failure how slow the host was, where that was not the whole of it', () => {
    const slow = { greetS: 1, servedS: 50, late: null, hostSpeed: 0.5 };
    const { reason } = rehearsalFailure([slow, slow], 0.1, 100, '') ?? {};
    expect(reason).toContain('would take 250.5 s of 100 s');
    expect(reason).toContain('2 times, less what a host at 0.50 and 0.50 of its full speed took from it');
  });

  it('says the least of what was projected', () => {
    fc.assert(
      fc.property(any, any, share, limit, (first, second, part, limitS) => {
        const runs = rehearsed([first, second], part, limitS);
        const least = Math.min(...runs.map((run) => projectedSeconds(run, part)));
        const projection = projectionOf(runs, part, limitS);
        expect(projection?.seconds).toBeCloseTo(least, 1);
        expect(projection).toMatchObject({ limitS, share: part, rehearsals: runs.length });
      }),
    );
    expect(projectionOf([], 0.1, 1)).toBeNull();
  });
});

describe('a task that rehearses', () => {
  const spec = {
    schema: 'assay.task/1',
    name: 'rehearsing',
    title: 'rehearsing',
    metric: { name: 'loss', unit: '', direction: 'minimize' },
    recipe: { editable: ['*'] },
    data: { prepare: 'prepare.py', train: 'train/', search: 'search/' },
    resources: {},
    phases: {
      smoke: { run: 'true', timeout_s: 10 },
      train: { run: 'true', timeout_s: 1, output: 'out/' },
      serve: { run: 'true', startup_s: 5 },
    },
    scoring: 'served',
    evaluate: { run: 'true', timeout_s: 40, rehearsal: { share: 0.1 } },
    specialists: ['solo'],
  };

  it('has an evaluation limit, and time for its rehearsals while it is prepared', () => {
    const task = taskSchema.parse(spec);
    expect(evaluationLimit(task)).toBe(40);
    const shorter = { ...spec.evaluate, rehearsal: { share: 0.1, limit_s: 30 } };
    expect(evaluationLimit(taskSchema.parse({ ...spec, evaluate: shorter }))).toBe(30);
    const { rehearsal: _, ...plain } = spec.evaluate;
    const without = taskSchema.parse({ ...spec, evaluate: plain });
    expect(phaseSeconds(task, null).prepare - phaseSeconds(without, null).prepare).toBe(2 * (40 + 5));
  });

  it('has time for the start beside each training where times are compared', () => {
    const plain = taskSchema.parse(spec);
    const guards = [{ metric: 'train_ratio', margin: 0.1 }];
    const timed = taskSchema.parse({ ...spec, guards });
    const nothing = { trained: false, packed: false, warm: false };
    const more = leaseBoundMs(timed, null, nothing) - leaseBoundMs(plain, null, nothing);
    expect(more).toBe(trainTimeout(plain, null) * 1000 * plain.resources.slots);
    expect(phaseSeconds(timed, null).train - phaseSeconds(plain, null).train).toBe(trainTimeout(plain, null));
  });

  it.each([
    ['scoring', { scoring: 'direct' }],
    ['smoke', { phases: { train: spec.phases.train, serve: spec.phases.serve } }],
    ['data', { data: undefined }],
    ['pool', { resources: { pool: 'h100x1' } }],
    ['limit_s', { evaluate: { ...spec.evaluate, rehearsal: { share: 0.1, limit_s: 41 } } }],
    ['share', { evaluate: { ...spec.evaluate, rehearsal: { share: 0 } } }],
    ['share', { evaluate: { ...spec.evaluate, rehearsal: { share: 0.1, shares: 2 } } }],
  ])('is refused without what it needs: %s', (word, change) => {
    const parsed = taskSchema.safeParse({ ...spec, ...change });
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toContain(word);
  });
});
