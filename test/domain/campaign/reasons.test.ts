import { expect, it } from 'vitest';
import { reasonSchema, reasonText, sameReason, type Reason } from '../../../src/domain/campaign/reasons.js';
import { interruptionText } from '../../../src/domain/trial/interruption.js';

const START = { kind: 'start', missedGate: 'low: loss is 4', noiseFault: 'it has no noise' } as const;
const REASONS: [Reason, string][] = [
  [{ kind: 'pause', said: null }, 'paused by a person'],
  [{ kind: 'pause', said: 'the budget talk' }, 'the budget talk'],
  [{ kind: 'stopping', mode: 'now' }, 'stopping now, asked by a person'],
  [{ kind: 'stopping', mode: 'drain' }, 'stopped by a person'],
  [{ kind: 'stopped', mode: 'drain' }, 'stopped by a person (drain)'],
  [{ kind: 'cancelled' }, 'cancelled'],
  [{ kind: 'terminated', said: 'stuck' }, 'terminated by a person: stuck'],
  [{ kind: 'terminated', said: null }, 'terminated by a person'],
  [{ kind: 'limit', limit: 'trials', at: 5, of: 5 }, 'trials (5 of 5)'],
  [{ kind: 'limit', limit: 'hours', at: 2.1, of: 2 }, 'hours (2)'],
  [{ kind: 'limit', limit: 'hoursWithoutGain', at: 2.1, of: 2 }, 'no gain in 2 hours'],
  [
    {
      kind: 'budget',
      campaign: 'c',
      budget: 'acceleratorSeconds',
      limit: 60,
      used: 59.2,
      needs: 10,
    },
    'the accelerator budget of 60 s is used up (60 s spent or held, a training needs up to 10 s): `assay budget c --accelerator-seconds 120`',
  ],
  [{ kind: 'fault', what: 'solo-1', code: null, text: 'it broke' }, 'solo-1: it broke'],
  [
    START,
    'the start recipe misses a gate (low: loss is 4); it has no noise; resume to search from it all the same: the first trial within the gates is adopted, each trial is judged by a single run',
  ],
  [{ kind: 'claim', runs: 16 }, '16 fresh runs of the start and the frontier'],
  [{ kind: 'lanes', text: 'it broke' }, 'every lane failed: it broke'],
  [{ kind: 'failure', text: 'it broke' }, 'it broke'],
  [
    { kind: 'noProposal', lanes: 2, because: 'a-1, b-1: finished: no knob' },
    'no lane proposed a trial: a-1, b-1: finished: no knob',
  ],
  [{ kind: 'abandoned', workflow: 'closed' }, 'its workflow is closed'],
  [{ kind: 'done' }, 'done'],
];

it.each(REASONS)('%j is stored as it is and reads: %s', (reason, text) => {
  expect(reasonSchema.parse(JSON.parse(JSON.stringify(reason)))).toEqual(reason);
  expect(reasonText(reason)).toBe(text);
  expect(sameReason(reason, { ...reason })).toBe(true);
});

it('tells every two of them apart, whatever their words', () => {
  for (const [i, [one]] of REASONS.entries())
    for (const [j, [other]] of REASONS.entries()) expect(sameReason(one, other)).toBe(i === j);
  const said: Reason = { kind: 'pause', said: 'stopped by a person' };
  expect(sameReason(said, { kind: 'stopping', mode: 'drain' })).toBe(false);
  expect(sameReason(null, null)).toBe(true);
});

it('reads the sentences of earlier versions, and kinds of later ones', () => {
  expect(reasonSchema.parse('lunch')).toEqual({ kind: 'text', text: 'lunch' });
  expect(reasonText(reasonSchema.parse({ kind: 'eclipse', at: 'noon' }))).toBe('eclipse');
  expect(reasonSchema.safeParse(7).success).toBe(false);
});

it('an exhausted budget is no fault of the infrastructure', () => {
  expect(interruptionText({ kind: 'budget' })).toBe('a budget is used up');
  expect(interruptionText({ kind: 'person', said: null })).toBe('a person: no reason given');
  expect(interruptionText({ kind: 'cancelled' })).toBe('cancelled on request');
  expect(interruptionText({ kind: 'infrastructure', text: 'it broke' })).toBe('infrastructure: it broke');
});
