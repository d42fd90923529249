import { mostSimilar } from '../domain/text/near-duplicates.js';
import { decisionMeasure, type Task } from '../domain/task/task.js';
import type { SimilarTrial } from '../lineage/documents/session.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import { repeatAnswer } from '../model/answers.js';
import { renderRows } from '../model/view/row-text.js';
import type { VisibleTrials } from './visible-trials.js';

/** Newest trials that a proposal is compared with. */
const COMPARED = 500;

/** A proposal of a session as its words tell it apart. */
export interface Worded {
  /** Key of the call. */
  call: string;
  session: string;
  snapshot: string;
  hypothesis: string;
  /** Changed lines, "-old" and "+new". */
  changes: string;
}

/** Earlier trial that a proposal nearly repeats, and the answer instead of measuring it; null: it is measured. */
export interface Novelty {
  similar: SimilarTrial | null;
  answer: string | null;
}

/**
 * Compares a proposal with the trials that its conversation may see. One that nearly repeats an earlier one is answered
 * with it, once: what is submitted again is measured.
 */
export async function noveltyOf(
  lineage: Lineage,
  trials: VisibleTrials,
  spec: Task,
  proposal: Worded,
): Promise<Novelty> {
  const earlier = (await trials.latest(COMPARED)).filter(({ changes }) => changes !== '');
  // the same files are a duplicate, which costs nothing either
  if (earlier.some(({ snapshot }) => snapshot === proposal.snapshot)) return NEW;
  const nearest = nearestOf(proposal, earlier);
  if (nearest === null || nearest.similarity < spec.novelty.threshold) return NEW;
  const { trial, similarity } = nearest;
  const similar = { trial: trial.number, similarity };
  const { repeats } = await lineage.sessions.get(proposal.session);
  const isAgain = repeats.some(
    (one) => one.call !== proposal.call && (one.snapshot === proposal.snapshot || one.trial === trial.number),
  );
  if (isAgain) return { similar, answer: null };
  await lineage.sessions.addRepeat(proposal.session, {
    call: proposal.call,
    snapshot: proposal.snapshot,
    ...similar,
  });
  const row = renderRows(await trials.rows([trial]), decisionMeasure(spec));
  return { similar, answer: repeatAnswer(similar, row) };
}

/** Nothing earlier is like it. */
export const NEW: Novelty = { similar: null, answer: null };

const wordsOf = ({ hypothesis, changes }: Pick<TrialDocument, 'hypothesis' | 'changes'>): string =>
  `${hypothesis}\n${changes}`;

function nearestOf(
  proposal: Worded,
  earlier: readonly TrialDocument[],
): { trial: TrialDocument; similarity: number } | null {
  const found = mostSimilar(wordsOf(proposal), earlier.map(wordsOf));
  const trial = found === null ? undefined : earlier[found.at];
  if (found === null || trial === undefined) return null;
  return { trial, similarity: Number(found.cosine.toFixed(3)) };
}
