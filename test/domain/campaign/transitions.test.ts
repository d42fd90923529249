import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reason } from '../../../src/domain/campaign/reasons.js';
import {
  conclusionOf,
  isDue,
  PREPARING,
  present,
  refusesLimits,
  refusesTrial,
  refusesUpdate,
  transition,
  type CampaignEvent,
  type CampaignProgress,
  type Sighting,
} from '../../../src/domain/campaign/transitions.js';
import { isEnded } from '../../../src/domain/statuses.js';

const LUNCH: Reason = { kind: 'pause', said: 'lunch' };
const LIMIT: Reason = { kind: 'limit', limit: 'trials', at: 5, of: 5 };
const BUDGET: Reason = { kind: 'budget', campaign: 'c', budget: 'dollars', limit: 5, used: 5, needs: 1 };
const FAULT: Reason = {
  kind: 'fault',
  what: 'evaluating trial 1',
  code: 'HOST_FAULT',
  text: 'the disk is full',
};
const NOTHING: Sighting = { end: null, held: null, goesOn: false };

/** Campaigns by the events that lead to them. */
const after = (...events: CampaignEvent[]): CampaignProgress =>
  events.reduce((before, event) => transition(before, event).state, PREPARING);
const seen = (sighting: Partial<Sighting>, revision = 0): CampaignEvent => ({
  kind: 'sighted',
  revision,
  sighting: { ...NOTHING, ...sighting },
});

const FROZEN: CampaignEvent = { kind: 'frozen' };
const MEASURED: CampaignEvent = { kind: 'startMeasured' };
const PAUSE: CampaignEvent = { kind: 'pause', said: 'lunch' };
const CLOSED: CampaignEvent = { kind: 'searchClosed' };
const CLAIM: CampaignEvent = { kind: 'claimBegun', runs: 16 };
const EXHAUSTED = seen({ held: { control: 'paused', reason: BUDGET } });
const BLOCKED = seen({ held: { control: 'blocked', reason: FAULT } });
const REACHED = seen({ end: LIMIT });
const ROOM = seen({ held: { control: 'paused', reason: BUDGET }, goesOn: true });
const running = [FROZEN, MEASURED];

const CAMPAIGNS = {
  preparing: after(),
  'preparing, pause asked': after(PAUSE),
  'preparing, stop asked': after({ kind: 'stop', mode: 'now' }),
  calibrating: after(FROZEN),
  running: after(...running),
  'paused by a person': after(...running, PAUSE),
  'paused by a budget': after(...running, EXHAUSTED),
  blocked: after(...running, BLOCKED),
  'ending by a limit': after(...running, REACHED),
  'ending, paused by a budget': after(...running, REACHED, EXHAUSTED),
  draining: after(...running, { kind: 'stop', mode: 'drain' }),
  'draining, blocked': after(
    ...running,
    { kind: 'stop', mode: 'drain' },
    seen({ held: { control: 'blocked', reason: FAULT } }, 1),
  ),
  'stopping now': after(...running, { kind: 'stop', mode: 'now' }),
  claiming: after(...running, CLOSED, CLAIM),
  'claiming after a limit': after(...running, REACHED, CLOSED, CLAIM),
  abandoned: after(...running, { kind: 'abandoned', reason: { kind: 'cancelled' } }),
  ended: after(...running, { kind: 'ended', state: 'finished', reason: LIMIT }),
} satisfies Record<string, CampaignProgress>;
type Name = keyof typeof CAMPAIGNS;

const EVENTS = {
  frozen: FROZEN,
  pause: PAUSE,
  resume: { kind: 'resume' },
  'stop drain': { kind: 'stop', mode: 'drain' },
  'stop now': { kind: 'stop', mode: 'now' },
  'limits changed': { kind: 'limitsChanged' },
  'limit reached': REACHED,
  'budget exhausted': EXHAUSTED,
  'room again': ROOM,
  block: BLOCKED,
  'nothing seen': seen({}),
  'start measured': MEASURED,
  'search closed': CLOSED,
  'claim begun': CLAIM,
  abandoned: { kind: 'abandoned', reason: { kind: 'cancelled' } },
  ended: { kind: 'ended', state: 'stopped', reason: null },
} satisfies Record<string, CampaignEvent>;
type EventName = keyof typeof EVENTS;

/** A look that began with the current progress, unless the event says otherwise. */
const fresh = (progress: CampaignProgress, event: CampaignEvent): CampaignEvent =>
  event.kind === 'sighted' ? { ...event, revision: progress.revision } : event;

