import { DOING } from '../../domain/trial/doing.js';
import { otherText } from './queue.js';
import type { PendingActivity, StallFacts } from './types.js';
import { ago, HANDOUT_MS, type Wait } from './wording.js';

const WAITS: readonly (string | null)[] = [DOING.waitsForAlone, DOING.waitsToBeAlone];
const HOLDS: readonly (string | null)[] = [DOING.evaluatesAlone, DOING.trainsAlone, DOING.waitsToBeAlone];

/** Work that has a worker, whose host other work has to itself; null for work that does not wait for that. */
export function exclusive(facts: StallFacts, activity: PendingActivity, label: string): Wait | null {
  const { doing, worker, startedAt } = activity;
  if (!WAITS.includes(doing) || ago(facts.now, startedAt) < HANDOUT_MS) return null;
  const host = hostOf(worker);
  const toBeAlone = doing === DOING.waitsToBeAlone;
  const by = (toBeAlone ? workOn(facts, host, label) : aloneOn(facts, host)).join(', ');
  return {
    what: 'exclusive',
    id: `exclusive:${host}:${toBeAlone ? 'empties' : 'taken'}`,
    subject: label,
    since: startedAt,
    dueMs: 0,
    says: ({ names, many }) =>
      toBeAlone
        ? `${names} ${many ? 'wait' : 'waits'} to have host ${host} alone, where others still run${by === '' ? '' : `: ${by}`}`
        : `${names} ${many ? 'wait' : 'waits'} for host ${host}: other work has it to itself${by === '' ? '' : `, that of ${by}`}`,
    remedy: null,
  };
}

/** Without the process. */
const hostOf = (worker: string): string => worker.replace(/:[^:]*$/, '');

function aloneOn(facts: StallFacts, host: string): string[] {
  const { server, campaign, elsewhere } = facts;
  const own = (server?.workflows ?? []).flatMap(({ kind, label, activities }) =>
    activities.some(({ worker, doing }) => hostOf(worker) === host && HOLDS.includes(doing))
      ? [kind === 'campaign' ? `the claim of ${campaign.name}` : label]
      : [],
  );
  if (own.length > 0) return own.sort();
  return elsewhere.filter((each) => each.host === host && each.what === 'evaluate').map(otherText);
}

function workOn({ campaign, elsewhere }: StallFacts, host: string, label: string): string[] {
  const own = campaign.active.filter((each) => each.host === host && each.trial !== label);
  return [
    ...own.map(({ trial, what }) => `${trial} (${what})`),
    ...elsewhere.filter((each) => each.host === host).map(otherText),
  ];
}
