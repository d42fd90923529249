import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  condition,
  isCancellation,
  rootCause,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { FrozenCampaign, Lane } from '../src/domain/campaign.js';
import { dueState } from '../src/domain/course.js';
import { START } from '../src/domain/keys.js';
import { CampaignDesk } from './desk.js';
import {
  leaderboardQuery,
  pauseSignal,
  resumeSignal,
  statusQuery,
  stopSignal,
  submitUpdate,
  type CampaignSummary,
  type LaneResult,
  type PersonTrial,
} from './messages.js';
import { campaignActivities, decideActivities, submitActivities, watch as watchActivity } from './proxies.js';
import { runTrial, specialist } from './specialist.js';

type LaneEnd = PromiseSettledResult<LaneResult>;

/** One search: freeze, measure the start, run the lanes while obeying people and limits, conclude. */
export async function campaign(input: unknown): Promise<CampaignSummary> {
  const frozen = await freeze(input);
  const desk = new CampaignDesk(frozen);
  const work = new CancellationScope();
  const people: Promise<unknown>[] = [];
  listen(desk, (submission) => work.run(() => personTrial(frozen, submission, people)));
  const body = work.run(() => search(desk, people));
  try {
    await govern(desk, work, body);
    await conclude(desk, await body);
    return desk.summary();
  } catch (error) {
    await CancellationScope.nonCancellable(() => giveUp(desk, work, body, error));
    if (isCancellation(error) && desk.stopWish !== null) return desk.summary();
    throw error;
  }
}

/** A malformed input or a taken name ends the workflow at once, with the reason in plain words. */
async function freeze(input: unknown): Promise<FrozenCampaign> {
  try {
    const summary = 'freeze settings, task and prompts';
    const { workflowId, namespace, firstExecutionRunId } = workflowInfo();
    return await campaignActivities.freeze.executeWithOptions({ summary }, [
      { input, name: workflowId, namespace, firstExecutionRunId },
    ]);
  } catch (error) {
    if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) throw error;
    const { message, type } = error.cause;
    throw ApplicationFailure.create({ message, type: type ?? 'INTERNAL', nonRetryable: true });
  }
}

function listen(desk: CampaignDesk, submit: (submission: unknown) => Promise<PersonTrial>): void {
  setHandler(pauseSignal, (reason) => desk.pause(reason ?? 'paused by a person'));
  setHandler(resumeSignal, () => desk.resume());
  setHandler(stopSignal, (mode) => {
    const asked = typeof mode === 'string' ? mode : mode?.mode;
    desk.stop(asked === 'now' ? 'now' : 'drain');
  });
  setHandler(statusQuery, () => desk.summary());
  setHandler(leaderboardQuery, () => desk.leaderboard());
  setHandler(submitUpdate, submit, {
    validator: (submission) => {
      if (typeof submission !== 'object' || submission === null || !('snapshot' in submission))
        throw new Error('a submission names the snapshot of stored files');
      if (desk.state !== 'running') throw new Error(`the campaign is ${desk.state}`);
    },
  });
}

/** What the campaign is for; it ends when every lane and every person's trial has ended. */
async function search(desk: CampaignDesk, people: Promise<unknown>[]): Promise<LaneEnd[]> {
  const { frozen } = desk;
  await desk.enter('calibrating', null);
  desk.startScore = await measureStart(frozen);
  desk.stage = 'running';
  if (desk.state === 'calibrating') await desk.enter('running', null);
  if (frozen.submission !== null) await onlyTrial(frozen, people);
  const ends = await Promise.allSettled(frozen.lanes.map((lane) => runLane(frozen, lane)));
  await Promise.allSettled(people);
  return ends;
}

/** @throws ApplicationFailure START_RECIPE_FAILED: a search needs a start that can be measured */
async function measureStart(frozen: FrozenCampaign): Promise<number> {
  const { owner } = frozen;
  await submitActivities.submitStart.executeWithOptions({ summary: 'submit the start recipe' }, [{ owner }]);
  await runTrial({ frozen, role: 'start' }, START);
  const start = await decideActivities.outcome.executeWithOptions({ summary: 'read the start' }, [
    { owner, number: START },
  ]);
  if (start.status === 'keep' && start.score !== null) return start.score;
  throw ApplicationFailure.create({
    message: `the start recipe ended as ${start.status}: ${start.lesson}`,
    type: 'START_RECIPE_FAILED',
    nonRetryable: true,
  });
}

/** A person's trial is a child like any other; this answers when it has its number. */
async function personTrial(
  frozen: FrozenCampaign,
  submission: unknown,
  people: Promise<unknown>[],
): Promise<PersonTrial> {
  const summary = 'submit a trial of a person';
  const submitted = await submitActivities.submitPerson.executeWithOptions({ summary }, [
    { owner: frozen.owner, submission },
  ]);
  if (submitted.kind === 'refused') return { number: null, refused: submitted.reason };
  const running = runTrial({ frozen, role: 'person' }, submitted.number);
  running.catch(() => undefined);
  people.push(running);
  return { number: submitted.number, refused: null };
}

