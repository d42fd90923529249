import type { FrozenCampaign } from '../../domain/campaign/campaign.js';
import { claimBy } from '../../domain/decision/claim/claim.js';
import { START } from '../../domain/keys.js';
import { claimedMeasure, decisionMetric, type Task } from '../../domain/task/task.js';
import { outcomeOfRuns } from '../../domain/trial/outcome-of.js';
import type { ClaimDocument } from '../../lineage/documents/claim.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { Lineage } from '../../lineage/lineage.js';
import { metricsOf, seededRuns } from '../../lineage/trials/replicates.js';
import { ARMS, indexesOf, releaseClaim, type ClaimRef, type ClaimRun } from './claim-reservation.js';

/** Counts the trials that count and have ended, without the start. */
export async function endedTrials(lineage: Lineage, owner: string): Promise<number> {
  const { submitted } = await lineage.trials.totals(owner);
  const { duplicate, ...counts } = await lineage.leaderboards.counts(owner, submitted);
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Says what has to be measured for a claim; nothing where there is nothing new to claim. */
export async function openClaim(lineage: Lineage, of: ClaimRef): Promise<ClaimRun[]> {
  const { frozen } = await lineage.campaigns.byOwner(of.owner);
  const opened = (await lineage.claims.find(of.owner, of.claim)) ?? (await begin(lineage, of, frozen));
  if (opened === null || opened.closedAt !== null) {
    await releaseClaim(lineage, of);
    return [];
  }
  const { start, frontier, runs } = opened;
  return indexesOf(of, runs).flatMap((index) => [
    { number: start, index, claim: of.claim },
    { number: frontier, index, claim: of.claim },
  ]);
}

/** Null where there is nothing to claim, or where it has been claimed before. */
async function begin(
  lineage: Lineage,
  { owner, claim }: ClaimRef,
  frozen: FrozenCampaign,
): Promise<ClaimDocument | null> {
  const { runs, confidence } = frozen.claim;
  const last = await lineage.decisions.last(owner);
  if (runs === 0 || last === null || last.frontier.trial === START) return null;
  const { trial, version } = last.frontier;
  const before = await lineage.claims.list(owner);
  if (before.some((one) => one.version === version && one.result !== null)) return null;
  const { spec } = await lineage.tasks.get(frozen.task.digest);
  const { name: metric, direction } = claimedMeasure(spec);
  return lineage.claims.open(owner, claim, {
    start: START,
    frontier: trial,
    version,
    metric,
    direction,
    runs,
    // the first decision is that on the start
    decided: last.sequence - 1,
    confidence,
  });
}

/**
 * Fixes the artifacts of a claim once all its runs are trained; tells whether they may be evaluated, else it is void.
 * Nothing that saw the data of a claim may run before something that it could help, so no run of it is evaluated
 * before all of them are trained.
 */
export async function sealClaim(lineage: Lineage, { owner, claim: number }: ClaimRef): Promise<boolean> {
  const claim = await lineage.claims.get(owner, number);
  const trained = (await lineage.replicates.many(claim.replicates)).flatMap(({ _id: replicate, trained }) =>
    trained === null || trained.failure !== null || trained.artifact === null
      ? []
      : [{ replicate, artifact: trained.artifact.digest }],
  );
  if (trained.length < ARMS.length * claim.runs) return false;
  await lineage.claims.seal(owner, number, trained);
  return (await lineage.claims.get(owner, number)).sealed !== null;
}

/** Weighs the fresh runs, or says why they prove nothing. */
export async function closeClaim(
  lineage: Lineage,
  { owner, claim: number }: ClaimRef,
  because: string | null,
): Promise<void> {
  const claim = await lineage.claims.find(owner, number);
  if (claim === null) return;
  await releaseClaim(lineage, { owner, claim: number });
  if (claim.closedAt !== null) return;
  const campaign = await lineage.campaigns.byOwner(owner);
  const { spec } = await lineage.tasks.get(campaign.frozen.task.digest);
  const replicates = await lineage.replicates.many(claim.replicates);
  const arm = async (number: number): Promise<ReplicateDocument[]> => {
    const { snapshot } = await lineage.trials.require(owner, number);
    return replicates.filter((one) => one.snapshot === snapshot).sort((a, b) => a.index - b.index);
  };
  const [start, frontier] = [await arm(claim.start), await arm(claim.frontier)];
  const unusable = because ?? voidReason(spec, start, frontier, claim.runs);
  if (unusable !== null) return lineage.claims.close(owner, number, { void: unusable });
  const { metric, direction, confidence } = claim;
  const arms = { start: seededRuns(start, metric), frontier: seededRuns(frontier, metric) };
  const { deterministic } = campaign.frozen.claim;
  const result = claimBy(claim.rule, { direction, ...arms, confidence }, { deterministic });
  await lineage.claims.close(owner, number, { result });
}

/** A claim rests on all its runs: leaving out those that failed would be selection. */
function voidReason(
  task: Task,
  start: readonly ReplicateDocument[],
  frontier: readonly ReplicateDocument[],
  runs: number,
): string | null {
  const arms = [
    ['start', start],
    ['frontier', frontier],
  ] as const;
  for (const [name, arm] of arms)
    for (const { index, trained, evaluated } of arm) {
      const failure = trained?.failure ?? evaluated?.failure ?? null;
      if (failure !== null)
        return `run ${index + 1} of the ${name} ended as ${failure.status}: ${failure.reason}`;
    }
  for (const [name, arm] of arms) {
    const measured = arm.filter((run) => claimedMeasure(task).name in metricsOf(run));
    if (measured.length < runs) return `only ${measured.length} of ${runs} runs of the ${name} were measured`;
  }
  const { outcome } = outcomeOfRuns(task, frontier, {
    ...{ preflight: null, metric: decisionMetric(task) },
    ...{ as: 'claim', start },
  });
  // whatever else a trial can end as was found above
  return outcome?.status === 'discard'
    ? null
    : `the frontier's fresh runs miss a gate: ${outcome?.lesson ?? ''}`;
}
