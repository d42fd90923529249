import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  dealsWithRunning,
  ownFact,
  settlesReservation,
  settlesTrial,
  starterOf,
} from '../../src/domain/campaign/reconcile.js';

const fact = fc.constantFrom('running', 'closed', 'missing' as const);
const running = fc.record({
  type: fc.constantFrom('specialist' as const, 'trial' as const),
  campaign: fc.constantFrom('unknown' as const, 'running' as const, 'ended' as const),
  trial: fc.constantFrom('none' as const, 'open' as const, 'ended' as const),
});

it('takes no trial from a workflow that runs, nor from a lane that can still start it', () => {
  fc.assert(
    fc.property(fact, fact, (trial, lane) => {
      const settled = settlesTrial({ trial, lane });
      if (trial === 'running' || (trial === 'missing' && lane === 'running')) expect(settled).toBe(false);
      else expect(settled).toBe(true);
    }),
  );
});

it('takes no reservation from a campaign that runs, unless its trial has ended', () => {
  fc.assert(
    fc.property(fact, fc.boolean(), (campaign, trialEnded) => {
      expect(settlesReservation({ campaign, trialEnded })).toBe(campaign !== 'running' || trialEnded);
    }),
  );
});

it('ends nothing of a campaign that runs or is not in this store, and everything of one that has ended', () => {
  fc.assert(
    fc.property(running, (facts) => {
      const rule = dealsWithRunning(facts);
      if (facts.campaign === 'ended') expect(['cancel', 'terminate']).toContain(rule);
      else expect(['leave', 'report']).toContain(rule);
    }),
  );
});

it('never terminates a trial without a status: its processes have to die before it gets one', () => {
  expect(dealsWithRunning({ type: 'trial', campaign: 'ended', trial: 'open' })).toBe('cancel');
  expect(dealsWithRunning({ type: 'trial', campaign: 'ended', trial: 'ended' })).toBe('terminate');
  expect(dealsWithRunning({ type: 'specialist', campaign: 'ended', trial: 'none' })).toBe('terminate');
});

it('leaves a parked trial to its campaign for as long as that runs', () => {
  const open = { session: 'demo/opt-1/0', lane: 'opt-1' };
  expect(starterOf({ ...open, parked: null }, 'demo')).toBe('demo/opt-1');
  expect(starterOf({ ...open, session: null, parked: null }, 'demo')).toBe('demo');
  expect(starterOf({ ...open, parked: {} }, 'demo')).toBe('demo');
  const parked = { parked: {} };
  expect(settlesTrial({ trial: ownFact(parked, 'closed'), lane: 'running' })).toBe(false);
  expect(settlesTrial({ trial: ownFact(parked, 'running'), lane: 'closed' })).toBe(false);
  expect(settlesTrial({ trial: ownFact(parked, 'closed'), lane: 'closed' })).toBe(true);
  expect(settlesTrial({ trial: ownFact({ parked: null }, 'closed'), lane: 'running' })).toBe(true);
});
