import { AssayError } from '../src/domain/errors.js';
import { trialLabel, type TrialRef } from '../src/domain/keys.js';
import { LOST } from '../src/domain/trial/lost-workers.js';
import type { TrialDocument } from '../src/lineage/documents/trial.js';
import type { Lineage } from '../src/lineage/lineage.js';
import { settleTrial, type Decided } from '../src/measure/decision/decide-trial.js';
import { faultsOf } from '../src/measure/lost-workers.js';

export interface ParkedActivities {
  /**
   * Releases a parked trial for its workflow to run again; returns its role.
   * @throws AssayError TRIAL_NOT_PARKED
   */
  resumeParked(of: TrialRef): Promise<{ role: string }>;
  /**
   * Cancels a parked trial for a person.
   * @throws AssayError TRIAL_NOT_PARKED
   */
  cancelParked(of: TrialRef & { reason: string }): Promise<Decided>;
}

/** Activities behind the updates with which a person decides on a parked trial. */
export function parkedActivities({ lineage }: { lineage: Lineage }): ParkedActivities {
  return {
    resumeParked: async ({ owner, number }) => {
      const trial = await parkedTrial(lineage, owner, number);
      const lost = (await faultsOf(lineage, trial)).filter(({ code }) => code === LOST).length;
      await lineage.trials.pardon(owner, number, lost);
      return { role: trial.role };
    },
    cancelParked: async ({ owner, number, reason }) => {
      await parkedTrial(lineage, owner, number);
      return settleTrial(lineage, { owner, number }, { reason, withdrawn: true });
    },
  };
}

async function parkedTrial(lineage: Lineage, owner: string, number: number): Promise<TrialDocument> {
  const trial = await lineage.trials.get(owner, number);
  if (trial === null) throw new AssayError('TRIAL_UNKNOWN', `there is no trial ${trialLabel(number)}`);
  if (trial.parked !== null) return trial;
  const now = trial.status ?? trial.stage;
  throw new AssayError('TRIAL_NOT_PARKED', `${trialLabel(number)} is not parked: it is ${now}`);
}
