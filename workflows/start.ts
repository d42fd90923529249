import { ApplicationFailure } from '@temporalio/workflow';
import type { FrozenCampaign } from '../src/domain/campaign/campaign.js';
import type { Reason } from '../src/domain/campaign/reasons.js';
import { START } from '../src/domain/keys.js';
import type { CampaignState } from '../src/domain/statuses.js';
import { campaignActivities, decideActivities, submitActivities, waitingActivities } from './proxies.js';
import { runTrial } from './child-trial.js';

/**
 * End of a campaign whose workflow was reset afterwards: it ends the same way again and does nothing else.
 */
export interface Over {
  over: { state: CampaignState; reason: Reason | null };
}

/**
 * Measures the start recipe and returns its score.
 * @throws ApplicationFailure START_RECIPE_FAILED: a search needs a start that can be measured; START_ON_BUSY_HOST
 * where it was out of time on a host that was slower than usual each time
 */
export async function measureStart(frozen: FrozenCampaign): Promise<number | Over> {
  const { owner } = frozen;
  const summary = 'submit the start recipe';
  const { over } = await submitActivities.submitStart.executeWithOptions({ summary }, [{ owner }]);
  if (over !== undefined) return { over };
  await runTrial({ frozen, role: 'start' }, START);
  const start = await decideActivities.outcome.executeWithOptions({ summary: 'read the start' }, [
    { owner, number: START },
  ]);
  const { status, score, lesson, noiseFault, busyHost } = start;
  const missed = status === 'disqualified';
  if (score === null || (status !== 'keep' && !missed))
    throw ApplicationFailure.create({
      message: `the start recipe ended as ${status}: ${lesson}`,
      type: busyHost ? 'START_ON_BUSY_HOST' : 'START_RECIPE_FAILED',
      nonRetryable: true,
    });
  if (missed || noiseFault != null)
    await untilAccepted(frozen, {
      kind: 'start',
      missedGate: missed ? lesson : null,
      noiseFault: noiseFault ?? null,
    });
  if (missed)
    await decideActivities.acceptStart.executeWithOptions({ summary: 'accept the start' }, [{ owner }]);
  return score;
}

/** Blocks the campaign until a person accepts a start that misses a gate or shows no noise. */
async function untilAccepted({ owner }: FrozenCampaign, reason: Reason): Promise<void> {
  const unheld = () =>
    waitingActivities.awaitControl.executeWithOptions({ summary: 'wait for a person' }, [
      { owner, until: ['running', 'draining', 'stopping'] },
    ]);
  // a resume of an earlier pause is not an answer, and a campaign that ends needs none
  while ((await unheld()) === 'running') {
    const control = await campaignActivities.block.executeWithOptions(
      { summary: 'block: the start is no start to search from unasked' },
      [{ owner, reason }],
    );
    if (control !== 'blocked') continue;
    await unheld();
    break;
  }
}
