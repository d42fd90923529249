import { reasonText, type Reason } from '../../domain/campaign/reasons.js';
import type { CampaignState } from '../../domain/statuses.js';
import { isEnded } from '../../domain/statuses.js';
import {
  REASON_KINDS,
  stallCampaign,
  type Inspect,
  type StallReason,
  type StallReport,
  type StallFacts,
  type WorkflowFacts,
} from './types.js';
import { activityState, stepState, type ActivityState } from './activity.js';
import type { Wait, Who } from './wording.js';

/** Diagnoses why a campaign does not move, as far as it does not. */
export function diagnoseStall(facts: StallFacts): StallReport {
  const { campaign, server } = facts;
  if (isEnded(campaign.state)) return { reasons: [], moves: false };
  const points = (server?.workflows ?? []).flatMap((workflow) => standpointsOf(facts, workflow));
  const waits = points.filter(isWait);
  const reasons = [
    ...controlReasons(facts),
    ...parkedReasons(facts),
    ...hostReasons(facts),
    ...together(waits, campaign.name),
  ];
  const rank = ({ what }: StallReason): number => REASON_KINDS.indexOf(what);
  return {
    reasons: reasons.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1)),
    moves: server === null ? null : points.includes('moves'),
  };
}

/** Diagnoses from the store alone. */
export const storeAlone: Inspect = (campaign, open) => {
  const facts = { now: new Date(), campaign: stallCampaign(campaign, open), elsewhere: [], hosts: [] };
  const unexamined = 'only the store was looked at';
  return Promise.resolve({ ...diagnoseStall({ ...facts, server: null }), unexamined });
};

const WAITED_FOR: readonly StallReason['what'][] = REASON_KINDS.slice(REASON_KINDS.indexOf('no_workflow'));

/** The state as people see it: one that could run, and has nothing that does, waits. */
export function shownState(state: CampaignState, { moves, reasons }: StallReport): CampaignState {
  const could = state === 'preparing' || state === 'calibrating' || state === 'running';
  const waits = moves === false && reasons.some(({ what }) => WAITED_FOR.includes(what));
  const held = reasons.some(({ what }) => what === 'paused' || what === 'budget' || what === 'blocked');
  return could && waits && !held ? 'waiting' : state;
}

/** Describes in a sentence what a waiting campaign waits for. */
export function waitedFor({ reasons }: StallReport): string | null {
  return reasons.find(({ what }) => WAITED_FOR.includes(what))?.text ?? null;
}

const isWait = (point: ActivityState): point is Wait => typeof point !== 'string';

function standpointsOf(facts: StallFacts, workflow: WorkflowFacts): ActivityState[] {
  if (workflow.status !== 'running') return gone(facts, workflow);
  const activities = workflow.activities.map((activity) => activityState(facts, workflow, activity));
  const works = activities.includes('moves');
  // runs of one workflow that take turns wait for each other, and it still moves
  const told = activities.filter(
    (point) => !(works && isWait(point) && (point.what === 'lease' || point.what === 'exclusive')),
  );
  return [...told, stepState(facts, workflow)];
}

/** A trial's workflow is started right after its number is taken. */
const STARTING_MS = 30_000;

/** A campaign or an open trial whose workflow does not run. */
function gone({ now, campaign }: StallFacts, workflow: WorkflowFacts): ActivityState[] {
  const { id, label, kind, status, ending } = workflow;
  if (kind === 'lane') return [];
  const trial = campaign.open.find((each) => each.trial === label);
  const young = trial !== undefined && now.getTime() - trial.submittedAt.getTime() < STARTING_MS;
  if (kind === 'trial' && (trial === undefined || young || trial.parked !== null)) return [];
  const wait: Wait = {
    what: 'no_workflow',
    id: kind === 'campaign' ? `no_workflow:${id}` : `no_workflow:trial:${status}`,
    subject: label,
    since: null,
    dueMs: 0,
    says: ({ names, many }) =>
      status === 'missing'
        ? `${names} ${many ? 'have' : 'has'} no workflow on this server`
        : `${names}: ${many ? 'the workflows have' : 'the workflow has'} ended on the server (${ending})`,
    remedy: '`assay reconcile` settles what is left; the schedule of the server does so every few minutes.',
  };
  return [wait];
}

