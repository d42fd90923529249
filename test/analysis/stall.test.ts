import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StallReason, StallFacts } from '../../src/analysis/stall/types.js';
import { shownState, diagnoseStall, waitedFor } from '../../src/analysis/stall/diagnose.js';
import { DOING } from '../../src/domain/trial/doing.js';
import { CAMPAIGN_STATES, isEnded } from '../../src/domain/statuses.js';
import {
  after,
  before,
  CAMPAIGN,
  factsOf,
  QUEUED,
  QUEUES,
  TRAINING,
  TURN,
  workflow,
} from '../builders/stall-facts.js';

function only(reasons: readonly StallReason[]): StallReason {
  expect(reasons).toHaveLength(1);
  const [reason] = reasons;
  if (reason === undefined) throw new Error('no reason');
  return reason;
}

const reasonOf = (facts: StallFacts): StallReason => only(diagnoseStall(facts).reasons);

describe('what moves', () => {
  it('is no reason: work that was heard of, and what is about to be handed out', () => {
    const busy = factsOf([
      workflow('t00001', [TRAINING]),
      workflow('opt-1', [{ ...TURN, state: 'scheduled', scheduledAt: before(1), startedAt: null }]),
      workflow('night-1', [{ ...TURN, type: 'watch', queue: 'assay', heartbeatTimeoutMs: 15_000 }]),
    ]);
    expect(diagnoseStall(busy)).toEqual({ reasons: [], moves: true });
  });

  it('does not include a watch, which runs for as long as the campaign does', () => {
    const watch = { ...TURN, type: 'watch', queue: 'assay' };
    expect(diagnoseStall(factsOf([workflow('night-1', [watch])]))).toEqual({ reasons: [], moves: false });
  });

  it('is unknown without the server', () => {
    expect(diagnoseStall(factsOf([], { server: null }))).toEqual({ reasons: [], moves: null });
  });
});

describe('a queue that no worker polls', () => {
  it('is named with those that wait and the command that runs a worker', () => {
    const facts = factsOf(
      [workflow('t00007', [QUEUED]), workflow('t00008', [{ ...QUEUED, scheduledAt: before(50) }])],
      {
        unpolled: ['assay-train-cpu-x1'],
      },
    );
    expect(reasonOf(facts)).toEqual({
      what: 'no_worker',
      id: 'no_worker:assay-train-cpu-x1',
      text: 't00007 and t00008 wait for a worker on queue assay-train-cpu-x1, which no worker polls',
      about: ['t00007', 't00008'],
      since: before(50).toISOString(),
      remedy: '`assay worker trainer --pool cpu` runs one.',
    });
  });

  it('is told of the workflows themselves, and of all roles where no queue is polled', () => {
    const step = { state: 'scheduled', since: before(20), attempt: 1 } as const;
    const facts = factsOf([workflow('night-1', [], { step })], { unpolled: QUEUES.map(([queue]) => queue) });
    expect(reasonOf(facts)).toMatchObject({
      text: 'the campaign waits for a worker on queue assay, which no worker polls',
      about: [],
      remedy: '`assay worker`, or `assay dev`, runs one.',
    });
  });

  it('is another than one whose worker has just asked for more, however long the work has waited', () => {
    expect(diagnoseStall(factsOf([workflow('t00007', [QUEUED])]))).toEqual({ reasons: [], moves: true });
  });

  it('may have been polled by a worker that is gone', () => {
    const facts = factsOf([workflow('t00007', [QUEUED])]);
    facts.server?.queues.forEach((queue) => (queue.pollers = [{ worker: 'host-a:1', at: before(40) }]));
    expect(reasonOf(facts).text).toContain('no worker has polled for 40 s (the last was host-a:1)');
    facts.server?.queues.forEach((queue) => (queue.pollers = [{ worker: 'host-a:1', at: before(80) }]));
    expect(reasonOf(facts).text).toContain('which no worker polls');
  });
});

