import { definedFields } from '../../domain/defined-fields.js';
import { trainBudget, trainClock } from '../../domain/task/phase-clock.js';
import { seenBy } from '../../domain/task/phase-key.js';
import { processesOf, type ColdProcess } from '../../domain/trial/processes.js';
import type { Signal } from '../../sandbox/run.js';
import type { HostedTask } from '../../tasks/host.js';
import { START_VARIABLE, type PhaseCall } from './phase.js';
import type { RunFolders } from './run-folders.js';
import { show } from './staged-inputs.js';
import { cacheCall } from './private-cache.js';
import type { SealedCache, Training, TrainingFolders } from './training.js';

/** A call of a phase in its own home, `tmp`. */
export type Call = Omit<PhaseCall, 'id' | 'signal' | 'phase'> & { tmp: string; phase: 'train' | 'pack' };

/** Settings of a training. */
export interface TrainSettings extends ColdProcess {
  hosted: HostedTask;
  /** Secret from which the order of what is revealed is derived. */
  secret: string;
  /** The campaign's seconds in place of the task's; null for the task's. */
  trainSeconds: number | null;
  /** The cache that each process gets a copy of; null where the task has none. */
  cache: SealedCache | null;
}

/** The cache that a phase gets a copy of; null where there is none, or its `reads` do not name it. */
export const cacheSeen = (
  { spec }: Pick<HostedTask, 'spec'>,
  phase: 'train' | 'pack',
  cache: SealedCache | null,
): SealedCache | null => (seenBy(spec, phase).cache ? cache : null);

/** Gives the settings of each process of a training. */
export function settingsOf({
  work,
  attempt,
  caches,
}: Pick<Training, 'work' | 'attempt' | 'caches'>): TrainSettings[] {
  const { hosted, campaign } = work;
  const { secret, frozen } = campaign;
  const { seed } = attempt.replicate;
  return processesOf(hosted.spec, { secret, seed }).map((process) => ({
    ...process,
    hosted,
    secret,
    trainSeconds: frozen.trainSeconds,
    cache: cacheSeen(hosted, 'train', caches.own),
  }));
}

/** Builds the call of a training, of the trial as well as of the start beside it. */
export function trainCall(
  { hosted, seed, process, trainSeconds, cache }: TrainSettings,
  { recipe, tmp, out, data: waiting, reveal, cache: copy }: Omit<RunFolders, 'folder'>,
): Call {
  const { spec, parts } = hosted;
  const { limitS, warmupS } = trainClock(spec, trainSeconds);
  const seen = seenBy(spec, 'train').data ? parts.train : null;
  const data = seen !== null && warmupS !== undefined ? waiting.shown : seen;
  const revealed = parts.reveal === null ? null : reveal.shown;
  const signals: Signal[] = [
    ...(warmupS === undefined
      ? []
      : [{ word: 'ready' as const, show: () => (seen === null ? Promise.resolve() : show(waiting)) }]),
    ...(revealed === null ? [] : [{ word: 'trained' as const, show: () => show(reveal) }]),
  ];
  return {
    phase: 'train',
    tmp,
    command: spec.phases.train.run,
    cwd: recipe,
    timeoutS: limitS,
    writable: [recipe, out],
    readable: [data, revealed].filter((folder) => folder !== null),
    // a clock that starts later is the recipe's own to read, when it is told to go
    ...(warmupS === undefined ? { startVariable: START_VARIABLE } : { warmupS }),
    ...(signals.length === 0 ? {} : { signals }),
    ...cacheCall(cache, copy),
    env: {
      ASSAY_SEED: String(seed),
      ASSAY_PROCESS: String(process),
      ASSAY_OUTPUT: out,
      ASSAY_TRAIN_SECONDS: String(trainBudget(spec, trainSeconds)),
      ...definedFields({ ASSAY_DATA: data, ASSAY_REVEAL: revealed }),
    },
  };
}

/** Builds the call of packing what training left. */
export function packCall(
  { hosted, seed, cache }: Pick<TrainSettings, 'hosted' | 'seed' | 'cache'>,
  { artifact, packing, packingTmp, left, cache: copy }: TrainingFolders,
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
    ...cacheCall(cache, copy),
    env: {
      ASSAY_SEED: String(seed),
      ...definedFields({ ASSAY_INPUT: input, ASSAY_DATA: data }),
      ASSAY_OUTPUT: artifact,
    },
  };
}
