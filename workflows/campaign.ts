import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  allHandlersFinished,
  condition,
  isCancellation,
  rootCause,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { WatchReport } from '../activities/campaign.js';
import type { FrozenCampaign, Lane } from '../src/domain/campaign/campaign.js';
import { dueState } from '../src/domain/campaign/campaign-transitions.js';
import { START } from '../src/domain/keys.js';
import type { CampaignState } from '../src/domain/statuses.js';
import { claimAtMilestones, measureClaim, openClaim } from './claim.js';
import { CampaignDesk } from './campaign-state.js';
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
  type CampaignSummary,
  type LaneResult,
  type PersonTrial,
} from './messages.js';
import { unwrapActivityFailure } from './failures.js';
import {
  campaignActivities,
  decideActivities,
  parkedActivities,
  reconcileActivities,
  submitActivities,
  waitingActivities,
  watch as watchActivity,
} from './proxies.js';
import { rerunTrial, runTrial, specialist, untilClosed } from './specialist.js';

type LaneEnd = PromiseSettledResult<LaneResult>;

/** How a campaign has ended whose workflow was reset afterwards: it ends so again, and does nothing. */
interface Over {
  over: { state: CampaignState; reason: string | null };
}

/** One search: freeze, measure the start, run the lanes while obeying people and limits, conclude. */
export async function campaign(input: unknown): Promise<CampaignSummary> {
  const frozen = await freeze(input);
  const desk = new CampaignDesk(frozen);
  const work = new CancellationScope();
  const people: Promise<unknown>[] = [];
  listen(desk, (submission) => work.run(() => personTrial(frozen, submission, people)));
  listenForParked(desk, (number) => work.run(() => resumeTrial(frozen, number, people)));
  const body = work.run(() => search(desk, people));
  try {
    await govern(desk, work, body);
    const ended = await body;
    if ('over' in ended) await endAgain(desk, ended);
    else await conclude(desk, ended);
    await condition(allHandlersFinished);
    return desk.summary();
  } catch (error) {
    await CancellationScope.nonCancellable(() => giveUp(desk, work, [body, ...people], error));
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
    throw unwrapActivityFailure(error);
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
  setHandler(limitsUpdate, (change) => desk.changeLimits(change), {
    validator: (change) => desk.checkLimits(change),
  });
  setHandler(submitUpdate, submit, {
    validator: (submission) => {
      if (typeof submission !== 'object' || submission === null || !('snapshot' in submission))
        throw new Error('a submission names the snapshot of stored files');
      if (desk.state !== 'running') throw new Error(`the campaign is ${desk.state}`);
      if (desk.closed) throw new Error('the campaign is ending');
    },
  });
}

function listenForParked(desk: CampaignDesk, resume: (number: number) => Promise<number>): void {
  const { owner } = desk.frozen;
  const requireOpen = (number: number): void => {
    if (!Number.isSafeInteger(number) || number < START) throw new Error('a trial is named by its number');
    if (desk.closed) throw new Error('the campaign is ending');
  };
  setHandler(resumeTrialUpdate, resume, { validator: requireOpen });
  setHandler(
    cancelTrialUpdate,
    ({ number, reason }) => {
      const by = `a person: ${reason ?? 'no reason given'}`;
      return parkedActivities.cancelParked
        .executeWithOptions({ summary: `cancel parked trial ${number}` }, [{ owner, number, reason: by }])
        .catch((error: unknown) => {
          throw unwrapActivityFailure(error);
        });
    },
    { validator: (asked: { number: number }) => requireOpen(asked.number) },
  );
}

/** What the campaign is for; it ends when every lane and every person's trial has ended. */
async function search(desk: CampaignDesk, people: Promise<unknown>[]): Promise<LaneEnd[] | Over> {
  const { frozen } = desk;
  await desk.enter('calibrating', null);
  const start = await measureStart(frozen);
  if (typeof start === 'object') return start;
  desk.startScore = start;
  desk.stage = 'running';
  if (desk.state === 'calibrating') await desk.enter('running', null);
  if (frozen.submission !== null) await onlyTrial(frozen, people);
  const milestones = new CancellationScope();
  const claiming = claimAtMilestones(frozen, frozen.claim.at, milestones);
  claiming.catch(() => undefined);
  const ends = await Promise.allSettled(frozen.lanes.map((lane) => runLane(frozen, lane)));
  // one that is accepted while these are waited for is waited for as well
  for (let known = -1; known < people.length; await Promise.allSettled(people)) known = people.length;
  desk.closed = true;
  milestones.cancel();
  await claiming;
  if (desk.stopWish === null && !CancellationScope.current().consideredCancelled) await claimGain(desk);
  return ends;
}

/** What the search has found is measured once more, on fresh seeds: only this is claimed. */
async function claimGain(desk: CampaignDesk): Promise<void> {
  const { frozen } = desk;
  const last = frozen.claim.at.length;
  const runs = await openClaim(frozen, last);
  if (runs.length === 0) return;
  desk.searchEnd = desk.state === 'draining' ? desk.reason : null;
  desk.stage = 'claiming';
  await desk.enter('claiming', `${runs.length} fresh runs of the start and the frontier`);
  await measureClaim(frozen, last, runs);
}

/** @throws ApplicationFailure START_RECIPE_FAILED: a search needs a start that can be measured */
async function measureStart(frozen: FrozenCampaign): Promise<number | Over> {
  const { owner } = frozen;
  const summary = 'submit the start recipe';
  const { over } = await submitActivities.submitStart.executeWithOptions({ summary }, [{ owner }]);
  if (over !== undefined) return { over };
  await runTrial({ frozen, role: 'start' }, START);
  const start = await decideActivities.outcome.executeWithOptions({ summary: 'read the start' }, [
    { owner, number: START },
  ]);
  const { status, score, lesson, noiseFault } = start;
  if (score !== null && (status === 'keep' || status === 'disqualified')) {
    const missed = status === 'disqualified';
    const doubts: Doubt[] = [
      ...(missed ? [{ fault: `the start recipe misses a gate (${lesson})`, then: GATED }] : []),
      ...(noiseFault == null ? [] : [{ fault: noiseFault, then: UNWEIGHED }]),
    ];
    if (doubts.length > 0) await untilAccepted(frozen, doubts);
    if (missed)
      await decideActivities.acceptStart.executeWithOptions({ summary: 'accept the start' }, [{ owner }]);
    return score;
  }
  throw ApplicationFailure.create({
    message: `the start recipe ended as ${start.status}: ${start.lesson}`,
    type: 'START_RECIPE_FAILED',
    nonRetryable: true,
  });
}

/** Why nobody should search from a start unasked, and what happens where a person wants it. */
interface Doubt {
  fault: string;
  then: string;
}

const GATED = 'the first trial within the gates is adopted';
const UNWEIGHED = 'each trial is judged by a single run';

/** A start that misses a gate, or shows no noise, can be searched from, but nobody does so unasked. */
async function untilAccepted({ owner }: FrozenCampaign, doubts: readonly Doubt[]): Promise<void> {
  const [faults, thens] = [doubts.map(({ fault }) => fault), doubts.map(({ then }) => then)];
  const reason = `${faults.join('; ')}; resume to search from it all the same: ${thens.join(', ')}`;
  const unheld = () =>
    waitingActivities.awaitControl.executeWithOptions({ summary: 'wait for a person' }, [
      { owner, until: ['running', 'draining', 'stopping'] },
    ]);
  // the resume of an earlier pause answers nothing, and one that ends needs no answer
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

/** A person's trial is a child like any other; this answers when it has its number. */
async function personTrial(
  frozen: FrozenCampaign,
  submission: unknown,
  people: Promise<unknown>[],
): Promise<PersonTrial> {
  const placing = placePersonTrial(frozen, submission);
  // from here on the campaign does not end without it
  people.push(placing.then(({ running }) => running).catch(() => undefined));
  return (await placing).answer;
}

async function placePersonTrial(
  frozen: FrozenCampaign,
  submission: unknown,
): Promise<{ answer: PersonTrial; running: Promise<void> | null }> {
  const summary = 'submit a trial of a person';
  const submitted = await submitActivities.submitPerson.executeWithOptions({ summary }, [
    { owner: frozen.owner, submission },
  ]);
  if (submitted.kind === 'refused')
    return { answer: { number: null, refused: submitted.reason }, running: null };
  const running = runTrial({ frozen, role: 'person' }, submitted.number);
  running.catch(() => undefined);
  return { answer: { number: submitted.number, refused: null }, running };
}

/** A parked trial that a person resumes is a child like a person's own; this answers when it is on its way. */
async function resumeTrial(
  frozen: FrozenCampaign,
  number: number,
  people: Promise<unknown>[],
): Promise<number> {
  const summary = `resume parked trial ${number}`;
  const resuming = parkedActivities.resumeParked
    .executeWithOptions({ summary }, [{ owner: frozen.owner, number }])
    .then(({ role }) => {
      const running = rerunTrial({ frozen, role }, number);
      running.catch(() => undefined);
      return { running };
    });
  // from here on the campaign does not end without it
  people.push(resuming.then(({ running }) => running).catch(() => undefined));
  await resuming.catch((error: unknown) => {
    throw unwrapActivityFailure(error);
  });
  return number;
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

/** A lane that an earlier run of this campaign has started, before a reset, ends first; then it goes on from the store. */
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
      await obeyLimits(desk, watch.report);
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
  /** What it has to say; null where it failed. */
  report: WatchReport | null;
}

const AFTER_FAILED_WATCH = '1 minute';

/** One long activity at a time looks at the store; it returns when something has to be done, else about hourly. */
function startWatch(desk: CampaignDesk): Watch {
  const watch: Watch = { scope: new CancellationScope(), ended: false, report: null };
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
      watch.report = report;
      desk.show();
    })
    .catch((error: unknown) => (isCancellation(error) ? undefined : sleep(AFTER_FAILED_WATCH)))
    .then(() => {
      watch.ended = true;
    });
  return watch;
}