const told = ({ state, commands }: ReturnType<typeof transition>): string => {
  const { state: shown, control } = present(state);
  const said = commands.map((command) =>
    command.kind === 'setControl'
      ? `control ${command.control}`
      : command.kind === 'setState'
        ? `show ${command.state}`
        : 'cancel work',
  );
  return [`${shown}/${control}`, ...said].join(', ');
};

/** Shown state and control afterwards, then the commands. */
const PAUSES = 'paused/paused, control paused, show paused';
const DRAINS = 'draining/draining, control draining, show draining';
const STOPS = 'draining/stopping, control stopping, show draining, cancel work';
const BLOCKS = 'blocked/blocked, show blocked';
const SHOWS_PAUSE = 'paused/paused, show paused';
const ENDS = 'stopped/stopping';
const RUNS = 'running/running, control running, show running';

/** Every campaign, with the events that change what is shown or done; every other event must do nothing. */
const TABLE: Record<Name, Partial<Record<EventName, string>>> = {
  preparing: { frozen: 'calibrating/running, show calibrating', ended: ENDS },
  'preparing, pause asked': { frozen: PAUSES, ended: ENDS },
  'preparing, stop asked': { frozen: STOPS, ended: ENDS },
  calibrating: {
    pause: PAUSES,
    resume: 'calibrating/running, control running, show calibrating',
    'stop drain': DRAINS,
    'stop now': STOPS,
    'limit reached': DRAINS,
    'budget exhausted': SHOWS_PAUSE,
    'room again': 'calibrating/running, control running',
    block: BLOCKS,
    'start measured': 'running/running, show running',
    abandoned: STOPS,
    ended: ENDS,
  },
  running: {
    pause: PAUSES,
    resume: RUNS,
    'stop drain': DRAINS,
    'stop now': STOPS,
    'limit reached': DRAINS,
    'budget exhausted': SHOWS_PAUSE,
    'room again': 'running/running, control running',
    block: BLOCKS,
    'claim begun': 'claiming/running, show claiming',
    abandoned: STOPS,
    ended: ENDS,
  },
  'paused by a person': {
    pause: PAUSES,
    resume: RUNS,
    'stop drain': DRAINS,
    'stop now': STOPS,
    block: BLOCKS,
    abandoned: STOPS,
    ended: ENDS,
  },
  'paused by a budget': {
    pause: PAUSES,
    resume: RUNS,
    'stop drain': DRAINS,
    'stop now': STOPS,
    'room again': RUNS,
    block: BLOCKS,
    abandoned: STOPS,
    ended: ENDS,
  },
  blocked: {
    pause: PAUSES,
    resume: RUNS,
    'stop drain': DRAINS,
    'stop now': STOPS,
    abandoned: STOPS,
    ended: ENDS,
  },
  'ending by a limit': {
    pause: PAUSES,
    resume: DRAINS,
    'stop drain': DRAINS,
    'stop now': STOPS,
    'budget exhausted': SHOWS_PAUSE,
    'room again': 'draining/draining, control draining',
    block: BLOCKS,
    'claim begun': 'claiming/draining, show claiming',
    abandoned: STOPS,
    ended: ENDS,
  },
  'ending, paused by a budget': {
    pause: PAUSES,
    resume: DRAINS,
    'stop drain': DRAINS,
    'stop now': STOPS,
    'room again': DRAINS,
    block: BLOCKS,
    abandoned: STOPS,
    ended: ENDS,
  },
  draining: {
    pause: DRAINS,
    resume: DRAINS,
    'stop drain': DRAINS,
    'stop now': STOPS,
    'room again': 'draining/draining, control draining',
    block: BLOCKS,
    abandoned: STOPS,
    ended: ENDS,
  },
  'draining, blocked': {
    pause: DRAINS,
    resume: DRAINS,
    'stop drain': DRAINS,
    'stop now': STOPS,
    abandoned: STOPS,
    ended: ENDS,
  },
  'stopping now': { pause: STOPS, resume: STOPS, 'stop drain': STOPS, 'stop now': STOPS, ended: ENDS },
  claiming: {
    pause: PAUSES,
    resume: 'claiming/running, control running, show claiming',
    'stop drain': DRAINS,
    'stop now': STOPS,
    'budget exhausted': SHOWS_PAUSE,
    'room again': 'claiming/running, control running',
    block: BLOCKS,
    abandoned: STOPS,
    ended: ENDS,
  },
  'claiming after a limit': {
    pause: PAUSES,
    resume: 'claiming/draining, control draining, show claiming',
    'stop drain': DRAINS,
    'stop now': STOPS,
    'budget exhausted': SHOWS_PAUSE,
    'room again': 'claiming/draining, control draining',
    block: BLOCKS,
    abandoned: STOPS,
    ended: ENDS,
  },
  abandoned: { pause: STOPS, resume: STOPS, 'stop drain': STOPS, 'stop now': STOPS, ended: ENDS },
  ended: {},
};

