import type { FrozenCampaign } from '../../domain/campaign/campaign.js';
import { START } from '../../domain/keys.js';
import { evaluationBoundMs, leaseBoundMs } from '../../domain/task/bounds.js';
import type { Task } from '../../domain/task/task.js';
import { NOTHING } from '../../lineage/budgets/budgets.js';
import type { Lineage } from '../../lineage/lineage.js';

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

export const ARMS = ['start', 'frontier'] as const;

/** Key of what is held for one run of a claim, until that run holds its own. */
const holdKey = ({ owner, claim }: ClaimRef, of: (typeof ARMS)[number], index: number): string =>
  `${owner}/claim/${claim}/${of}-${index}`;

/** The most that one of a claim's runs can take, in milliseconds of one slot or accelerator. */
export interface ClaimRunBound {
  trainMs: number;
  /** 0 where an evaluation needs no accelerators. */
  evaluateMs: number;
}

export const claimRunBound = (task: Task, trainSeconds: number | null): ClaimRunBound => ({
  trainMs: leaseBoundMs(task, trainSeconds, { trained: false, packed: false, warm: false }),
  evaluateMs: evaluationBoundMs(task),
});

/** The claims of a campaign by their numbers. */
export const claimsOf = ({ owner, claim: { at } }: Pick<FrozenCampaign, 'owner' | 'claim'>): ClaimRef[] =>
  [...at, null].map((_, claim) => ({ owner, claim }));

/** Indexes of the runs of a claim, the same for both of its arms and different from those of every other claim. */
export const indexesOf = ({ claim }: ClaimRef, runs: number): number[] =>
  Array.from({ length: runs }, (_, i) => claim * runs + i);

/**
 * Holds the accelerator time of a claim's runs from the beginning, so that the search cannot use it up.
 */
export async function reserveClaim(
  lineage: Lineage,
  of: ClaimRef,
  runs: number,
  { trainMs, evaluateMs }: ClaimRunBound,
): Promise<void> {
  const { owner } = of;
  const hold = async (key: string, acceleratorMs: number): Promise<void> => {
    if (acceleratorMs === 0) return;
    const amounts = { ...NOTHING, acceleratorMs };
    await lineage.budgets.reserve({ owner, key, amounts, what: 'claim', role: 'claim', trial: null });
  };
  for (const index of indexesOf(of, runs))
    for (const arm of ARMS) {
      await hold(holdKey(of, arm, index), trainMs);
      await hold(evaluationOf(holdKey(of, arm, index)), evaluateMs);
    }
}

const evaluationOf = (runKey: string): string => `${runKey}/evaluation`;

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

/** The key of what is held for the evaluation of one run. */
export const heldForEvaluation = (run: ClaimRun & { owner: string }): string => evaluationOf(heldForRun(run));
