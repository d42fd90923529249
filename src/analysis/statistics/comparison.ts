import { compareRuns, type Comparison } from '../../domain/decision/claim/comparison.js';
import { START } from '../../domain/keys.js';
import type { DecisionDocument } from '../../lineage/documents/decision.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { Lineage } from '../../lineage/lineage.js';

/**
 * Compares a trial that was submitted alone with its start, where a person has fixed in advance how often both are
 * measured and all of these runs were made; else null.
 */
export async function comparisonOf(
  lineage: Lineage,
  { frozen: { submissionRuns, claim } }: Pick<CampaignDocument, 'frozen'>,
  decision: DecisionDocument | null,
): Promise<Comparison | null> {
  if (submissionRuns === null || decision === null || decision.trial === START) return null;
  const start = await lineage.decisions.of(decision.owner, START);
  const arms = [start?.inputs.scores ?? [], decision.inputs.scores];
  const [first = [], second = []] = arms;
  if (arms.some(({ length }) => length !== submissionRuns)) return null;
  return compareRuns({
    direction: decision.inputs.direction,
    start: first,
    trial: second,
    paired: await arePaired(lineage, start?.inputs.replicates ?? [], decision.inputs.replicates),
    confidence: claim.confidence,
  });
}

/** True where each run of the trial took over the training of the start's run at its place. */
async function arePaired(
  lineage: Lineage,
  start: readonly string[],
  trial: readonly string[],
): Promise<boolean> {
  const found = await lineage.replicates.many([...start, ...trial]);
  const training = new Map(found.map(({ _id, trained }) => [_id, trained?.sharesTraining ?? _id]));
  return trial.every((key, i) => training.get(key) === training.get(start[i] ?? ''));
}