describe('a campaign', () => {
  const cells = Object.entries(CAMPAIGNS).flatMap(([name, before]) =>
    Object.entries(EVENTS).map(([event, what]) => ({ name, before, event, what })),
  );
  it.each(cells)('$name, at $event', ({ name, before, event, what }) => {
    const { state, control } = present(before);
    const expected = TABLE[name as Name][event as EventName];
    expect(told(transition(before, fresh(before, what)))).toBe(expected ?? `${state}/${control}`);
  });

  it('keeps what was asked while it was prepared, and takes the last word', () => {
    expect(present(after(PAUSE, FROZEN))).toEqual({ state: 'paused', reason: LUNCH, control: 'paused' });
    expect(present(after(PAUSE, { kind: 'resume' }, FROZEN)).state).toBe('calibrating');
    expect(present(after({ kind: 'stop', mode: 'drain' }, FROZEN)).control).toBe('draining');
  });

  it('goes back to where a pause found it', () => {
    const resumed = (...events: CampaignEvent[]) => present(after(...events, { kind: 'resume' }));
    expect(resumed(FROZEN, PAUSE, MEASURED).state).toBe('running');
    expect(resumed(...running, CLOSED, CLAIM, PAUSE)).toMatchObject({
      state: 'claiming',
      reason: { kind: 'claim', runs: 16 },
    });
    expect(resumed(...running, REACHED, PAUSE)).toMatchObject({ state: 'draining', reason: LIMIT });
  });

  it('does nothing about a look that began before something was asked or changed', () => {
    for (const ask of [PAUSE, { kind: 'resume' }, { kind: 'limitsChanged' }] as const) {
      const before = after(...running, ask);
      for (const late of [REACHED, EXHAUSTED, BLOCKED, ROOM])
        expect(transition(before, late)).toEqual({ state: before, commands: [] });
    }
  });

  it('shows the new numbers of a budget that is still too small', () => {
    const held = { control: 'paused', reason: { ...BUDGET, limit: 6 } } as const;
    expect(transition(CAMPAIGNS['paused by a budget'], seen({ held })).commands).toEqual([
      { kind: 'setState', state: 'paused', reason: held.reason },
    ]);
  });
});

