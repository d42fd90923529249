import { CancellationScope, currentUpdateInfo, setHandler, uuid4 } from '@temporalio/workflow';
import type { LimitsAnswer } from '../activities/limits.js';
import { limitChangeSchema, type LimitChange } from '../src/domain/money/budget.js';
import { refusesLimits, refusesTrial, refusesUpdate } from '../src/domain/campaign/transitions.js';
import { START } from '../src/domain/keys.js';
import { interruptionText } from '../src/domain/trial/interruption.js';
import { explain } from '../src/domain/text/explain.js';
import type { CampaignRun } from './campaign-run.js';
import { unwrapActivityFailure } from './failures.js';
import {
  cancelTrialUpdate,
  leaderboardQuery,
  limitsUpdate,
  pauseSignal,
  resumeSignal,
  resumeTrialUpdate,
  statusQuery,
  stopSignal,
  submitUpdate,
  type TrialResult,
} from './messages.js';
import type { PersonTrials } from './person-trial.js';
import { campaignActivities, parkedActivities } from './proxies.js';

/**
 * Registers the handlers of a campaign's messages. Signals are kept until the campaign is frozen, and an accepted
 * update that needs the frozen campaign waits for it.
 */
export function handleMessages(run: CampaignRun, work: CancellationScope, people: PersonTrials): void {
  setHandler(pauseSignal, (said) => run.apply({ kind: 'pause', said: said ?? null }));
  setHandler(resumeSignal, () => run.apply({ kind: 'resume' }));
  setHandler(stopSignal, (mode) => {
    const asked = typeof mode === 'string' ? mode : mode?.mode;
    run.apply({ kind: 'stop', mode: asked === 'now' ? 'now' : 'drain' });
  });
  setHandler(statusQuery, () => run.summary());
  setHandler(leaderboardQuery, () => run.leaderboard());
  setHandler(limitsUpdate, (change) => changeLimits(run, change), {
    validator: (change) => {
      refuse(refusesLimits(run.progress, parseChange(change)));
    },
  });
  setHandler(submitUpdate, (submission) => work.run(() => people.submit(submission)), {
    validator: (submission) => {
      if (typeof submission !== 'object' || submission === null || !('snapshot' in submission))
        throw new Error('a submission names the snapshot of stored files');
      refuse(refusesTrial(run.progress));
    },
  });
  setHandler(resumeTrialUpdate, (number) => work.run(() => people.resume(number)), {
    validator: (number: number) => requireOpen(run, number),
  });
  setHandler(cancelTrialUpdate, (asked) => cancelTrial(run, asked), {
    validator: (asked: { number: number }) => requireOpen(run, asked.number),
  });
}

/** @throws Error with the reason, so that a refused update does not enter the history */
function refuse(reason: string | null): void {
  if (reason !== null) throw new Error(reason);
}

function requireOpen(run: CampaignRun, number: number): void {
  if (!Number.isSafeInteger(number) || number < START) throw new Error('a trial is named by its number');
  refuse(refusesUpdate(run.progress));
}

function parseChange(asked: unknown): LimitChange {
  const parsed = limitChangeSchema.safeParse(asked);
  if (!parsed.success) throw new Error(`the change of limits is wrong: ${explain(parsed.error)}`);
  return parsed.data;
}

/** Stores a change of limits; the watch acts on it. */
async function changeLimits(run: CampaignRun, asked: unknown): Promise<LimitsAnswer> {
  const id = currentUpdateInfo()?.id ?? uuid4();
  const change = parseChange(asked);
  const { owner } = await run.whenFrozen();
  const answer = await CancellationScope.nonCancellable(() =>
    campaignActivities.changeLimits.executeWithOptions({ summary: 'change limits' }, [{ owner, id, change }]),
  ).catch((error: unknown) => {
    throw unwrapActivityFailure(error);
  });
  run.apply({ kind: 'limitsChanged' });
  if (run.report !== null) run.report.trialsLimit = answer.limits.trials ?? run.report.trialsLimit;
  run.show();
  return answer;
}

async function cancelTrial(
  run: CampaignRun,
  { number, reason }: { number: number; reason: string | null },
): Promise<TrialResult> {
  const { owner } = await run.whenFrozen();
  const by = interruptionText({ kind: 'person', said: reason });
  return parkedActivities.cancelParked
    .executeWithOptions({ summary: `cancel parked trial ${number}` }, [{ owner, number, reason: by }])
    .catch((error: unknown) => {
      throw unwrapActivityFailure(error);
    });
}