describe('a worker that is busy', () => {
  it('makes others wait for a slot, not for a worker, though it does not poll meanwhile', () => {
    const facts = factsOf(
      [
        workflow('t00001', [TRAINING]),
        ...['t00002', 't00003', 't00004', 't00005'].map((trial) => workflow(trial, [QUEUED])),
      ],
      { unpolled: ['assay-train-cpu-x1'] },
    );
    const { reasons, moves } = diagnoseStall(facts);
    expect(moves).toBe(true);
    expect(only(reasons)).toMatchObject({
      what: 'lease',
      text: 't00002, t00003 and 2 more wait for a slot of pool cpu, held by t00001 on host-a:1',
      about: ['t00002', 't00003', 't00004', 't00005'],
    });
  });

  it('keeps its slot while it has not been heard of for a while, and the wait is told in the same way', () => {
    const quiet = { ...TRAINING, heartbeatAt: before(14) };
    const facts = factsOf([workflow('t00001', [quiet]), workflow('t00002', [QUEUED])]);
    facts.server?.queues.forEach((queue) => (queue.pollers = [{ worker: 'host-a:1', at: before(40) }]));
    const reasons = diagnoseStall(facts).reasons.map(({ what, about }) => [what, about]);
    expect(reasons).toEqual([
      ['lost_worker', ['t00001']],
      ['lease', ['t00002']],
    ]);
  });

  it('is heard of by other means, though what it works on is not seen', () => {
    const facts = factsOf([workflow('t00002', [QUEUED])]);
    const train = facts.server?.queues.find(({ queue }) => queue === 'assay-train-cpu-x1');
    if (train !== undefined) train.pollers = [{ worker: 'host-a:1', at: before(200) }];
    expect(reasonOf(facts)).toMatchObject({
      what: 'lease',
      id: 'lease:assay-train-cpu-x1',
      text: 't00002 waits for a slot of pool cpu, held by other work on host-a:1',
    });
    const hosts = [{ host: 'host-a', why: 'its disk is full', since: before(600) }];
    expect(diagnoseStall({ ...facts, hosts }).reasons.map(({ what }) => what)).toEqual([
      'host_unhealthy',
      'no_worker',
    ]);
  });

  it('keeps no workflow waiting for its own runs, which take turns', () => {
    const own = workflow('night-1', [TRAINING, QUEUED, QUEUED]);
    expect(diagnoseStall(factsOf([own], { unpolled: ['assay-train-cpu-x1'] }))).toEqual({
      reasons: [],
      moves: true,
    });
  });

  it('may be busy with another campaign', () => {
    const elsewhere = [{ campaign: 'day-2', what: 'train', host: 'host-a' }];
    const facts = factsOf([workflow('t00001', [QUEUED])], { elsewhere, unpolled: ['assay-train-cpu-x1'] });
    expect(reasonOf(facts)).toMatchObject({ what: 'lease' });
    expect(reasonOf(facts).text).toContain('held by campaign day-2 on host-a');
    const gone = [{ campaign: 'day-2', what: 'train', host: 'host-b' }];
    expect(reasonOf({ ...facts, elsewhere: gone }).text).toBe(
      't00001 waits for a worker on queue assay-train-cpu-x1, which no worker polls; campaign day-2 on host-b may keep one busy',
    );
    const evaluating = [{ campaign: 'day-2', what: 'evaluate', host: 'host-a' }];
    expect(reasonOf({ ...facts, elsewhere: evaluating })).toMatchObject({ what: 'no_worker' });
  });

  it('may hold a training that waits for the slots of its host', () => {
    const waiting = { ...TRAINING, doing: 'waiting for a lease', worker: 'host-a:2' };
    const active = [{ trial: 't00001', what: 'train', host: 'host-a' }];
    const facts = factsOf([workflow('t00001', [TRAINING]), workflow('t00002', [waiting])], {
      campaign: { ...CAMPAIGN, active },
    });
    expect(reasonOf(facts)).toMatchObject({
      what: 'lease',
      text: 't00002 waits for a slot of pool cpu on host-a:2, held by t00001 on host-a',
    });
    const begun = [...active, { trial: 't00002', what: 'train', host: 'host-a' }];
    expect(diagnoseStall({ ...facts, campaign: { ...CAMPAIGN, active: begun } }).reasons).toEqual([]);
  });
});

