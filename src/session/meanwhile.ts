import type { SessionDocument } from '../lineage/documents/session.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import { newsLine, type News } from '../model/trial-news.js';
import { uncollected } from './await-trials.js';
import type { VisibleTrials } from './visible-trials.js';

/** A line of news for a session, and what is recorded once it has got it. */
export interface Meanwhile {
  line: string;
  told: SessionDocument['told'];
}

/**
 * Finds what a session has to know of the trials that it did not wait for, and of a frontier that moved while they
 * wait; null where there is nothing new.
 */
export async function meanwhile(
  lineage: Lineage,
  trials: VisibleTrials,
  session: string,
): Promise<Meanwhile | null> {
  const conversation = await lineage.sessions.get(session);
  const { owner, told } = conversation;
  const numbers = uncollected(conversation);
  if (numbers.length === 0) return null;
  const own = await lineage.trials.many(owner, numbers);
  const moved = trials.seesOthers ? await movedFrontier(lineage, trials, conversation) : null;
  const ended = own.flatMap((trial) => {
    const { number, outcome } = trial;
    const status = trials.statusOf(trial);
    return status === null || told.ended.includes(number)
      ? []
      : [{ trial: number, status, score: outcome?.score ?? null }];
  });
  const line = newsLine({ frontier: moved, ended, waiting: waitingBehind(own, moved) });
  if (line === null) return null;
  const frontier = moved?.trial ?? told.frontier;
  return { line, told: { frontier, ended: ended.map(({ trial }) => trial) } };
}

/** The frontier, where it is another than the session was told and may be seen by it. */
async function movedFrontier(
  lineage: Lineage,
  trials: VisibleTrials,
  { owner, base, told }: SessionDocument,
): Promise<News['frontier']> {
  const frontier = await lineage.decisions.frontier(owner);
  // a session begins on the frontier of its time
  if (frontier === null || frontier.trial === (told.frontier ?? base)) return null;
  if ((await trials.get(frontier.trial)) === null) return null;
  return { trial: frontier.trial, score: frontier.inputs.score };
}

function waitingBehind(own: readonly TrialDocument[], moved: News['frontier']): News['waiting'] {
  if (moved === null) return [];
  return own.flatMap(({ number, parent, status, stage }) =>
    status === null && (stage === 'queued' || stage === 'preparing') && parent !== moved.trial
      ? [{ trial: number, parent }]
      : [],
  );
}
