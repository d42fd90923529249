import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { WatchReport } from '../activities/campaign.js';
import type { CampaignCommand } from '../src/domain/campaign/transitions.js';
import type { CampaignRun } from './campaign-run.js';
import { campaignActivities, watch as watchActivity } from './proxies.js';

/** Carries out commands in order and watches the stored campaign until the work has ended. */
export async function govern(
  run: CampaignRun,
  owner: string,
  work: CancellationScope,
  body: Promise<unknown>,
): Promise<void> {
  const progress = { ended: false };
  const note = (): void => {
    progress.ended = true;
  };
  body.then(note, note);
  await carryOutPending(run, owner, work);
  let watch = startWatch(run, owner);
  try {
    for (;;) {
      const present = watch;
      await condition(() => progress.ended || run.pending.length > 0 || present.ended);
      if (progress.ended) return;
      if (present.report !== null)
        run.apply({ kind: 'sighted', revision: present.revision, sighting: present.report });
      await carryOutPending(run, owner, work);
      // the next watch starts from the current progress
      present.scope.cancel();
      watch = startWatch(run, owner);
    }
  } finally {
    watch.scope.cancel();
  }
}

/** Carries out the pending commands in order. */
export async function carryOutPending(
  run: CampaignRun,
  owner: string,
  work: CancellationScope,
): Promise<void> {
  // one that is cut off by a cancel stays, and is carried out before the campaign ends
  for (let [next] = run.pending; next !== undefined; [next] = run.pending) {
    await carryOut(run, owner, work, next);
    run.pending.shift();
  }
}

async function carryOut(
  run: CampaignRun,
  owner: string,
  work: CancellationScope,
  command: CampaignCommand,
): Promise<void> {
  if (command.kind === 'cancelWork') {
    work.cancel();
  } else if (command.kind === 'setControl') {
    const { control, reason, stopped } = command;
    await campaignActivities.setControl.executeWithOptions({ summary: `control: ${control}` }, [
      { owner, control, reason, stopped },
    ]);
  } else {
    const { state, reason } = command;
    await campaignActivities.setState.executeWithOptions({ summary: state }, [{ owner, state, reason }]);
    run.show();
  }
}

interface Watch {
  scope: CancellationScope;
  ended: boolean;
  /** Revision of the progress when the watch began. */
  revision: number;
  /** Report of the watch; null if it failed. */
  report: WatchReport | null;
}

const AFTER_FAILED_WATCH = '1 minute';

/**
 * Starts the one long activity that watches the store; it returns when the campaign has to act, else about hourly.
 */
function startWatch(run: CampaignRun, owner: string): Watch {
  const { progress } = run;
  const scope = new CancellationScope();
  const watch: Watch = { scope, ended: false, revision: progress.revision, report: null };
  const end = (): void => {
    watch.ended = true;
  };
  // a cancelled wait ends the watch too: none of its promises may reject unhandled
  scope.run(() => look(run, owner, watch)).then(end, end);
  return watch;
}

async function look(run: CampaignRun, owner: string, watch: Watch): Promise<void> {
  const seen = run.report?.frontierVersion ?? 0;
  const { progress } = run;
  try {
    const report = await watchActivity.executeWithOptions({ summary: 'watch limits and progress' }, [
      { owner, seen, progress },
    ]);
    if (watch.scope.consideredCancelled) return;
    watch.report = report;
    run.report = report;
    run.show();
  } catch (error) {
    if (isCancellation(error)) throw error;
    await sleep(AFTER_FAILED_WATCH);
  }
}