describe('an evaluation that has its host to itself', () => {
  const waiting = {
    ...TRAINING,
    worker: 'host-a:2',
    doing: DOING.waitsForAlone,
  };
  const evaluating = { ...TRAINING, type: 'evaluate', queue: 'assay-eval-cpu', doing: 'evaluating alone' };

  it('is what others wait for who have a worker on that host', () => {
    const facts = factsOf([
      workflow('t00005', [evaluating]),
      workflow('t00006', [waiting]),
      workflow('t00007', [{ ...waiting, type: 'prepare', queue: 'assay-eval-cpu' }]),
    ]);
    expect(diagnoseStall(facts).moves).toBe(true);
    expect(reasonOf(facts)).toEqual({
      what: 'exclusive',
      id: 'exclusive:host-a:taken',
      text: 't00006 and t00007 wait for host host-a: other work has it to itself, that of t00005',
      about: ['t00006', 't00007'],
      since: before(60).toISOString(),
      remedy: null,
    });
  });

  it('may be that of a claim, or of another campaign', () => {
    const claim = factsOf([workflow('night-1', [evaluating]), workflow('t00006', [waiting])]);
    expect(reasonOf(claim).text).toMatch(/, that of the claim of night-1$/);
    const elsewhere = [
      { campaign: 'day-2', what: 'evaluate', host: 'host-a' },
      { campaign: 'day-3', what: 'evaluate', host: 'host-b' },
    ];
    const other = factsOf([workflow('t00006', [waiting])], { elsewhere });
    expect(reasonOf(other).text).toMatch(/, that of campaign day-2 on host-a$/);
    expect(shownState('running', diagnoseStall(other))).toBe('waiting');
  });

  it('waits until nothing else runs there, and its other runs with it are not told', () => {
    const doing = DOING.waitsToBeAlone;
    const active = [{ trial: 't00003', what: 'train', host: 'host-a' }];
    const facts = factsOf([workflow('t00003', [TRAINING]), workflow('t00005', [{ ...evaluating, doing }])], {
      campaign: { ...CAMPAIGN, active },
    });
    expect(reasonOf(facts)).toMatchObject({
      id: 'exclusive:host-a:empties',
      text: 't00005 waits to have host host-a alone, where others still run: t00003 (train)',
    });
    const turns = factsOf([workflow('night-1', [evaluating, { ...evaluating, ...waiting }])]);
    expect(diagnoseStall(turns)).toEqual({ reasons: [], moves: true });
  });
});

describe('a worker that does not answer', () => {
  const silent = { ...TRAINING, heartbeatAt: before(34), startedAt: before(100) };

  it('is named with how long it is waited for, and with whether another one is there', () => {
    const facts = factsOf([workflow('t00007', [silent])]);
    facts.server?.queues.forEach((queue) => (queue.pollers = [{ worker: 'host-b:9', at: before(9) }]));
    expect(reasonOf(facts)).toMatchObject({
      what: 'lost_worker',
      text: 't00007: its worker host-a:1 has not been heard of for 34 s; another takes over when 120 s are over (in 86 s)',
      since: before(34).toISOString(),
      remedy: null,
    });
    const alone = reasonOf(factsOf([workflow('t00007', [silent])]));
    expect(alone.text).toContain('no other worker polls assay-train-cpu-x1');
    expect(alone.remedy).toBe('`assay worker trainer --pool cpu` takes it over.');
  });

  it('holds a stop up until it counts as dead', () => {
    const facts = factsOf([workflow('t00007', [{ ...silent, state: 'cancelling' }])]);
    expect(reasonOf(facts)).toMatchObject({
      what: 'stopping',
      text: 'still ending: t00007 on host-a:1, which has not been heard of for 34 s; it counts as dead in 86 s',
    });
    const alive = factsOf([workflow('t00007', [{ ...TRAINING, state: 'cancelling' }])]);
    expect(reasonOf(alive).text).toBe('still ending: t00007 on host-a:1, which ends its processes');
  });

  it('is told exactly when the silence is longer than a living worker keeps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 119 }), fc.integer({ min: 0, max: 500 }), (quiet, older) => {
        const activity = { ...TRAINING, heartbeatAt: before(quiet), startedAt: before(quiet + older) };
        const { reasons, moves } = diagnoseStall(factsOf([workflow('t00001', [activity])]));
        expect(reasons.map(({ what }) => what)).toEqual(quiet >= 12 ? ['lost_worker'] : []);
        expect(moves).toBe(quiet < 12);
      }),
    );
  });

  it('is not taken for lost by a heartbeat of the attempt before', () => {
    const second = { ...TRAINING, attempt: 2, heartbeatAt: before(200), startedAt: before(1) };
    const timeout = { type: 'TIMEOUT', message: 'activity Heartbeat timeout' };
    expect(reasonOf(factsOf([workflow('t00001', [{ ...second, failure: timeout }])])).text).toBe(
      't00001: its worker host-a:1 was lost; attempt 2 is under way',
    );
    const settled = { ...second, failure: timeout, startedAt: before(60), heartbeatAt: before(1) };
    expect(diagnoseStall(factsOf([workflow('t00001', [settled])]))).toEqual({ reasons: [], moves: true });
  });
});

