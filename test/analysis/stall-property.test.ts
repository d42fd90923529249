import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REASON_KINDS, type PendingActivity, type StallFacts } from '../../src/analysis/stall/types.js';
import { DOING } from '../../src/domain/trial/doing.js';
import { diagnoseStall } from '../../src/analysis/stall/diagnose.js';
import { before, CAMPAIGN, factsOf, QUEUES, workflow } from '../builders/stall-facts.js';

const moment = fc.option(fc.integer({ min: -300, max: 1000 }).map(before));
const anyActivity: fc.Arbitrary<PendingActivity> = fc.record({
  type: fc.constantFrom('train', 'evaluate', 'prepare', 'takeTurn', 'decide', 'watch', 'awaitControl', 'odd'),
  queue: fc.constantFrom(...QUEUES.map(([queue]) => queue), ''),
  state: fc.constantFrom('scheduled', 'started', 'cancelling', 'paused'),
  attempt: fc.integer({ min: 1, max: 40 }),
  failure: fc.option(
    fc.record({
      type: fc.constantFrom('TIMEOUT', 'MODEL_OVERLOADED', 'EVALUATOR_FAULT', 'FAULT'),
      message: fc.string(),
    }),
  ),
  nextAttemptAt: moment,
  failedAt: moment,
  scheduledAt: moment,
  startedAt: moment,
  heartbeatAt: moment,
  heartbeatTimeoutMs: fc.option(fc.integer({ min: 1, max: 200_000 })),
  startToCloseMs: fc.option(fc.integer({ min: 1, max: 200_000 })),
  worker: fc.constantFrom('host-a:1', 'host-b:2', ''),
  doing: fc.option(fc.constantFrom('training', ...Object.values(DOING))),
});
const anyWorkflow = fc
  .record({
    label: fc.constantFrom('night-1', 'opt-1', 'arch-1', 't00001', 't00002', 't00003'),
    activities: fc.array(anyActivity, { maxLength: 3 }),
    step: fc.option(
      fc.record({
        state: fc.constantFrom('scheduled' as const, 'started' as const),
        since: fc.integer({ min: -10, max: 500 }).map(before),
        attempt: fc.integer({ min: 1, max: 9 }),
      }),
    ),
    status: fc.constantFrom('running' as const, 'ended' as const, 'missing' as const),
  })
  .map(({ label, activities, ...more }) => workflow(label, activities, more));
const anyFacts = fc
  .record({
    workflows: fc.uniqueArray(anyWorkflow, { selector: ({ label }) => label, maxLength: 6 }),
    unpolled: fc.subarray(QUEUES.map(([queue]) => queue)),
    control: fc.constantFrom('running' as const, 'paused' as const, 'draining' as const, 'stopping' as const),
    pool: fc.constantFrom('cpu', null),
  })
  .map(({ workflows, unpolled, control, pool }) =>
    factsOf(workflows, { unpolled, campaign: { ...CAMPAIGN, control, pool } }),
  );

describe('whatever the server says', () => {
  it('every pending activity that neither moves nor waits on purpose is told, once, in sound sentences', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { reasons, moves } = diagnoseStall(facts);
        expect(new Set(reasons.map(({ id }) => id)).size).toBe(reasons.length);
        for (const { text, what, since } of reasons) {
          expect(text).not.toMatch(/NaN|Infinity|undefined|-\d+ (?:s|min|h)\b/);
          expect(text).not.toContain('\n');
          expect(REASON_KINDS).toContain(what);
          if (since !== null) expect(Number.isNaN(Date.parse(since))).toBe(false);
        }
        if (moves !== false) return;
        const told = new Set(reasons.flatMap(({ about }) => about));
        for (const { label, kind, status, activities } of facts.server?.workflows ?? []) {
          if (kind === 'campaign' || status !== 'running') continue;
          const silent = activities.every(({ type }) => type === 'watch' || type === 'awaitControl');
          if (!silent) expect(told).toContain(label);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('the reasons do not depend on the order in which it says it', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { server: found } = facts;
        if (found === null) return;
        const turned = { ...facts, server: { ...found, workflows: [...found.workflows].reverse() } };
        const short = (each: StallFacts): unknown =>
          diagnoseStall(each).reasons.map(({ id, about, since }) => [id, about, since]);
        expect(short(turned)).toEqual(short(facts));
      }),
    );
  });
});
