import type { FrozenCampaign } from '../src/domain/campaign/campaign.js';
import { claimBy } from '../src/domain/decision/claim.js';
import { START } from '../src/domain/keys.js';
import { outcomeOfRuns } from '../src/domain/trial/outcome-of.js';
import { claimedMeasure, decisionMetric, type Task } from '../src/domain/task/task.js';
import { leaseBoundMs } from '../src/domain/task/bounds.js';
import type { ClaimDocument } from '../src/lineage/documents/decision-documents.js';
import type { ReplicateDocument } from '../src/lineage/documents/documents.js';
import type { Lineage } from '../src/lineage/lineage.js';
import { NOTHING } from '../src/lineage/budgets/budgets.js';
import { seededRuns, metricsOf } from '../src/lineage/trials/replicates.js';
import { poll } from './heartbeat.js';

const LOOK_EVERY_MS = 1500;

/** One fresh run for a claim: of which trial, which of its runs, and for which claim. */
export interface ClaimRun {
  number: number;
  index: number;
  claim: number;
}

/** A claim of a campaign by its number: milestones from 0 on, then the end. */
export interface ClaimRef {
  owner: string;
  claim: number;
}

export interface ClaimingActivities {
  /** Waits until so many trials have ended. */
  awaitMilestone(of: { owner: string; trials: number }): Promise<void>;
  /** What has to be measured for a claim; nothing where there is nothing new to claim. */
  openClaim(of: ClaimRef): Promise<ClaimRun[]>;
  /** Fixes the artifacts of a claim once all its runs are trained: they may be evaluated; else it is void. */
  sealClaim(of: ClaimRef): Promise<{ sealed: boolean }>;
  /** Weighs the fresh runs, or says why they prove nothing. */
  closeClaim(of: ClaimRef & { because: string | null }): Promise<void>;
}

export function claimingActivities({ lineage }: { lineage: Lineage }): ClaimingActivities {
  return {
    awaitMilestone: ({ owner, trials }) =>
      poll(LOOK_EVERY_MS, async () => ((await endedTrials(lineage, owner)) >= trials ? true : null)).then(
        () => undefined,
      ),
    openClaim: (of) => openClaim(lineage, of),
    sealClaim: async (of) => ({ sealed: await sealClaim(lineage, of) }),
    closeClaim: ({ because, ...of }) => closeClaim(lineage, of, because),
  };
}

/** Trials that count and have ended, without the start. */
async function endedTrials(lineage: Lineage, owner: string): Promise<number> {
  const { submitted } = await lineage.trials.totals(owner);
  const { duplicate, ...counts } = await lineage.heads.counts(owner, submitted);
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const ARMS = ['start', 'frontier'] as const;

/** What is held for one run of a claim, until that run holds its own. */
const holdKey = ({ owner, claim }: ClaimRef, of: (typeof ARMS)[number], index: number): string =>
  `${owner}/claim/${claim}/${of}-${index}`;

/** The most that one of a claim's runs can take, in milliseconds of one slot. */
export const claimRunBoundMs = (task: Task, trainSeconds: number | null): number =>
  leaseBoundMs(task, trainSeconds, { trained: false, packed: false });

/** The claims of a campaign by their numbers. */
export const claimsOf = ({ owner, claim: { at } }: Pick<FrozenCampaign, 'owner' | 'claim'>): ClaimRef[] =>
  [...at, null].map((_, claim) => ({ owner, claim }));

/** Indexes of the runs of a claim, the same for both of its arms and different from those of every other claim. */
const indexesOf = ({ claim }: ClaimRef, runs: number): number[] =>
  Array.from({ length: runs }, (_, i) => claim * runs + i);

/**
 * Holds the accelerator time of a claim's runs from the beginning, so that the search cannot use it up.
 * @param runMs the most that one run can take, in milliseconds of one slot
 */
export async function reserveClaim(
  lineage: Lineage,
  of: ClaimRef,
  runs: number,
  runMs: number,
): Promise<void> {
  const { owner } = of;
  const amounts = { ...NOTHING, acceleratorMs: runMs };
  for (const index of indexesOf(of, runs))
    for (const arm of ARMS) {
      const key = holdKey(of, arm, index);
      await lineage.budgets.reserve({ owner, key, amounts, what: 'claim', role: 'claim', trial: null });
    }
}

/** Gives back what is held for runs that will not be made. */
export async function releaseClaim(lineage: Lineage, { owner, claim }: ClaimRef): Promise<void> {
  const budget = await lineage.budgets.find(owner);
  for (const { key } of Object.values(budget?.open ?? {}))
    if (key.startsWith(`${owner}/claim/${claim}/`))
      await lineage.budgets.settle(owner, key, NOTHING, 'unpaid');
}

/** The key of what is held for one run until it holds its own. */
export const heldForRun = ({ owner, number, index, claim }: ClaimRun & { owner: string }): string =>
  holdKey({ owner, claim }, number === START ? 'start' : 'frontier', index);

async function openClaim(lineage: Lineage, of: ClaimRef): Promise<ClaimRun[]> {
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
 * Nothing that saw the data of a claim may run before something that it could help, so no run of it is evaluated
 * before all of them are trained.
 */
async function sealClaim(lineage: Lineage, { owner, claim: number }: ClaimRef): Promise<boolean> {
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

async function closeClaim(
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
  const { outcome } = outcomeOfRuns(task, frontier, { preflight: null, metric: decisionMetric(task) });
  // whatever else a trial can end as was found above
  return outcome?.status === 'discard'
    ? null
    : `the frontier's fresh runs miss a gate: ${outcome?.lesson ?? ''}`;
}