describe('what fails and is tried again', () => {
  it('is the provider for a turn, told once for all lanes with the next try', () => {
    const failure = {
      type: 'MODEL_OVERLOADED',
      message:
        'The model endpoint answered 529: overloaded. Nothing to do; assay waits as long as the provider asks.',
    };
    const turn = { ...TURN, state: 'scheduled', attempt: 5, failure, nextAttemptAt: after(40) } as const;
    const facts = factsOf([
      workflow('arch-1', [{ ...turn, nextAttemptAt: after(90) }]),
      workflow('opt-1', [turn]),
    ]);
    expect(reasonOf(facts)).toMatchObject({
      what: 'provider',
      text: 'arch-1 and opt-1 wait for the provider: MODEL_OVERLOADED: The model endpoint answered 529: overloaded; attempt 5 comes in 40 s',
      remedy: 'Nothing to do; assay waits as long as the provider asks.',
    });
  });

  it('is an evaluator, with how often it failed', () => {
    const failure = { type: 'EVALUATOR_FAULT', message: 'the evaluator of "tiny" failed: exit 3' };
    const evaluate = {
      ...QUEUED,
      type: 'evaluate',
      queue: 'assay-eval-cpu',
      attempt: 4,
      failure,
      failedAt: before(3),
      nextAttemptAt: after(12),
    };
    expect(reasonOf(factsOf([workflow('t00007', [evaluate])]))).toMatchObject({
      what: 'retrying',
      text: 't00007: evaluation failed 3 times (EVALUATOR_FAULT: the evaluator of "tiny" failed: exit 3); attempt 4 comes in 12 s',
      since: before(3).toISOString(),
    });
  });

  it('may be the workflow itself', () => {
    const step = { state: 'scheduled', since: before(20), attempt: 9 } as const;
    const { what, remedy } = reasonOf(factsOf([workflow('opt-1', [], { step })]));
    expect(what).toBe('retrying');
    expect(remedy).toContain('`assay replay night-1/opt-1`');
  });
});