describe('what people may ask of a campaign', () => {
  it.each([
    ['running', null, null, null],
    ['calibrating', 'the campaign is calibrating', null, null],
    ['paused by a person', 'the campaign is paused', null, null],
    [
      'ending by a limit',
      'the campaign is draining',
      null,
      /^the campaign is ending \(trials \(5 of 5\)\): trials /,
    ],
    [
      'claiming',
      'the campaign is claiming',
      'the campaign is ending',
      /^the campaign is ending \(16 fresh runs/,
    ],
    [
      'ended',
      'the campaign is finished',
      'the campaign is ending',
      /^the campaign has ended: trials \(5 of 5\)$/,
    ],
  ] as const)('of one that is %s', (name, trial, update, limits) => {
    const progress = CAMPAIGNS[name];
    expect(refusesTrial(progress)).toBe(trial);
    expect(refusesUpdate(progress)).toBe(update);
    const refused = refusesLimits(progress, { trials: 9 });
    if (limits === null) expect(refused).toBeNull();
    else expect(refused).toMatch(limits);
    expect(refusesLimits(progress, { dollars: 9 }) === null).toBe(!isEnded(present(progress).state));
  });
});

describe('the end of a campaign', () => {
  const searched = { kind: 'searched', lanes: 2, broken: [], limit: null } as const;
  it.each([
    ['running', searched, 'finished', null],
    ['running', { ...searched, limit: LIMIT }, 'finished', LIMIT],
    ['ending by a limit', searched, 'finished', LIMIT],
    ['running', { ...searched, broken: ['a'] }, 'finished', null],
    ['running', { ...searched, broken: ['a', 'b'] }, 'failed', { kind: 'lanes', text: 'a' }],
    ['draining', searched, 'stopped', { kind: 'stopped', mode: 'drain' }],
    ['draining', { ...searched, broken: ['a', 'b'] }, 'stopped', { kind: 'stopped', mode: 'drain' }],
    ['stopping now', { kind: 'cancelled' }, 'stopped', { kind: 'stopped', mode: 'now' }],
    ['running', { kind: 'cancelled' }, 'stopped', { kind: 'cancelled' }],
    ['running', { kind: 'failed', text: 'no start' }, 'failed', { kind: 'failure', text: 'no start' }],
    ['draining', { kind: 'failed', text: 'no start' }, 'stopped', { kind: 'failure', text: 'no start' }],
  ] as const)('that is %s, after %j, is %s', (name, outcome, state, reason) => {
    expect(conclusionOf(CAMPAIGNS[name], outcome)).toEqual({ state, reason });
  });
});

describe('whatever happens to a campaign', () => {
  const sighting: fc.Arbitrary<Sighting> = fc.record({
    end: fc.constantFrom(null, LIMIT),
    held: fc.constantFrom(
      null,
      { control: 'paused', reason: BUDGET } as const,
      { control: 'paused', reason: LUNCH } as const,
      { control: 'blocked', reason: FAULT } as const,
    ),
    goesOn: fc.boolean(),
  });
  const event: fc.Arbitrary<CampaignEvent> = fc.oneof(
    fc.constantFrom<CampaignEvent>(...Object.values(EVENTS)),
    fc.record({ kind: fc.constant('sighted' as const), revision: fc.nat({ max: 3 }), sighting }),
  );
  const story = fc.array(event, { maxLength: 20 });
  /** Looks are fresh in half of all stories, so that they count. */
  const told = (events: readonly CampaignEvent[], isFresh: boolean, from = PREPARING): CampaignProgress =>
    events.reduce((now, each) => transition(now, isFresh ? fresh(now, each) : each).state, from);
  const always = (
    property: (before: CampaignProgress, rest: CampaignEvent[], fresh: boolean) => void,
  ): void =>
    fc.assert(
      fc.property(story, story, fc.boolean(), (first, rest, isFresh) => {
        property(told(first, isFresh), rest, isFresh);
      }),
      { numRuns: 500 },
    );

  it('is plain JSON', () => {
    always((before) => expect(JSON.parse(JSON.stringify(before))).toEqual(before));
  });

  it('revives none that has ended', () => {
    const end = { kind: 'ended', state: 'stopped', reason: null } as const;
    always((before, rest, isFresh) => {
      const ended = transition(before, end).state;
      expect(told(rest, isFresh, ended)).toEqual(ended);
      for (const each of rest) expect(transition(ended, each).commands).toEqual([]);
    });
  });

  it('never weakens a stop now', () => {
    always((before, rest, isFresh) => {
      const stopped = transition(before, { kind: 'stop', mode: 'now' }).state;
      const after = told(rest, isFresh, stopped);
      expect(after.stop).toBe(before.end === null ? 'now' : before.stop);
      if (after.stage !== 'preparing') expect(present(after).control).toBe('stopping');
    });
  });

  it('lets a pause of a person outlive that of a budget', () => {
    always((before, rest, isFresh) => {
      const paused = told([FROZEN, PAUSE], isFresh, before);
      const seen = rest.filter(({ kind }) => kind === 'sighted');
      const { control } = present(told(seen, isFresh, paused));
      if (paused.end === null) expect(control).not.toBe('running');
    });
  });

  it('asks for nothing twice: the same event once more leaves the store as it is', () => {
    always((before) => {
      for (const each of Object.values(EVENTS)) {
        const once = transition(before, fresh(before, each));
        const again = transition(once.state, fresh(once.state, each));
        expect(present(again.state)).toEqual(present(once.state));
        for (const command of again.commands)
          if (once.commands.length > 0) expect(once.commands).toContainEqual(command);
      }
    });
  });

  it('is due for a sighting exactly where that changes what is shown, or lets go of a pause that was never seen', () => {
    always((before) => {
      for (const each of [REACHED, EXHAUSTED, BLOCKED, ROOM, seen({})]) {
        if (each.kind !== 'sighted') continue;
        const { state } = transition(before, fresh(before, each));
        const changed = JSON.stringify(present(state)) !== JSON.stringify(present(before));
        const works = ['running', 'draining'].includes(present(before).control) && before.end === null;
        const unseen = each === ROOM && works && before.stage !== 'preparing';
        expect(isDue(before, each.sighting)).toBe(changed || unseen);
      }
    });
  });
});