/** Reasons that come from people and limits. */
function controlReasons({ campaign }: StallFacts): StallReason[] {
  const { name, state, control, controlReason, exhausted, pausedSince, active } = campaign;
  const base = { about: [], since: pausedSince?.toISOString() ?? null };
  const still = active.map(({ trial, host }) => `${trial} on ${host}`);
  const ends = still.length === 0 ? '' : `; begun before and ending by itself: ${still.join(', ')}`;
  const resume = `\`assay resume ${name}\``;
  if (state === 'blocked' || control === 'blocked') {
    const remedy = tellsHowToResume(controlReason) ? null : `Fix it, then run ${resume}.`;
    return [{ ...base, what: 'blocked', id: 'blocked', text: said('blocked', controlReason) + ends, remedy }];
  }
  if (control !== 'paused') return [];
  const text = said('paused', controlReason) + ends;
  return exhausted
    ? [{ ...base, what: 'budget', id: 'budget', text, remedy: null }]
    : [{ ...base, what: 'paused', id: 'paused', text, remedy: `${resume} resumes it.` }];
}

/** Errors of which the remedy names the command that goes on. */
const NAMES_RESUME: readonly (string | null)[] = ['EVALUATOR_BROKEN', 'WORKERS_LOST', 'FILES_LOST'];

const tellsHowToResume = (reason: Reason | null): boolean =>
  reason?.kind === 'fault' && NAMES_RESUME.includes(reason.code);

/** Reasons of parked trials, whose campaign continues. */
function parkedReasons({ campaign: { name, open } }: StallFacts): StallReason[] {
  return open.flatMap(({ trial, submittedAt, parked }) =>
    parked === null
      ? []
      : {
          what: 'parked',
          id: `parked:${trial}`,
          text: `${trial} is parked: ${parked}`,
          about: [trial],
          since: submittedAt.toISOString(),
          remedy: `\`assay resume ${name}/${trial}\` retries it, \`assay cancel ${name}/${trial}\` ends it; the campaign continues without it.`,
        },
  );
}

/** `paused: lunch`, but not `paused: paused by a person`. */
function said(word: string, why: Reason | null): string {
  if (why === null) return word;
  const wordless = why.kind === 'pause' && why.said === null;
  return wordless ? reasonText(why) : `${word}: ${reasonText(why)}`;
}

function hostReasons({ hosts }: StallFacts): StallReason[] {
  const first = new Map(hosts.map((each) => [each.host, each]));
  return [...first.values()].map(({ host, why, since }) => ({
    what: 'host_unhealthy',
    id: `host_unhealthy:${host}`,
    text: `${host} takes no work: ${why}`,
    about: [],
    since: since.toISOString(),
    remedy: `Fix it, and it takes work again by itself; \`assay doctor\` on ${host} checks it.`,
  }));
}

/** Those that wait for the same are told in one sentence. */
function together(waits: readonly Wait[], campaign: string): StallReason[] {
  const groups = new Map<string, Wait[]>();
  for (const wait of waits) groups.set(wait.id, [...(groups.get(wait.id) ?? []), wait]);
  return [...groups.values()].flatMap((group) => {
    const [first] = [...group].sort((a, b) => a.dueMs - b.dueMs || (a.subject < b.subject ? -1 : 1));
    if (first === undefined) return [];
    const subjects = [...new Set(group.map(({ subject }) => subject))].sort();
    const since = group.flatMap((wait) => wait.since ?? []).sort((a, b) => a.getTime() - b.getTime())[0];
    return {
      what: first.what,
      id: first.id,
      text: first.says(whoOf(subjects, campaign)),
      about: subjects.filter((subject) => subject !== campaign),
      since: since?.toISOString() ?? null,
      remedy: first.remedy,
    };
  });
}

const NAMED = 3;

function whoOf(subjects: readonly string[], campaign: string): Who {
  const named = subjects.map((subject) => (subject === campaign ? 'the campaign' : subject));
  const shown =
    named.length <= NAMED ? named : [...named.slice(0, NAMED - 1), `${named.length - NAMED + 1} more`];
  const last = shown.at(-1) ?? '';
  const names = shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`;
  return { names, many: named.length > 1 };
}
