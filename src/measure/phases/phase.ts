import { availableParallelism } from 'node:os';
import { AssayError } from '../../domain/errors.js';
import type { DeviceAccess } from '../../domain/devices/device.js';
import { definedFields } from '../../domain/defined-fields.js';
import type { Failure } from '../../domain/trial/outcome.js';
import { overText } from '../../domain/text/over.js';
import type { TrialStatus } from '../../domain/statuses.js';
import { processorsOf } from '../../domain/task/task.js';
import { evaluatorEnvironment, recipeEnvironment } from '../../domain/task/phase-environment.js';
import { outputDiskMb, resourcesOf } from '../../domain/task/phase-resources.js';
import { gpusOf, type RunPhase } from '../../domain/task/device-needs.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { Lineage } from '../../lineage/lineage.js';
import {
  LIMIT_UNITS,
  type CacheFolder,
  type Ending,
  type RunRequest,
  type RunResult,
  type Signal,
} from '../../sandbox/run.js';
import type { SealLimits } from '../../sandbox/sealing/seal.js';
import type { HostedTask } from '../../tasks/host.js';
import { runtimeOf } from '../../tasks/runtime.js';
import { givenFor } from '../../tasks/same-python.js';
import type { RunHost } from '../host-context.js';
import { unreadyReason } from './unready.js';

const MB = 1024 * 1024;
/** More than the names of the folder of a process come to, in front of each of its entries. */
const FOLDER_BYTES = 64 * 1024;
const TAIL_LINES = 15;
const TAIL_CHARACTERS = 2000;

/** Variable that tells a recipe when the clock of its training began. */
export const START_VARIABLE = 'ASSAY_TRAIN_BEGAN';

export interface PhaseCall {
  id: string;
  phase: Failure['phase'];
  command: string;
  cwd: string;
  timeoutS: number;
  writable: string[];
  readable: string[];
  /** It will see held-out data, or answers to it: it gets a root of its own where the host can give one. */
  seesHeldOut?: true;
  /** Phase whose limits hold, where that is not the one that is run: what a smoke run is packed with. */
  limitsOf?: RunPhase;
  /** Accelerators that it uses, in place of those of its phase. */
  gpus?: number;
  env: Record<string, string>;
  /** Variable for the start time, as in a request of the sandbox. */
  startVariable?: string;
  /** Words that it may say, and the seconds until it has to be ready, as in a request of the sandbox. */
  signals?: readonly Signal[];
  warmupS?: number;
  /** Its private copy of a cache. */
  cache?: CacheFolder;
  signal: AbortSignal;
}

/** A phase as the sandbox runs it: the task's limits, its Python, and nothing else of this process. */
export function requestOf(
  { host, leases, granted }: Pick<RunHost, 'host' | 'leases' | 'granted'>,
  hosted: HostedTask,
  call: PhaseCall,
  tmp: string,
): RunRequest {
  const resources = resourcesOf(hosted.spec, call.limitsOf ?? runPhaseOf(call));
  const given = givenFor({ ...hosted.python, folders: [...runtimeOf(hosted).folders] }, tmp);
  return {
    id: `${host.process}/${call.id}`,
    command: call.command,
    cwd: call.cwd,
    writable: [tmp, ...call.writable],
    ...(call.seesHeldOut === true
      ? { runtime: runtimeOf(hosted), readable: call.readable }
      : { readable: [...given.readable, ...call.readable] }),
    env: { ...given.env, ...environmentOf(hosted, call), ...call.env },
    limits: {
      wallS: call.timeoutS,
      memoryBytes: resources.memory_mb * MB,
      // a cache was made under a limit of its own
      diskBytes: resources.disk_mb * MB + (call.cache?.bytes ?? 0),
      logBytes: resources.log_kb * 1024,
      processes: resources.processes,
      cpus: processorsOf(resources, leases.capacity, availableParallelism()),
      ...definedFields({ sharedBytes: resources.shm_mb === undefined ? null : resources.shm_mb * MB }),
    },
    ...definedFields({
      startVariable: call.startVariable,
      signals: call.signals,
      warmupS: call.warmupS,
      cache: call.cache,
      devices: accessFor(granted, hosted, call),
    }),
    signal: call.signal,
  };
}

/** Variables that the task itself sets for a call: servers are a phase of the recipe. */
const environmentOf = ({ spec }: HostedTask, { phase, seesHeldOut }: PhaseCall): Record<string, string> =>
  phase === 'evaluate' && seesHeldOut !== true ? evaluatorEnvironment(spec) : recipeEnvironment(spec);

/** Phases of a task by the name of their runs. */
const RUN_PHASES: Record<Failure['phase'], RunPhase> = {
  static: 'check',
  check: 'check',
  smoke: 'smoke',
  rehearsal: 'evaluate',
  prewarm: 'prewarm',
  train: 'train',
  pack: 'pack',
  seal: 'check',
  evaluate: 'evaluate',
};

/** The phase of the task that a call is a run of; servers are started while an evaluation runs. */
const runPhaseOf = ({ phase, seesHeldOut }: Pick<PhaseCall, 'phase' | 'seesHeldOut'>): RunPhase =>
  seesHeldOut === true ? 'serve' : RUN_PHASES[phase];

