import { isEnded, type CampaignState, type RunControl } from '../statuses.js';
import { endingFields, type LimitChange } from '../money/budget.js';
import { sameReason, textOfReason, type Reason, type StopMode } from './reasons.js';

/** Hold on a campaign: an exhausted budget, a fault that does not pass, or a pause that was stored for it. */
export interface Hold {
  control: 'paused' | 'blocked';
  reason: Reason;
}

/** Findings from the stored campaign that may change its state. */
export interface Sighting {
  /** Limit that ends the search, once reached. */
  end: Reason | null;
  held: Hold | null;
  /** True once the budget that paused the campaign has room again. */
  goesOn: boolean;
}

/** Progress of a campaign, people's requests and what holds it back, as plain JSON. */
export interface CampaignProgress {
  /** Stage that it would be in if nothing held it back. */
  stage: 'preparing' | 'calibrating' | 'running' | 'claiming';
  /** A person's pause, kept until a person resumes. */
  pause: Reason | null;
  stop: StopMode | null;
  held: Hold | null;
  /** Limit that ends the search; no later event takes it back. */
  ending: Reason | null;
  /** Cancel or failure that ends all work. */
  abandoned: Reason | null;
  /** Fresh runs of the claim that is being measured. */
  claimRuns: number;
  /** True once the search has ended: anything accepted after that could be cut off. */
  closed: boolean;
  end: { state: CampaignState; reason: Reason | null } | null;
  /** Counts requests and changes, so that a sighting from before the last one is ignored. */
  revision: number;
}

/** Something that happened to a campaign. */
export type CampaignEvent =
  | { kind: 'frozen' }
  | { kind: 'pause'; said: string | null }
  | { kind: 'resume' }
  | { kind: 'stop'; mode: StopMode }
  | { kind: 'limitsChanged' }
  /** `revision`: that of the progress when the look began. */
  | { kind: 'sighted'; revision: number; sighting: Sighting }
  | { kind: 'startMeasured' }
  | { kind: 'searchClosed' }
  | { kind: 'claimBegun'; runs: number }
  | { kind: 'abandoned'; reason: Reason }
  | { kind: 'ended'; state: CampaignState; reason: Reason | null };

/** Command of a transition to its workflow; each sets a value, so that repeating it changes nothing. */
export type CampaignCommand =
  /** Stores what work may do. */
  | { kind: 'setControl'; control: RunControl; reason: Reason | null; stopped: boolean }
  /** Stores the state that people see. */
  | { kind: 'setState'; state: CampaignState; reason: Reason | null }
  | { kind: 'cancelWork' };

export interface Transition {
  state: CampaignProgress;
  commands: CampaignCommand[];
}

export const PREPARING: CampaignProgress = {
  stage: 'preparing',
  pause: null,
  stop: null,
  held: null,
  ending: null,
  abandoned: null,
  claimRuns: 0,
  closed: false,
  end: null,
  revision: 0,
};

/** State that people see, and what work may do. */
export interface Presented {
  state: CampaignState;
  reason: Reason | null;
  control: RunControl;
}

/** Returns the state and the control that follow from the progress of a campaign. */
export function present(progress: CampaignProgress): Presented {
  const { stage, pause, stop, held, ending, abandoned, end } = progress;
  if (end !== null) return { ...end, control: 'stopping' };
  if (stage === 'preparing') return { state: 'preparing', reason: null, control: 'running' };
  if (stop === 'now')
    return { state: 'draining', reason: { kind: 'stopping', mode: stop }, control: 'stopping' };
  if (abandoned !== null) return { state: 'draining', reason: abandoned, control: 'stopping' };
  if (held?.control === 'blocked') return { state: 'blocked', ...held };
  if (stop === 'drain')
    return { state: 'draining', reason: { kind: 'stopping', mode: stop }, control: 'draining' };
  if (pause !== null) return { state: 'paused', reason: pause, control: 'paused' };
  if (held !== null) return { state: 'paused', ...held };
  const control = ending === null ? 'running' : 'draining';
  if (stage === 'claiming')
    return { state: stage, reason: { kind: 'claim', runs: progress.claimRuns }, control };
  return ending === null
    ? { state: stage, reason: null, control }
    : { state: 'draining', reason: ending, control };
}

/** Returns the progress after an event, and the commands to carry out. An ended campaign never changes. */
export function transition(before: CampaignProgress, event: CampaignEvent): Transition {
  if (before.end !== null) return { state: before, commands: [] };
  const state = after(before, event);
  return { state, commands: commandsOf(before, state, event) };
}

/** Returns true when a sighting changes the state of a campaign. */
export function isDue(progress: CampaignProgress, sighting: Sighting): boolean {
  const { commands } = transition(progress, { kind: 'sighted', revision: progress.revision, sighting });
  return commands.length > 0;
}

