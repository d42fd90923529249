import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  allHandlersFinished,
  condition,
  isCancellation,
  rootCause,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { FrozenCampaign, Lane } from '../src/domain/campaign/campaign.js';
import { reasonText } from '../src/domain/campaign/reasons.js';
import { conclusionOf, type CampaignOutcome } from '../src/domain/campaign/transitions.js';
import { claimAtMilestones, measureClaim, openClaim } from './claim.js';
import { handleMessages } from './campaign-handlers.js';
import { CampaignRun } from './campaign-run.js';
import { untilClosed } from './child-trial.js';
import { unwrapActivityFailure } from './failures.js';
import { carryOutPending, govern } from './govern.js';
import type { CampaignSummary, LaneResult } from './messages.js';
import { measureWarmStart, PersonTrials, submitOnlyTrial } from './person-trial.js';
import { campaignActivities, reconcileActivities } from './proxies.js';
import { specialist } from './specialist.js';
import { measureStart, type Over } from './start.js';

type LaneEnd = PromiseSettledResult<LaneResult>;

/**
 * Runs one campaign: freezes it, measures the start, runs the lanes under people's requests and the limits, and
 * concludes.
 */
export async function campaign(input: unknown): Promise<CampaignSummary> {
  const run = new CampaignRun(workflowInfo().workflowId);
  const work = new CancellationScope();
  const people = new PersonTrials(run);
  handleMessages(run, work, people);
  const frozen = await freeze(run, input);
  const { owner } = frozen;
  const body = work.run(() => search(run, frozen, people));
  try {
    await govern(run, owner, work, body);
    const ended = await body;
    if ('over' in ended) await endAgain(run, owner, ended);
    else await conclude(run, owner, ended);
    await condition(allHandlersFinished);
    return run.summary();
  } catch (error) {
    await CancellationScope.nonCancellable(async () => {
      await abandon(run, owner, work, error);
      await Promise.allSettled([body, people.settled()]);
      await condition(allHandlersFinished);
      await end(run, owner, outcomeOf(error));
    });
    if (isCancellation(error) && run.progress.stop !== null) return run.summary();
    throw error;
  }
}

/**
 * Freezes the campaign; if the input is malformed or the name is taken, the workflow fails at once and the message
 * says why.
 */
async function freeze(run: CampaignRun, input: unknown): Promise<FrozenCampaign> {
  const { workflowId, namespace, firstExecutionRunId } = workflowInfo();
  try {
    const frozen = await campaignActivities.freeze.executeWithOptions(
      { summary: 'freeze settings, task and prompts' },
      [{ input, name: workflowId, namespace, firstExecutionRunId }],
    );
    run.open(frozen);
    return frozen;
  } catch (error) {
    const failure = unwrapActivityFailure(error);
    run.failToOpen(failure);
    await condition(allHandlersFinished);
    throw failure;
  }
}

/** Does the work of the campaign; returns when every lane and every person's trial has ended. */
async function search(
  run: CampaignRun,
  frozen: FrozenCampaign,
  people: PersonTrials,
): Promise<LaneEnd[] | Over> {
  const start = await measureStart(frozen);
  if (typeof start === 'object') return start;
  run.startScore = start;
  run.apply({ kind: 'startMeasured' });
  if (frozen.submission !== null) await submitOnlyTrial(frozen, people);
  await measureWarmStart(frozen, people);
  const milestones = new CancellationScope();
  const claiming = claimAtMilestones(frozen, frozen.claim.at, milestones);
  // awaited below, but it may reject before that
  claiming.catch(() => undefined);
  const ends = await Promise.allSettled(frozen.lanes.map((lane) => runLane(frozen, lane)));
  await people.settled();
  run.apply({ kind: 'searchClosed' });
  milestones.cancel();
  await claiming;
  if (run.progress.stop === null && !CancellationScope.current().consideredCancelled)
    await claimGain(run, frozen);
  return ends;
}

/** Measures the start and the frontier again on fresh seeds: only that is claimed. */
async function claimGain(run: CampaignRun, frozen: FrozenCampaign): Promise<void> {
  const last = frozen.claim.at.length;
  const runs = await openClaim(frozen, last);
  if (runs.length === 0) return;
  run.apply({ kind: 'claimBegun', runs: runs.length });
  await measureClaim(frozen, last, runs);
}

/**
 * Runs a lane. If an earlier run of this campaign, before a reset, has started it, waits until that one ends, then
 * continues from the store.
 */
async function runLane(frozen: FrozenCampaign, { role, lane }: Lane): Promise<LaneResult> {
  const workflowId = `${frozen.name}/${lane}`;
  for (;;) {
    const handle = await startChild(specialist, {
      workflowId,
      args: [{ frozen, role, lane, session: 0, turn: 0 }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: `${role} proposes`,
    }).catch((error: unknown) => {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
      throw error;
    });
    if (handle !== null) return handle.result();
    await untilClosed(workflowId);
  }
}

async function conclude(run: CampaignRun, owner: string, ends: readonly LaneEnd[]): Promise<void> {
  await lookAgain(run, owner);
  const broken = ends.flatMap((end) =>
    end.status === 'rejected' && !isCancellation(end.reason) ? [rootCause(end.reason) ?? 'unknown'] : [],
  );
  const limit = run.report?.end ?? null;
  await end(run, owner, { kind: 'searched', lanes: ends.length, broken, limit });
}

/** Settles the campaign's open work before its end is stored. */
async function end(run: CampaignRun, owner: string, outcome: CampaignOutcome): Promise<void> {
  const { state, reason } = conclusionOf(run.progress, outcome);
  const summary = `end: ${state}`;
  const concluded = await reconcileActivities.conclude.executeWithOptions({ summary }, [
    { owner, state, reason },
  ]);
  if (concluded.settled.length > 0) await lookAgain(run, owner);
  run.apply({ kind: 'ended', state: concluded.state, reason: concluded.reason });
  run.show();
}

/** @throws ApplicationFailure CAMPAIGN_ENDED if the campaign had failed */
async function endAgain(run: CampaignRun, owner: string, { over }: Over): Promise<void> {
  await lookAgain(run, owner);
  const { state, reason } = over;
  if (state === 'failed')
    throw ApplicationFailure.nonRetryable(
      reason === null ? 'the campaign has failed before' : reasonText(reason),
      'CAMPAIGN_ENDED',
    );
  run.apply({ kind: 'ended', state, reason });
  run.show();
}

async function lookAgain(run: CampaignRun, owner: string): Promise<void> {
  run.report = await campaignActivities.look.executeWithOptions({ summary: 'last look' }, [{ owner }]);
}

/** Cancels the work in flight after a cancel or a failure, and lets no more begin. */
async function abandon(
  run: CampaignRun,
  owner: string,
  work: CancellationScope,
  error: unknown,
): Promise<void> {
  const outcome = outcomeOf(error);
  run.apply({
    kind: 'abandoned',
    reason: outcome.kind === 'failed' ? { kind: 'failure', text: outcome.text } : { kind: 'cancelled' },
  });
  await carryOutPending(run, owner, work);
  work.cancel();
}

function outcomeOf(error: unknown): Exclude<CampaignOutcome, { kind: 'searched' }> {
  return isCancellation(error)
    ? { kind: 'cancelled' }
    : { kind: 'failed', text: rootCause(error) ?? 'unknown' };
}
