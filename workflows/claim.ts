import { CancellationScope, isCancellation, rootCause } from '@temporalio/workflow';
import type { ClaimRun } from '../activities/claiming.js';
import { trialLabel } from '../src/domain/keys.js';
import { claimingActivities, waitingActivities, type Frozen } from './proxies.js';
import { measureRun } from './trial.js';

/** What has to be measured for a claim; empty where there is nothing new to claim. */
export async function openClaim({ owner }: Frozen, claim: number): Promise<ClaimRun[]> {
  return claimingActivities.openClaim.executeWithOptions({ summary: 'open the claim' }, [{ owner, claim }]);
}

/** Measures the start and the frontier on fresh seeds, and weighs them; a claim that is cut short says so. */
export async function measureClaim(frozen: Frozen, claim: number, runs: readonly ClaimRun[]): Promise<void> {
  const { owner } = frozen;
  const work = new CancellationScope();
  let because: string | null = null;
  const run = (of: ClaimRun) =>
    measureRun(
      frozen,
      { owner, purpose: 'claim', ...of },
      `${trialLabel(of.number)}, fresh run ${of.index + 1}`,
    ).catch((error: unknown) => {
      because ??= isCancellation(error) ? 'stopped before it was measured' : (rootCause(error) ?? 'fault');
      // the others would be paid for, and prove nothing
      work.cancel();
    });
  // each has caught its own end: when all are over, nothing of the claim runs any more
  await work.run(() => Promise.all(runs.map(run)));
  await CancellationScope.nonCancellable(() =>
    claimingActivities.closeClaim.executeWithOptions({ summary: 'weigh the claim' }, [
      { owner, claim, because },
    ]),
  );
}

/** Claims at each milestone what is adopted by then, while the search goes on; `waiting` ends with the search. */
export async function claimAtMilestones(
  frozen: Frozen,
  at: readonly number[],
  waiting: CancellationScope,
): Promise<void> {
  const { owner } = frozen;
  for (const [claim, trials] of at.entries()) {
    const reached = await waiting
      .run(() =>
        waitingActivities.awaitMilestone.executeWithOptions({ summary: `wait for ${trials} ended trials` }, [
          { owner, trials },
        ]),
      )
      .then(
        () => true,
        (error: unknown) => {
          if (isCancellation(error)) return false;
          throw error;
        },
      );
    if (!reached) return;
    await measureClaim(frozen, claim, await openClaim(frozen, claim));
  }
}