function after(before: CampaignProgress, event: CampaignEvent): CampaignProgress {
  const asked = { ...before, revision: before.revision + 1 };
  switch (event.kind) {
    case 'frozen':
      return before.stage === 'preparing' ? { ...before, stage: 'calibrating' } : before;
    // a person's request replaces the hold
    case 'pause':
      return { ...asked, pause: { kind: 'pause', said: event.said }, held: null };
    case 'resume':
      return { ...asked, pause: null, held: null };
    case 'stop':
      return { ...asked, stop: before.stop === 'now' ? 'now' : event.mode, held: null };
    case 'limitsChanged':
      return asked;
    case 'sighted':
      return event.revision === before.revision ? sighted(before, event.sighting) : before;
    case 'startMeasured':
      return before.stage === 'calibrating' ? { ...before, stage: 'running' } : before;
    case 'searchClosed':
      return { ...before, closed: true };
    case 'claimBegun':
      return before.stage === 'running' || before.stage === 'claiming'
        ? { ...before, stage: 'claiming', claimRuns: event.runs, closed: true }
        : before;
    case 'abandoned':
      return { ...before, abandoned: before.abandoned ?? event.reason, closed: true };
    case 'ended':
      return { ...before, closed: true, end: { state: event.state, reason: event.reason } };
  }
}

/**
 * Applies a sighting. Limits end a running search; budgets and faults hold a campaign that no person has stopped, and
 * a budget with room again releases it.
 */
function sighted(before: CampaignProgress, { end, held, goesOn }: Sighting): CampaignProgress {
  const { stage, pause, stop, abandoned } = before;
  const now = present(before);
  if (stage === 'preparing' || abandoned !== null || stop === 'now') return before;
  if (end !== null && (now.state === 'running' || now.state === 'calibrating'))
    return { ...before, ending: end };
  if (goesOn && now.state === 'paused' && pause === null && before.held?.reason.kind !== 'pause')
    return { ...before, held: null };
  if (goesOn || held === null) return before;
  const firmer = pause !== null || stop !== null || before.held?.control === 'blocked';
  if (held.control === 'paused' && firmer) return before;
  return { ...before, held };
}

function commandsOf(
  before: CampaignProgress,
  state: CampaignProgress,
  event: CampaignEvent,
): CampaignCommand[] {
  const [old, now] = [present(before), present(state)];
  if (state.stage === 'preparing' || state.end !== null) return [];
  // others may have changed the store meanwhile, so a person's request is always written to it
  const asked = event.kind === 'pause' || event.kind === 'resume' || event.kind === 'stop';
  const otherControl = old.control !== now.control || state.stop !== before.stop;
  // a hold was read from the store, so it need not be written there
  const says =
    asked ||
    roomWasUnseen(before, now, event) ||
    (otherControl && !(event.kind === 'sighted' && state.held !== null));
  const shows = asked || old.state !== now.state || !sameReason(old.reason, now.reason);
  const { control } = now;
  const reason = control === 'running' ? null : now.state === 'claiming' ? state.ending : now.reason;
  return [
    ...(says ? [{ kind: 'setControl', control, reason, stopped: state.stop !== null } as const] : []),
    ...(shows ? [{ kind: 'setState', state: now.state, reason: now.reason } as const] : []),
    ...(says && control === 'stopping' ? [{ kind: 'cancelWork' } as const] : []),
  ];
}

/** True where a budget paused the stored campaign and leaves room again before the pause was ever seen here. */
function roomWasUnseen(
  { revision }: CampaignProgress,
  { control }: Presented,
  event: CampaignEvent,
): boolean {
  const works = control === 'running' || control === 'draining';
  return works && event.kind === 'sighted' && event.revision === revision && event.sighting.goesOn;
}

/** How the work of a campaign came to its end. */
export type CampaignOutcome =
  /** `broken`: why lanes failed; `limit`: the limit reached by now, if any. */
  | { kind: 'searched'; lanes: number; broken: readonly string[]; limit: Reason | null }
  | { kind: 'cancelled' }
  | { kind: 'failed'; text: string };

/** Returns the final state of a campaign; without a reason, the stored one applies. */
export function conclusionOf(
  { stop, ending }: CampaignProgress,
  outcome: CampaignOutcome,
): { state: CampaignState; reason: Reason | null } {
  if (outcome.kind === 'failed')
    return {
      state: stop === null ? 'failed' : 'stopped',
      reason: { kind: 'failure', text: outcome.text },
    };
  if (stop !== null) return { state: 'stopped', reason: { kind: 'stopped', mode: stop } };
  if (outcome.kind === 'cancelled') return { state: 'stopped', reason: { kind: 'cancelled' } };
  const { lanes, broken, limit } = outcome;
  const [first] = broken;
  return first !== undefined && broken.length === lanes
    ? { state: 'failed', reason: { kind: 'lanes', text: first } }
    : { state: 'finished', reason: ending ?? limit };
}

/** Returns why a person's trial cannot be accepted now, or null. */
export function refusesTrial(progress: CampaignProgress): string | null {
  const { state } = present(progress);
  if (state !== 'running') return `the campaign is ${state}`;
  return refusesUpdate(progress);
}

/** Returns why the campaign accepts no more updates, or null. */
export function refusesUpdate({ closed }: CampaignProgress): string | null {
  return closed ? 'the campaign is ending' : null;
}

/**
 * Returns why this change of limits is refused, or null: while a search ends, only its budgets can change.
 */
export function refusesLimits(progress: CampaignProgress, change: LimitChange): string | null {
  const { state, reason } = present(progress);
  const why = textOfReason(reason) ?? state;
  if (isEnded(state)) return `the campaign has ended: ${why}`;
  const searches = progress.ending === null && progress.stop === null && !progress.closed;
  const [late] = searches ? [] : endingFields(change);
  return late === undefined ? null : `the campaign is ending (${why}): ${late} cannot be changed any more`;
}
