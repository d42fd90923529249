import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  rootCause,
  setCurrentDetails,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { TrialStatus } from '../src/domain/statuses.js';
import { trialAttributes } from './attributes.js';
import type { TrialResult } from './messages.js';
import { decideActivities, phaseActivities, waitingActivities, type Frozen } from './proxies.js';

export interface TrialInput {
  frozen: Frozen;
  number: number;
  role: string;
}

/** prepare → train → evaluate → decide. Each finds what an earlier attempt of it finished. */
export async function trial(input: TrialInput): Promise<TrialResult> {
  const { frozen, number, role } = input;
  const of = { owner: frozen.owner, number };
  announce(input, null, null);
  let interruption: string | null = null;
  try {
    await measure(input);
  } catch (error) {
    interruption = isCancellation(error)
      ? 'cancelled on request'
      : `infrastructure: ${rootCause(error) ?? 'fault'}`;
    log.warn('trial interrupted', { number, interruption });
  }
  return CancellationScope.nonCancellable(async () => {
    const result = await decideActivities.decide.executeWithOptions({ summary: `decide trial ${number}` }, [
      { ...of, interruption },
    ]);
    announce({ frozen, number, role }, result.status, result.score);
    return result;
  });
}

/** Runs the phases; a phase that may not start now waits until the campaign goes on. */
async function measure({ frozen, number }: TrialInput): Promise<void> {
  const phases = phaseActivities(frozen);
  const of = { owner: frozen.owner, number };
  let prepared = await phases.prepare.executeWithOptions({ summary: `prepare trial ${number}` }, [of]);
  while (prepared.next === 'twin') {
    await waitingActivities.awaitTwin.executeWithOptions(
      { summary: 'wait for the same code to be measured' },
      [of],
    );
    prepared = await phases.prepare.executeWithOptions({ summary: `prepare trial ${number}` }, [of]);
  }
  if (prepared.next === 'decide') return;
  for (;;) {
    const trained = await phases.train.executeWithOptions({ summary: `train trial ${number}` }, [of]);
    if (trained.next === 'decide') return;
    if (trained.next === 'exhausted') throw ApplicationFailure.nonRetryable('a budget is used up');
    if (trained.next === 'evaluate') {
      const replicate = trained.replicate;
      await phases.evaluate.executeWithOptions({ summary: `evaluate trial ${number}` }, [
        { ...of, replicate },
      ]);
      return;
    }
    await waitingActivities.awaitControl.executeWithOptions({ summary: 'wait until the campaign goes on' }, [
      { owner: frozen.owner, until: ['running', 'draining'] },
    ]);
  }
}

function announce(input: TrialInput, status: TrialStatus | null, score: number | null): void {
  const { frozen, number, role } = input;
  const attributes = trialAttributes(frozen, { number, role, status: status ?? 'running', score });
  if (attributes.length > 0) upsertSearchAttributes(attributes);
  else upsertMemo({ status: status ?? 'running', score, role, trial: number });
  const line = status === null ? 'running' : `**${status}**${score === null ? '' : `, score ${score}`}`;
  setCurrentDetails(`Trial ${number} of ${frozen.name} by ${role}: ${line}`);
}