describe('what people and limits said', () => {
  const paused = (said: string | null): StallFacts => {
    const controlReason = { kind: 'pause', said } as const;
    const pausedSince = before(60);
    return factsOf([], {
      campaign: { ...CAMPAIGN, state: 'paused', control: 'paused', controlReason, pausedSince },
    });
  };

  it('is reported with its reason and the command that resumes it', () => {
    expect(reasonOf(paused('lunch'))).toMatchObject({
      what: 'paused',
      text: 'paused: lunch',
      since: before(60).toISOString(),
      remedy: '`assay resume night-1` resumes it.',
    });
    expect(reasonOf(paused(null)).text).toBe('paused by a person');
    expect(reasonOf(paused('the budget talk, see `assay budget`'))).toMatchObject({
      what: 'paused',
      remedy: '`assay resume night-1` resumes it.',
    });
    const amounts = { limit: 5, used: 4.98, needs: 0.12 };
    const controlReason = { kind: 'budget', campaign: 'night-1', budget: 'dollars', ...amounts } as const;
    const { campaign } = paused(null);
    expect(
      reasonOf(factsOf([], { campaign: { ...campaign, controlReason, exhausted: true } })),
    ).toMatchObject({
      what: 'budget',
      text: expect.stringMatching(
        /^paused: the dollar budget .*: `assay budget night-1 --dollars 10`$/,
      ) as string,
      remedy: null,
    });
  });

  it('names the work that was begun before a pause', () => {
    const facts = paused('lunch');
    const active = [{ trial: 't00003', what: 'train', host: 'host-a' }];
    expect(reasonOf({ ...facts, campaign: { ...facts.campaign, active } }).text).toBe(
      'paused: lunch; begun before and ending by itself: t00003 on host-a',
    );
  });

  it('includes a fault that needs a person', () => {
    const campaign = {
      ...CAMPAIGN,
      state: 'blocked',
      controlReason: {
        kind: 'fault',
        what: 'evaluating trial 1',
        code: 'HOST_FAULT',
        text: 'the disk is full',
      },
    } as const;
    expect(reasonOf(factsOf([], { campaign }))).toMatchObject({
      what: 'blocked',
      text: 'blocked: evaluating trial 1: the disk is full',
      remedy: 'Fix it, then run `assay resume night-1`.',
    });
    const controlReason = { ...campaign.controlReason, code: 'EVALUATOR_BROKEN' };
    expect(reasonOf(factsOf([], { campaign: { ...campaign, controlReason } })).remedy).toBeNull();
  });

  it('is nothing for a campaign that has ended', () => {
    for (const state of CAMPAIGN_STATES.filter(isEnded)) {
      const facts = factsOf([workflow('t00001', [QUEUED])], { campaign: { ...CAMPAIGN, state } });
      expect(diagnoseStall(facts)).toEqual({ reasons: [], moves: false });
    }
  });
});

it('names a host that takes no work, and workflows that are gone', () => {
  const open = [{ trial: 't00004', submittedAt: before(90), parked: null }];
  const missing = workflow('t00004', [], { status: 'missing' });
  const terminated = workflow('night-1', [], { status: 'ended', ending: 'terminated' });
  const hosts = [{ host: 'host-b', why: 'its disk is full', since: before(600) }];
  const { reasons } = diagnoseStall(
    factsOf([terminated, missing], { hosts, campaign: { ...CAMPAIGN, open } }),
  );
  expect(reasons.map(({ what, text }) => [what, text])).toEqual([
    ['no_workflow', 'the campaign: the workflow has ended on the server (terminated)'],
    ['no_workflow', 't00004 has no workflow on this server'],
    ['host_unhealthy', 'host-b takes no work: its disk is full'],
  ]);
  const fresh = { ...CAMPAIGN, open: [{ trial: 't00004', submittedAt: before(5), parked: null }] };
  expect(diagnoseStall(factsOf([missing], { campaign: fresh })).reasons).toEqual([]);
});

it('says which trial waits for a person, and what that person can do, while the campaign continues', () => {
  const open = [{ trial: 't00004', submittedAt: before(90), parked: '3 workers were lost with it' }];
  const ended = workflow('t00004', [], { status: 'ended', ending: 'completed' });
  const standing = diagnoseStall(factsOf([ended], { campaign: { ...CAMPAIGN, open } }));
  expect(standing.reasons).toEqual([
    {
      what: 'parked',
      id: 'parked:t00004',
      text: 't00004 is parked: 3 workers were lost with it',
      about: ['t00004'],
      since: before(90).toISOString(),
      remedy:
        '`assay resume night-1/t00004` retries it, `assay cancel night-1/t00004` ends it; the campaign continues without it.',
    },
  ]);
  expect(shownState('running', standing)).toBe('running');
});

describe('the state that is shown', () => {
  it('is waiting only for a campaign that could run and has nothing that does', () => {
    const standing = diagnoseStall(
      factsOf([workflow('t00007', [QUEUED])], { unpolled: ['assay-train-cpu-x1'] }),
    );
    expect(shownState('running', standing)).toBe('waiting');
    expect(waitedFor(standing)).toContain('assay-train-cpu-x1');
    for (const state of ['paused', 'draining', 'finished'] as const)
      expect(shownState(state, standing)).toBe(state);
    const moving = { ...standing, moves: true };
    expect(shownState('running', moving)).toBe('running');
    expect(shownState('running', { ...standing, moves: null })).toBe('running');
  });
});
