import { CancellationScope, CancelledFailure, getExternalWorkflowHandle } from '@temporalio/workflow';
import { trialWorkflowId } from '../src/domain/keys.js';
import { startTrial, untilTrialEnded } from './child-trial.js';
import { withdrawSignal } from './messages.js';
import { submitActivities, waitingActivities, type Frozen } from './proxies.js';

/** One tool call: its session, the turn that asked for it, and its place among that turn's calls. */
interface CallRef {
  owner: string;
  session: string;
  turn: number;
  index: number;
}

/** Calls of one reply about trials of its session, by their places in it. */
export interface TrialCalls {
  submits: readonly number[];
  awaits?: readonly number[];
  withdrawals?: readonly number[];
}

/** A submitted trial whose workflow runs. */
interface Running {
  /** Its session goes on meanwhile. */
  detached: boolean;
  ended: Promise<void>;
}

/**
 * Trials of a lane as child workflows. Those that their session does not wait for run on between its turns; the lane
 * neither continues as new nor begins another session before they have ended.
 */
export class LaneTrials {
  private readonly detached = new Set<Promise<void>>();
  private readonly failures: Error[] = [];

  constructor(private readonly of: { frozen: Frozen; role: string }) {}

  /** Carries out the calls of one reply: trials are taken back first, and awaited once all are numbered. */
  async carryOut(
    of: Omit<CallRef, 'index'>,
    { submits, awaits = [], withdrawals = [] }: TrialCalls,
  ): Promise<void> {
    const at = (index: number): CallRef => ({ ...of, index });
    await allEnded(withdrawals.map((index) => this.withdraw(at(index))));
    const placed = await allEnded(submits.map((index) => this.submit(at(index))));
    const awaited = placed.flatMap((one) => (one === null || one.detached ? [] : [one.ended]));
    await allEnded([...awaited, ...awaits.map((index) => awaitTrials(at(index)))]);
  }

  /** Waits for all trials that no session waits for; throws what the first of them failed with. */
  async settled(): Promise<void> {
    await Promise.all(this.detached);
    const [failure] = this.failures.splice(0);
    if (failure !== undefined) throw failure;
  }

  /**
   * Submits a trial and starts it. No cancel can come between the submit and the child's start; after that the child
   * obeys cancels.
   */
  private async submit(call: CallRef): Promise<Running | null> {
    if (CancellationScope.current().consideredCancelled)
      throw new CancelledFailure('cancelled before a submit');
    const started = await CancellationScope.nonCancellable(async () => {
      const summary = 'submit a trial';
      const submitted = await submitActivities.submitTrial.executeWithOptions({ summary }, [call]);
      if (submitted.kind === 'refused') return null;
      const { detached = false } = submitted;
      return { detached, trial: await startTrial(this.of, submitted.number) };
    });
    if (started === null) return null;
    const ended = untilTrialEnded(this.of.frozen, started.trial);
    // whoever waits for it later gets its failure
    ended.catch(() => undefined);
    if (started.detached) this.goesOn(ended);
    return { detached: started.detached, ended };
  }

  private goesOn(ended: Promise<void>): void {
    const watched = ended
      .catch((failure: unknown) => {
        this.failures.push(failure instanceof Error ? failure : new Error(String(failure)));
      })
      .then(() => void this.detached.delete(watched));
    this.detached.add(watched);
  }

  private async withdraw(call: CallRef): Promise<void> {
    const number = await submitActivities.beginWithdrawal.executeWithOptions(
      { summary: 'withdraw a trial' },
      [call],
    );
    if (number === null) return;
    const { frozen } = this.of;
    // it may have ended meanwhile
    await getExternalWorkflowHandle(trialWorkflowId(frozen.name, number))
      .signal(withdrawSignal)
      .catch(() => undefined);
    const summary = `wait for trial ${number} to be withdrawn`;
    await waitingActivities.awaitEnd.executeWithOptions({ summary }, [{ owner: call.owner, number }]);
    await submitActivities.endWithdrawal.executeWithOptions({ summary: `trial ${number} withdrawn` }, [call]);
  }
}

const awaitTrials = (call: CallRef): Promise<void> =>
  waitingActivities.awaitTrials.executeWithOptions({ summary: 'wait for trials' }, [call]);

/** Waits for all, also where one fails: a failed call must not end the lane before the others, whose trials it cancels. */
async function allEnded<T>(work: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
