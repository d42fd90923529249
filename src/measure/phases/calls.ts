import { definedFields } from '../../domain/defined-fields.js';
import { trainBudget, trainClock } from '../../domain/task/phase-clock.js';
import { seenBy } from '../../domain/task/phase-key.js';
import type { HostedTask } from '../../tasks/host.js';
import { START_VARIABLE, type PhaseCall } from './phase.js';
import type { RunFolders } from './run-folders.js';
import type { TrainingFolders, TrainingOf } from './training.js';

/** A call of a phase in its own home, `tmp`. */
export type Call = Omit<PhaseCall, 'id' | 'signal' | 'phase'> & { tmp: string; phase: 'train' | 'pack' };

/** Settings of a training. */
export interface TrainSettings {
  hosted: HostedTask;
  seed: number;
  /** The campaign's seconds in place of the task's; null for the task's. */
  trainSeconds: number | null;
}

export const settingsOf = ({ work, attempt }: TrainingOf): TrainSettings => ({
  hosted: work.hosted,
  seed: attempt.replicate.seed,
  trainSeconds: work.campaign.frozen.trainSeconds,
});

/** Builds the call of a training, of the trial as well as of the start beside it. */
export function trainCall(
  { hosted, seed, trainSeconds }: TrainSettings,
  { recipe, tmp, out }: Pick<RunFolders, 'recipe' | 'tmp' | 'out'>,
): Call {
  const { spec } = hosted;
  const data = seenBy(spec, 'train').data ? hosted.parts.train : null;
  return {
    phase: 'train',
    tmp,
    command: spec.phases.train.run,
    cwd: recipe,
    timeoutS: trainClock(spec, trainSeconds).limitS,
    writable: [recipe, out],
    readable: data === null ? [] : [data],
    startVariable: START_VARIABLE,
    env: {
      ASSAY_SEED: String(seed),
      ASSAY_OUTPUT: out,
      ASSAY_TRAIN_SECONDS: String(trainBudget(spec, trainSeconds)),
      ...definedFields({ ASSAY_DATA: data }),
    },
  };
}

/** Builds the call of packing what training left. */
export function packCall(
  { hosted, seed }: Pick<TrainSettings, 'hosted' | 'seed'>,
  { artifact, packing, packingTmp, left }: TrainingFolders,
  { command, timeoutS }: Pick<Call, 'command' | 'timeoutS'>,
): Call {
  const { spec, parts } = hosted;
  const sees = seenBy(spec, 'pack');
  const data = sees.data ? parts.train : null;
  const input = sees.outputs ? left : null;
  return {
    phase: 'pack',
    tmp: packingTmp,
    command,
    cwd: packing,
    timeoutS,
    writable: [packing, artifact],
    readable: [input, data].filter((folder) => folder !== null),
    env: {
      ASSAY_SEED: String(seed),
      ...definedFields({ ASSAY_INPUT: input, ASSAY_DATA: data }),
      ASSAY_OUTPUT: artifact,
    },
  };
}