/** A campaign of one trial has nothing else to do, so a refusal is its end. */
async function onlyTrial(frozen: FrozenCampaign, people: Promise<unknown>[]): Promise<void> {
  const { refused } = await personTrial(frozen, frozen.submission, people);
  if (refused === null) return;
  throw ApplicationFailure.create({
    message: `refused: ${refused}`,
    type: 'RECIPE_INVALID',
    nonRetryable: true,
  });
}

async function runLane(frozen: FrozenCampaign, { role, lane }: Lane): Promise<LaneResult> {
  const handle = await startChild(specialist, {
    workflowId: `${frozen.name}/${lane}`,
    args: [{ frozen, role, lane, session: 0, turn: 0 }],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    staticSummary: `${role} proposes`,
  });
  return handle.result();
}

/** Wakes when the work ends, when a person asks for something, or when the watch has something to say. */
async function govern(desk: CampaignDesk, work: CancellationScope, body: Promise<unknown>): Promise<void> {
  const progress = { ended: false };
  const note = (): void => {
    progress.ended = true;
  };
  body.then(note, note);
  let heard = 0;
  let watch = startWatch(desk);
  for (;;) {
    if (desk.asked > heard) {
      heard = desk.asked;
      await obey(desk, work);
      watch.scope.cancel();
      watch = startWatch(desk);
    } else if (watch.ended) {
      await obeyLimits(desk);
      watch = startWatch(desk);
    }
    const present = watch;
    await condition(() => progress.ended || desk.asked > heard || present.ended);
    if (progress.ended) {
      present.scope.cancel();
      return;
    }
  }
}

interface Watch {
  scope: CancellationScope;
  ended: boolean;
}

const AFTER_FAILED_WATCH = '1 minute';

/** One long activity at a time looks at the store; it returns when something has to be done, else about hourly. */
function startWatch(desk: CampaignDesk): Watch {
  const watch: Watch = { scope: new CancellationScope(), ended: false };
  const { owner } = desk.frozen;
  const seen = desk.report?.frontierVersion ?? 0;
  void watch.scope
    .run(() =>
      watchActivity.executeWithOptions({ summary: 'watch limits and progress' }, [
        { owner, seen, state: desk.state },
      ]),
    )
    .then((report) => {
      if (watch.scope.consideredCancelled) return;
      desk.report = report;
      desk.show();
    })
    .catch((error: unknown) => (isCancellation(error) ? undefined : sleep(AFTER_FAILED_WATCH)))
    .then(() => {
      watch.ended = true;
    });
  return watch;
}

/** Limits on the search end it; exhausted budgets pause it, and faults that do not pass block it, where work starts. */
async function obeyLimits(desk: CampaignDesk): Promise<void> {
  const due = desk.report === null ? null : dueState(desk.state, desk.report);
  if (due === null) return;
  if (due.state === 'draining') await desk.control('draining', 'draining', due.reason);
  else await desk.enter(due.state, due.reason);
}

async function obey(desk: CampaignDesk, work: CancellationScope): Promise<void> {
  const { stopWish, pauseWish, state } = desk;
  if (stopWish === 'now') {
    await desk.control('stopping', 'draining', 'stopping now, asked by a person');
    work.cancel();
  } else if (stopWish === 'drain') {
    await desk.control('draining', 'draining', 'stopped by a person');
  } else if (pauseWish !== null && state !== 'paused') {
    await desk.control('paused', 'paused', pauseWish);
  } else if (pauseWish === null && state !== 'draining') {
    await desk.control('running', desk.stage, null);
  }
}

async function conclude(desk: CampaignDesk, ends: LaneEnd[]): Promise<void> {
  const { owner } = desk.frozen;
  desk.report = await campaignActivities.look.executeWithOptions({ summary: 'last look' }, [{ owner }]);
  const broken = ends.flatMap((end) =>
    end.status === 'rejected' && !isCancellation(end.reason) ? [rootCause(end.reason) ?? 'unknown'] : [],
  );
  const closing = broken.length > 0 && broken.length === ends.length ? 'failed' : 'finished';
  if (desk.stopWish !== null)
    await desk.control('stopping', 'stopped', `stopped by a person (${desk.stopWish})`);
  else if (closing === 'failed')
    await desk.control('stopping', closing, `every lane failed: ${broken[0] ?? ''}`);
  else
    await desk.control(
      'stopping',
      closing,
      desk.state === 'draining' ? desk.reason : (desk.report.end ?? 'done'),
    );
}

/** Ends the campaign after a cancel or a failure, when everything it started has ended. */
async function giveUp(
  desk: CampaignDesk,
  work: CancellationScope,
  body: Promise<unknown>,
  error: unknown,
): Promise<void> {
  const cancelled = isCancellation(error);
  const reason = cancelled ? 'cancelled' : (rootCause(error) ?? 'unknown');
  await desk.control('stopping', 'draining', reason);
  work.cancel();
  await body.catch(() => undefined);
  const stopped = cancelled || desk.stopWish !== null;
  await desk.enter(stopped ? 'stopped' : 'failed', reason);
}