/** Limits on the search end it; exhausted budgets pause it, and faults that do not pass block it, where work starts. */
async function obeyLimits(desk: CampaignDesk, report: WatchReport | null): Promise<void> {
  const due = report === null ? null : dueState(desk.state, report);
  if (due === null) return;
  if (due.state === 'running') await desk.goOn();
  else if (due.state === 'draining') await desk.control('draining', 'draining', due.reason);
  else await desk.enter(due.state, due.reason);
}

async function obey(desk: CampaignDesk, work: CancellationScope): Promise<void> {
  const { stopWish, pauseWish, state, reason } = desk;
  if (stopWish === 'now') {
    await desk.control('stopping', 'draining', 'stopping now, asked by a person');
    work.cancel();
  } else if (stopWish === 'drain') {
    await desk.control('draining', 'draining', 'stopped by a person');
  } else if (pauseWish !== null && (state !== 'paused' || reason !== pauseWish)) {
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
  if (desk.stopWish !== null) await end(desk, 'stopped', `stopped by a person (${desk.stopWish})`);
  else if (closing === 'failed') await end(desk, closing, `every lane failed: ${broken[0] ?? ''}`);
  else
    await end(desk, closing, desk.searchEnd ?? (desk.state === 'draining' ? desk.reason : desk.report.end));
}

/** Settles what is left of the campaign, so that nothing of it is open when its end is stored. */
async function end(desk: CampaignDesk, state: CampaignState, reason: string | null): Promise<void> {
  const { owner } = desk.frozen;
  const summary = `end: ${state}`;
  const concluded = await reconcileActivities.conclude.executeWithOptions({ summary }, [
    { owner, state, reason },
  ]);
  if (concluded.settled.length > 0)
    desk.report = await campaignActivities.look.executeWithOptions({ summary: 'last look' }, [{ owner }]);
  desk.state = state;
  desk.reason = concluded.reason;
  desk.show();
}

/** @throws ApplicationFailure CAMPAIGN_ENDED for one that had failed */
async function endAgain(desk: CampaignDesk, { over }: Over): Promise<void> {
  const { owner } = desk.frozen;
  desk.report = await campaignActivities.look.executeWithOptions({ summary: 'last look' }, [{ owner }]);
  if (over.state === 'failed')
    throw ApplicationFailure.nonRetryable(over.reason ?? 'the campaign has failed before', 'CAMPAIGN_ENDED');
  desk.state = over.state;
  desk.reason = over.reason;
  desk.show();
}

/** Ends the campaign after a cancel or a failure, when everything it started has ended. */
async function giveUp(
  desk: CampaignDesk,
  work: CancellationScope,
  begun: Promise<unknown>[],
  error: unknown,
): Promise<void> {
  const cancelled = isCancellation(error);
  const reason = cancelled ? 'cancelled' : (rootCause(error) ?? 'unknown');
  desk.closed = true;
  await desk.control('stopping', 'draining', reason);
  work.cancel();
  await Promise.allSettled(begun);
  await condition(allHandlersFinished);
  const stopped = cancelled || desk.stopWish !== null;
  await end(desk, stopped ? 'stopped' : 'failed', reason);
}
