import { estimateOf, type Estimate } from '../../domain/decision/claim/estimate.js';
import { believedNow } from '../../lineage/decisions/believed.js';
import type { DecisionDocument } from '../../lineage/documents/decision.js';
import { lessonFacts } from '../../lineage/decisions/lesson-facts.js';
import type { Lineage } from '../../lineage/lineage.js';
import { seededRuns } from '../../lineage/trials/replicates.js';

/** The best estimate of the true score of the trial that a decision was about; null before the decision. */
export async function trialEstimate(
  lineage: Lineage,
  decision: DecisionDocument | null,
): Promise<Estimate | null> {
  if (decision === null) return null;
  const { scores, spread } = lessonFacts(decision);
  const [fresh, believed] = await Promise.all([
    freshScores(lineage, decision),
    believedNow(lineage, decision),
  ]);
  return estimateOf({ fresh, believed, scores, sd: spread?.sd ?? null });
}

/**
 * Lists the scores of the fresh runs of claims on a trial: only of claims with a result, so that none is left out.
 */
async function freshScores(lineage: Lineage, { owner, trial, inputs }: DecisionDocument): Promise<number[]> {
  const claims = (await lineage.claims.list(owner)).filter(
    ({ result, start, frontier }) => result !== null && (start === trial || frontier === trial),
  );
  const runs = await lineage.replicates.many(claims.flatMap(({ replicates }) => replicates));
  const own = runs.filter((run) => run.trial === trial).sort((a, b) => a.index - b.index);
  return seededRuns(own, inputs.metric).map(({ score }) => score);
}
