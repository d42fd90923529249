import { CancellationScope, isCancellation, rootCause } from '@temporalio/workflow';
import type { ClaimRun } from '../activities/claim.js';
import { trialLabel } from '../src/domain/keys.js';
import { interruptionText } from '../src/domain/trial/interruption.js';
import { claimActivities, waitingActivities, type Frozen } from './proxies.js';
import { evaluateRun, trainRun } from './trial.js';

/** Opens a claim and returns the runs to measure; empty if there is nothing new to claim. */
export async function openClaim({ owner }: Frozen, claim: number): Promise<ClaimRun[]> {
  return claimActivities.openClaim.executeWithOptions({ summary: 'open the claim' }, [{ owner, claim }]);
}

/**
 * Measures the start and the frontier on fresh seeds and weighs them; a claim that is cut short says so. All runs of
 * both are trained before any is evaluated, so that no training can use what an evaluation reveals of the held-out
 * data.
 */
export async function measureClaim(frozen: Frozen, claim: number, runs: readonly ClaimRun[]): Promise<void> {
  if (runs.length === 0) return;
  const { owner } = frozen;
  const work = new CancellationScope();
  let because: string | null = null;
  let failed = false;
  // the other runs would cost money and prove nothing
  const cut = (error: unknown): null => {
    if (!failed) because ??= isCancellation(error) ? CUT_SHORT : (rootCause(error) ?? 'fault');
    work.cancel();
    return null;
  };
  const unlessCut = (evaluated: string): void => {
    if (evaluated === 'lost') because ??= 'an artifact was lost with its host after all runs were sealed';
    else if (evaluated === 'exhausted') because ??= interruptionText({ kind: 'budget' });
    else return;
    work.cancel();
  };
  const train = async (of: ClaimRun) => {
    const trained = await trainRun(frozen, { owner, purpose: 'claim', ...of }, nameOf(of));
    if (trained.next === 'evaluate') return { of, trained };
    if (trained.next === 'exhausted') because ??= interruptionText({ kind: 'budget' });
    else failed = true;
    work.cancel();
    return null;
  };
  const measure = async () => {
    const trained = await Promise.all(runs.map((of) => train(of).catch(cut)));
    const summary = 'seal what was trained for the claim';
    if (failed || because !== null) return;
    const { sealed } = await claimActivities.sealClaim.executeWithOptions({ summary }, [{ owner, claim }]);
    if (!sealed) return;
    const measured = trained.filter((each) => each !== null);
    await Promise.all(
      measured.map(({ of, trained: run }) =>
        evaluateRun(frozen, { owner, purpose: 'claim', ...of }, run, nameOf(of))
          .then(unlessCut)
          .catch(cut),
      ),
    );
  };
  // none of them rejects, so after this wait no run of the claim is left
  await work.run(measure).catch(cut);
  await CancellationScope.nonCancellable(() =>
    claimActivities.closeClaim.executeWithOptions({ summary: 'weigh the claim' }, [
      { owner, claim, because },
    ]),
  );
}

const CUT_SHORT = 'stopped before it was measured';

const nameOf = ({ number, index }: ClaimRun): string => `${trialLabel(number)}, fresh run ${index + 1}`;

/**
 * Claims the frontier of the moment at each milestone, while the search continues; `waiting` ends with the search.
 */
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