/**
 * Access to the accelerators that a phase uses; left out for one that uses none.
 * @throws AssayError INTERNAL where it uses some and no lease holds them
 */
function accessFor(
  granted: RunHost['granted'],
  { spec }: HostedTask,
  call: PhaseCall,
): DeviceAccess | undefined {
  const count = call.gpus ?? gpusOf(spec, runPhaseOf(call));
  if (count === 0) return undefined;
  if (granted === null)
    throw new AssayError('INTERNAL', `${call.phase} needs ${count} accelerators and no lease holds them`);
  return granted.accessTo(count);
}

/** A finished run as it is recorded, its log stored. */
export async function recordRun(
  lineage: Lineage,
  phase: string,
  result: RunResult,
  told: Partial<Pick<PhaseRun, 'budgetS' | 'usualSpeed' | 'process'>> = {},
): Promise<PhaseRun> {
  return {
    phase,
    startedAt: result.startedAt,
    wallMs: Math.round(result.wallMs),
    peakRssBytes: result.peakRssBytes,
    log: await lineage.blobs.put(result.log),
    logBytes: result.logBytes,
    isolation: result.isolation,
    reusedFrom: null,
    startMs: null,
    process: null,
    warmupMs: result.warmupMs === undefined ? null : Math.round(result.warmupMs),
    revealMs: result.revealMs === undefined ? null : Math.round(result.revealMs),
    pair: null,
    budgetS: null,
    hostSpeed: result.hostSpeed === null ? null : Number(result.hostSpeed.toFixed(3)),
    usualSpeed: null,
    cpuMs: result.cpuS === null ? null : Math.round(1000 * result.cpuS),
    load: Number(result.load.toFixed(2)),
    repeated: false,
    devices: [...(result.deviceUse ?? [])],
    ...told,
  };
}

/**
 * Translates a run that did not end well into the failure of its trial; null for one that exited with 0, and was ready
 * where `warmupS`, its seconds to become ready, is given.
 */
export function failureOf(
  phase: Failure['phase'],
  { ending, log, ...heard }: Pick<RunResult, 'ending' | 'log' | 'said' | 'stray'>,
  warmupS?: number,
): Failure | null {
  const unready = warmupS === undefined ? null : unreadyReason(ending, heard, warmupS);
  if (unready !== null) return { phase, tail: tailOf(log), limit: null, status: 'crash', reason: unready };
  const preflight = phase === 'check' || phase === 'smoke';
  const base = { phase, tail: tailOf(log), limit: null };
  switch (ending.kind) {
    case 'exited':
      if (ending.code === 0) return null;
      return {
        ...base,
        status: preflight ? 'preflight_crash' : 'crash',
        reason: `exited with code ${ending.code}`,
      };
    case 'signalled':
      return {
        ...base,
        status: preflight ? 'preflight_crash' : 'crash',
        reason: `ended by ${ending.signal}`,
      };
    case 'cancelled':
      return { ...base, status: 'cancelled', reason: 'cancelled' };
    case 'tampered':
      return { ...base, status: 'violation', reason: `changed ${ending.what}` };
    case 'limit':
      return { ...base, ...limitFailure(phase, ending) };
  }
}

function limitFailure(
  phase: Failure['phase'],
  { limit, used, allowed }: Extract<Ending, { kind: 'limit' }>,
): Pick<Failure, 'status' | 'reason' | 'limit'> {
  const unit = LIMIT_UNITS[limit];
  return {
    status:
      limit === 'wall'
        ? wallStatus(phase)
        : phase === 'check' || phase === 'smoke'
          ? 'preflight_crash'
          : 'crash',
    reason: `${limit} limit: ${Number(used.toPrecision(6))} of ${allowed} ${unit}${overText(used, allowed)}`,
    limit: { name: limit, used, allowed, unit },
  };
}

function wallStatus(phase: Failure['phase']): TrialStatus {
  if (phase === 'prewarm') return 'crash';
  if (phase === 'evaluate') return 'eval_budget_overrun';
  return phase === 'train' || phase === 'pack' ? 'train_budget_overrun' : 'preflight_crash';
}

/** Limits of what one process may leave: far above any gate, low enough to protect the host. */
export function sealLimits(hosted: HostedTask): SealLimits {
  return { maxBytes: outputDiskMb(hosted.spec) * MB, maxEntries: 1000 };
}

/** Limits of a cache: compilers write many small files. */
export const cacheLimits = (hosted: HostedTask): SealLimits => ({
  maxBytes: resourcesOf(hosted.spec, 'prewarm').disk_mb * MB,
  maxEntries: 20_000,
});

/** Limits of a sealed artifact, with that of each process. */
export function artifactLimits(hosted: HostedTask): SealLimits {
  const { maxBytes, maxEntries } = sealLimits(hosted);
  const { processes } = hosted.spec.replicate;
  return processes === 1
    ? { maxBytes, maxEntries }
    : { maxBytes: processes * (maxBytes + FOLDER_BYTES), maxEntries: processes * (maxEntries + 1) };
}

export function tailOf(log: string): string {
  return log.trimEnd().split('\n').slice(-TAIL_LINES).join('\n').slice(-TAIL_CHARACTERS);
}
