import { changedLines } from '../domain/text/diff.js';
import { mostSimilar } from '../domain/text/near-duplicates.js';
import { termsWithNumbers } from '../domain/text/text-vectors.js';
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
  edit: Edited;
}

/** Changes of an edit. */
export interface Edited {
  /** Changed lines, "-old" and "+new", cut to a few hundred characters. */
  changes: string;
  /** The whole unified diff. */
  diff: string;
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
  const { threshold } = spec.novelty;
  const trial = nearestOf(proposal, earlier, threshold);
  if (trial === null) return NEW;
  // what was cut of large edits may differ
  const similarity = similarityOf(proposal, trial.hypothesis, await lineage.blobs.text(trial.diff));
  if (similarity < threshold) return NEW;
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

/** Characters of a diff that is compared; larger edits are not. */
const MOST_CHARACTERS = 200_000;

/** Numbers of the added lines, in their order: another value of a constant is another experiment. */
const numbersSet = (lines: readonly string[]): string =>
  lines
    .filter((line) => line.startsWith('+'))
    .flatMap((line) => termsWithNumbers(line.slice(1)).filter((term) => /\d/.test(term)))
    .join(' ');

/** Finds the earlier trial that is most like a proposal by what a trial's document tells. */
function nearestOf(
  { hypothesis, edit: { changes } }: Worded,
  earlier: readonly TrialDocument[],
  threshold: number,
): TrialDocument | null {
  const numbers = numbersSet(changedLines(changes));
  const alike = earlier.filter((trial) => numbersSet(changedLines(trial.changes)) === numbers);
  const words = alike.map((trial) => `${trial.hypothesis}\n${trial.changes}`);
  const found = mostSimilar(`${hypothesis}\n${changes}`, words);
  return found === null || found.cosine < threshold ? null : (alike[found.at] ?? null);
}

/** Cosine of hypothesis and all changed lines; 0 where other numbers are set, and of edits that are too large. */
function similarityOf({ hypothesis, edit }: Worded, otherHypothesis: string, otherDiff: string): number {
  if (Math.max(edit.diff.length, otherDiff.length) > MOST_CHARACTERS) return 0;
  const [own, other] = [changedLines(edit.diff), changedLines(otherDiff)];
  if (numbersSet(own) !== numbersSet(other)) return 0;
  const found = mostSimilar([hypothesis, ...own].join('\n'), [[otherHypothesis, ...other].join('\n')]);
  return Number((found?.cosine ?? 0).toFixed(3));
}
