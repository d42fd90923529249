import {
  ActivityFailure,
  CancellationScope,
  isCancellation,
  log,
  patched,
  rootCause,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { DecideActivities } from '../activities/decide.js';
import type { RunRef, TrainResult } from '../activities/train.js';
import { START } from '../src/domain/keys.js';
import type { Interruption as EndOfTrial } from '../src/domain/decision/verdict.js';
import type { RunControl } from '../src/domain/statuses.js';
import { interruptionText, type Interruption } from '../src/domain/trial/interruption.js';
import { trialAttributes } from './attributes.js';
import { faultReason } from './failures.js';
import { whereFilesAre, type HostPlace } from './kept-on-host.js';
import { cancelSignal, withdrawSignal, type TrialResult } from './messages.js';
import {
  campaignActivities,
  decideActivities,
  phaseActivities,
  waitingActivities,
  type Frozen,
} from './proxies.js';

export interface TrialInput {
  frozen: Frozen;
  number: number;
  role: string;
}

/**
 * Measures a trial: prepare → train → evaluate → decide, repeated while another run is worth its price. Each phase
 * finds what an earlier attempt has finished. A trial that kills its workers is parked: its workflow ends without a
 * status, so that its parent continues, and the campaign starts it again when a person resumes it.
 */
export async function trial(input: TrialInput): Promise<TrialResult> {
  const { number } = input;
  announce(input, null, null);
  const work = new CancellationScope();
  const asked: { by: Interruption | null } = { by: null };
  setHandler(cancelSignal, (said) => {
    asked.by ??= { kind: 'person', said: said ?? null };
    work.cancel();
  });
  setHandler(withdrawSignal, () => {
    asked.by ??= { kind: 'session' };
    work.cancel();
  });
  for (let index = 0; ; index += 1) {
    const measured = await work
      .run(() => measure(input, index))
      .catch((error: unknown) => asked.by ?? interruptionBy(error, work));
    if (measured === 'parked' && asked.by === null) {
      announce(input, 'parked', null);
      return { number, status: 'parked', score: null };
    }
    const interrupted =
      measured === 'parked' ? asked.by : measured === 'measured' ? null : (asked.by ?? measured);
    const ended =
      interrupted === null
        ? null
        : { reason: interruptionText(interrupted), withdrawn: isWithdrawn(interrupted) };
    if (ended !== null) log.warn('trial interrupted', { number, ...ended });
    const decided = await CancellationScope.nonCancellable(() => decide(input, ended));
    if (decided === 'again') continue;
    announce(input, decided.status, decided.score);
    return decided;
  }
}

/**
 * Decides on a trial. After a final failure the campaign is blocked and the trial, which is measured, waits for a
 * person; this wait is not cancelled, so it also ends when the campaign is stopped.
 */
async function decide(
  { frozen, number }: TrialInput,
  interruption: EndOfTrial | null,
): ReturnType<DecideActivities['decide']> {
  const { owner } = frozen;
  const what = `deciding on trial ${number}`;
  for (;;) {
    try {
      return await decideActivities.decide.executeWithOptions({ summary: `decide trial ${number}` }, [
        { owner, number, interruption },
      ]);
    } catch (error) {
      // a trial of before had failed here
      if (!(error instanceof ActivityFailure) || !patched('decide-blocks')) throw error;
      if ((await block(frozen, what, error)) === 'stopping') throw error;
      await waitingActivities.awaitControl.executeWithOptions({ summary: WAITS }, [
        { owner, until: ['running', 'draining', 'stopping'] },
      ]);
    }
  }
}

const isWithdrawn = ({ kind }: Interruption): boolean => kind === 'person' || kind === 'session';

function interruptionBy(error: unknown, work: CancellationScope): Interruption {
  return isCancellation(error) || work.consideredCancelled
    ? { kind: 'cancelled' }
    : { kind: 'infrastructure', text: rootCause(error) ?? 'fault' };
}

/** Runs the phases; a phase that may not start now waits until the campaign continues. */
async function measure(
  { frozen, number }: TrialInput,
  index: number,
): Promise<'parked' | 'measured' | Interruption> {
  if (index === 0) {
    const next = await prepareTrial({ frozen, number });
    if (next !== 'train') return next === 'parked' ? next : 'measured';
  }
  const name = index === 0 ? `trial ${number}` : `trial ${number}, run ${index + 1}`;
  const of = { owner: frozen.owner, number, index, purpose: 'search' } as const;
  const trained = await trainRun(frozen, of, name);
  if (trained.next === 'exhausted') return { kind: 'budget' };
  if (trained.next !== 'evaluate') return trained.next === 'parked' ? 'parked' : 'measured';
  const evaluated = await evaluateRun(frozen, of, trained, name);
  return evaluated === 'parked' ? 'parked' : evaluated === 'exhausted' ? { kind: 'budget' } : 'measured';
}

/**
 * Result of training a run: something to evaluate, an end of its own, a wait for a person, or nothing, because a
 * budget leaves no room for it.
 */
type TrainedRun = ToEvaluate | { next: 'decide' | 'parked' | 'exhausted' };

/** A trained run, and the host that keeps its artifact, if one does. */
type ToEvaluate = { next: 'evaluate'; replicate: string; place?: HostPlace };

/** Trains one run. */
export async function trainRun(frozen: Frozen, of: RunRef, run: string): Promise<TrainedRun> {
  const tries = new Map<string, number>();
  const train = () => {
    const givenUp = [...tries].flatMap(([id, tried]) => (tried < CALIBRATIONS ? [] : [id]));
    const asked = givenUp.length === 0 ? of : { ...of, givenUp };
    return whenAllowed(frozen, `training ${run}`, () =>
      whereFilesAre(frozen, undefined, (phases, asking) =>
        phases.train.executeWithOptions({ summary: `train ${run}` }, [{ ...asked, ...asking }]),
      ),
    );
  };
  let trained = await train();
  // waited for here: in the activity it would occupy the slot that the awaited training may need
  while (isLater(trained)) {
    if (trained.next === 'calibrate') {
      const { id } = trained.hostClass;
      const tried = tries.get(id) ?? 0;
      // a trial of before did not pause
      if (tried > 0 && patched('calibration-pauses')) await sleep(CALIBRATES_AGAIN);
      tries.set(id, tried + 1);
      const ended = await calibrate(frozen, trained);
      if (ended !== null) return ended;
    } else await untilTrained(of, trained);
    trained = await train();
  }
  return trained;
}

/** Times that a trial tries to get the start measured on one class of hosts. */
const CALIBRATIONS = 3;
const CALIBRATES_AGAIN = '1 minute';

const LATER = ['elsewhere', 'calibrating', 'calibrate'] as const;
type Later = Extract<TrainResult, { next: (typeof LATER)[number] }>;

const isLater = <T extends { next: string }>(trained: T): trained is Extract<T, Later> =>
  LATER.some((next) => next === trained.next);

/** Waits for a training of another trial. */
async function untilTrained(
  { owner, number }: RunRef,
  trained: Exclude<Later, { next: 'calibrate' }>,
): Promise<void> {
  if (trained.next === 'elsewhere')
    await waitingActivities.awaitTraining.executeWithOptions({ summary: 'wait for an equal training' }, [
      trained.equal,
    ]);
  else
    await waitingActivities.awaitCalibration.executeWithOptions(
      { summary: 'wait for the start on this class of hosts' },
      [{ owner, hostClass: trained.hostClass.id, trial: number }],
    );
}

/**
 * Measures the start on a class of hosts, so that trials may be measured there. Where a run of it fails or its hosts
 * leave, others take the trial.
 */
async function calibrate(
  frozen: Frozen,
  { hostClass, indexes }: Pick<Extract<TrainResult, { next: 'calibrate' }>, 'hostClass' | 'indexes'>,
): Promise<{ next: 'exhausted' } | null> {
  const { owner } = frozen;
  for (const index of indexes) {
    const name = `start, run ${index + 1} on ${hostClass.id}`;
    const of = { owner, number: START, index, purpose: 'control', hostClass } as const;
    const trained = await trainRun(frozen, of, name);
    if (trained.next === 'exhausted') return { next: 'exhausted' };
    if (trained.next !== 'evaluate') return null;
    const evaluated = await evaluateRun(frozen, of, trained, name);
    if (evaluated === 'exhausted') return { next: 'exhausted' };
  }
  return null;
}

/**
 * Evaluates a trained run; the result is in the store. What was lost with its host is trained again, but for a claim,
 * of which nothing may be trained after an evaluation.
 */
export async function evaluateRun(
  frozen: Frozen,
  of: RunRef,
  trained: ToEvaluate,
  run: string,
): Promise<'parked' | 'measured' | 'exhausted' | 'lost'> {
  const { owner, number } = of;
  for (let { replicate, place } = trained; ;) {
    const evaluated = await whenAllowed(frozen, `evaluating ${run}`, () =>
      whereFilesAre(frozen, place, (phases, asking) =>
        phases.evaluate.executeWithOptions({ summary: `evaluate ${run}` }, [
          { owner, number, replicate, ...asking },
        ]),
      ),
    );
    if (evaluated.next === 'exhausted') return 'exhausted';
    if (evaluated.next !== 'lost') return evaluated.next === 'parked' ? 'parked' : 'measured';
    if (of.purpose === 'claim') return 'lost';
    const again = await trainRun(frozen, of, run);
    if (again.next !== 'evaluate') return again.next === 'decide' ? 'measured' : again.next;
    ({ replicate, place } = again);
  }
}

/** Prepares a trial and says what comes next; a duplicate or a failed check is never trained. */
async function prepareTrial({
  frozen,
  number,
}: Pick<TrialInput, 'frozen' | 'number'>): Promise<'train' | 'decide' | 'parked'> {
  const phases = phaseActivities(frozen);
  const of = { owner: frozen.owner, number };
  const prepare = () => phases.prepare.executeWithOptions({ summary: `prepare trial ${number}` }, [of]);
  let prepared = await whenAllowed(frozen, `preparing trial ${number}`, prepare);
  while (prepared.next === 'twin') {
    await waitingActivities.awaitTwin.executeWithOptions(
      { summary: 'wait for the same code to be measured' },
      [of],
    );
    prepared = await whenAllowed(frozen, `preparing trial ${number}`, prepare);
  }
  return prepared.next;
}

/** Runs a phase as soon as the campaign lets it start. */
async function whenAllowed<T extends { next: string }>(
  frozen: Frozen,
  what: string,
  run: () => Promise<T>,
): Promise<Exclude<T, NotStarted>> {
  for (;;) {
    const result = await blocking(frozen, what, run);
    if (hasStarted(result)) return result;
    await untilAllowed(frozen);
  }
}

interface NotStarted {
  next: 'notStarted';
}

const hasStarted = <T extends { next: string }>(result: T): result is Exclude<T, NotStarted> =>
  result.next !== 'notStarted';

/**
 * Runs a phase. After a final failure the campaign is blocked and the trial waits for a person: infrastructure faults
 * never count against a trial.
 */
async function blocking<T>(frozen: Frozen, what: string, run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      if ((await block(frozen, what, error)) === 'stopping') throw error;
      await untilAllowed(frozen);
    }
  }
}

/** Blocks the campaign for a final failure; returns the control that holds afterwards. */
async function block({ owner }: Frozen, what: string, error: ActivityFailure): Promise<RunControl> {
  return campaignActivities.block.executeWithOptions({ summary: `block: ${what} failed` }, [
    { owner, reason: faultReason(what, error) },
  ]);
}

const WAITS = 'wait until the campaign goes on';

async function untilAllowed({ owner }: Frozen): Promise<void> {
  await waitingActivities.awaitControl.executeWithOptions({ summary: WAITS }, [
    { owner, until: ['running', 'draining'] },
  ]);
}

function announce(input: TrialInput, status: TrialResult['status'] | null, score: number | null): void {
  const { frozen, number, role } = input;
  const attributes = trialAttributes(frozen, { number, role, status: status ?? 'running', score });
  if (attributes.length > 0) upsertSearchAttributes(attributes);
  else upsertMemo({ status: status ?? 'running', score, role, trial: number });
  const line = status === null ? 'running' : `**${status}**${score === null ? '' : `, score ${score}`}`;
  setCurrentDetails(`Trial ${number} of ${frozen.name} by ${role}: ${line}`);
}
