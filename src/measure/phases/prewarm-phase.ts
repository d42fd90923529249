import { join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import { START } from '../../domain/keys.js';
import { comparesTimes, type Task } from '../../domain/task/task.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import { syntheticEnvironment } from '../../domain/task/phase-environment.js';
import type { Failure } from '../../domain/trial/outcome.js';
import { lateEvidence } from '../../domain/trial/overrun.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import { persist } from '../../lineage/persist.js';
import type { RunResult } from '../../sandbox/run.js';
import { sealTo } from '../../sandbox/sealing/seal.js';
import type { HostedTask } from '../../tasks/host.js';
import type { RunHost } from '../host-context.js';
import { prewarmKey, reusedRun, reuseSaving, turnOf } from '../reuse.js';
import { runInBudget } from './in-budget.js';
import { keepOutputs, writeOutputs } from './kept-outputs.js';
import { cacheLimits, failureOf, recordRun, requestOf } from './phase.js';
import { freshFolders, makeRunFolders, removeRunFolders } from './run-folders.js';
import { ownerOf, sealedAgain } from './reused-phase.js';
import { sealedOrRefused } from './seal-outputs.js';
import {
  folderName,
  isElsewhereNow,
  keyedBy,
  type Caches,
  type Elsewhere,
  type Failed,
  type SealedCache,
  type Training,
  type TrainingFolders,
} from './training.js';

/**
 * Makes sure of caches of a training: its own, and that of the start beside it, which is needed where times are
 * compared; null once they are there, or none is needed.
 */
export async function prewarm(
  training: Training,
  wanted: readonly (keyof Caches)[],
): Promise<Failed | Elsewhere | null> {
  const { work, folders, files, caches } = training;
  const { spec } = work.hosted;
  if (spec.phases.prewarm === undefined) return null;
  const place = warmFolder(folders);
  if (wanted.includes('own') && caches.own === null) {
    const own = await cacheOf(training, files, place);
    if ('failure' in own || isElsewhereNow(own)) return own;
    caches.own = own;
  }
  if (!wanted.includes('start') || !comparesTimes(spec) || caches.start !== null) return null;
  const start = await cacheOfStart(training, `${place}-start`);
  if (isElsewhereNow(start)) return start;
  caches.start = start;
  return null;
}

/** Folder of the cache of a training. */
export const warmFolder = ({ cache }: Pick<TrainingFolders, 'cache'>): string => join(cache, '..', 'warm');

/** @throws AssayError HOST_FAULT where the start, which was prewarmed before, cannot be now */
async function cacheOfStart(training: Training, to: string): Promise<Elsewhere | SealedCache> {
  const { context, work, caches } = training;
  const { snapshot } = await context.lineage.trials.require(work.trial.owner, START);
  if (snapshot === work.trial.snapshot && caches.own !== null) return caches.own;
  const found = await cacheOf(training, await context.lineage.blobs.tree(snapshot), to);
  if (!('failure' in found)) return found;
  throw new AssayError(
    'HOST_FAULT',
    `the prewarm of the start, beside which times are compared, ended as ${found.failure.status}: ${found.failure.reason}`,
  );
}

/** Takes the cache of these files from an earlier prewarm with the same key, or runs it. */
async function cacheOf(
  training: Training,
  files: readonly StoredFile[],
  to: string,
): Promise<Failed | Elsewhere | SealedCache> {
  const { context, work, attempt, runs, saved } = training;
  const { replicate } = attempt;
  const key = prewarmKey(keyedBy(training), files);
  if (key === null) return runFor(training, files, { to, key });
  const turn = await turnOf(context, ownerOf(training, 'prewarm'), key);
  if (turn.kind === 'elsewhere')
    return { elsewhere: { owner: replicate.owner, key, replicate: replicate._id } };
  if (turn.kind === 'mine') return runFor(training, files, { to, key });
  await writeOutputs(context, turn.result, to);
  runs.push(reusedRun(turn.result));
  saved.push(reuseSaving(work, turn.result));
  return { folder: to, sealed: sealedAgain(turn.result) };
}

/** Runs a prewarm on the lease of a training, and keeps what it made for those with the same key. */
export async function runFor(
  training: Training,
  files: readonly StoredFile[],
  { to, key }: { to: string; key: string | null },
): Promise<Failed | SealedCache> {
  const { context, work, attempt, runs, signal } = training;
  const { replicate, fence } = attempt;
  await attempt.stage('prewarming');
  const of = { name: `${folderName(attempt)}-prewarm`, id: `${replicate._id}/${fence}/prewarm`, files, to };
  const { results, ...made } = await runPrewarm(context, work.hosted, of, signal);
  for (const [at, result] of results.entries()) {
    const run = await persist(signal, () => recordRun(context.lineage, 'prewarm', result));
    runs.push({ ...run, repeated: at < results.length - 1 });
  }
  if ('failure' in made) return made;
  const run = runs.at(-1);
  if (key !== null && run !== undefined) await keepForKey(training, made, { run, key });
  return made;
}

/** Keeps a cache for those with the same key; where there is no room for it, nobody waits for it any longer. */
async function keepForKey(
  training: Training,
  { sealed, folder }: SealedCache,
  { run, key }: { run: PhaseRun; key: string },
): Promise<void> {
  const { context, work, attempt, signal } = training;
  // a server may be started on any host that evaluates
  const isServed = work.hosted.spec.phases.serve !== undefined;
  const storedUpTo = isServed ? Infinity : context.kept.storedUpTo;
  const asked = { replicate: attempt.replicate._id, folder, sealed, storedUpTo, must: false };
  const by = ownerOf(training, 'prewarm');
  const { phases } = context.lineage;
  await persist(signal, async () => {
    const kept = await keepOutputs(context, asked);
    if (kept === null) return phases.leaveUnkept(by, key);
    const { bytes, files } = sealed;
    await phases.finish(by, key, { run, bytes, files: [...files], onHost: kept.onHost, progress: [] });
  });
}

/** A prewarm to run: name of its folders, id of its processes, the whole recipe, and the place of the sealed cache. */
interface PrewarmOf {
  name: string;
  id: string;
  files: readonly StoredFile[];
  to: string;
}

/** @throws AssayError INTERNAL for a task without one */
function prewarmOf({ phases: { prewarm } }: Task): NonNullable<Task['phases']['prewarm']> {
  if (prewarm === undefined) throw new AssayError('INTERNAL', 'a task without a prewarm was to be prewarmed');
  return prewarm;
}

/**
 * Runs the prewarm of a recipe without any data, and seals the cache that it made; once more where it was late on a slow
 * host.
 */
export async function runPrewarm(
  context: RunHost,
  hosted: HostedTask,
  { name, id, files, to }: PrewarmOf,
  signal: AbortSignal,
): Promise<(Failed | SealedCache) & { results: RunResult[] }> {
  const { spec } = hosted;
  const { run: command, timeout_s: timeoutS, ...asked } = prewarmOf(spec);
  const visible = visibleFiles(seenBy(spec, 'prewarm'), files);
  const results: RunResult[] = [];
  const folders = await makeRunFolders(context, name, visible);
  const { recipe, tmp, cache } = folders;
  try {
    const { last, overruns } = await runInBudget(async (again) => {
      await freshFolders([cache, tmp]);
      const env = { ASSAY_SEED: '1', ...syntheticEnvironment(asked) };
      const call = {
        id: `${id}${again ? '-again' : ''}`,
        phase: 'prewarm',
        command,
        cwd: recipe,
        timeoutS,
      } as const;
      const seen = { env, writable: [recipe], readable: [], cache: { folder: cache, bytes: 0 }, signal };
      const result = await context.sandbox.run(requestOf(context, hosted, { ...call, ...seen }, tmp));
      if (result.ending.kind === 'cancelled') signal.throwIfAborted();
      results.push(result);
      return { result, usualSpeed: null };
    });
    const failure = failureOf('prewarm', last.result);
    if (failure !== null) {
      const reason = `${failure.reason}${overruns.length === 0 ? '' : lateEvidence(overruns)}`;
      return { failure: { ...failure, reason }, results };
    }
    const { sealed, refused } = await sealedOrRefused(sealTo(cache, to, cacheLimits(hosted)));
    if (refused !== null) return { failure: ofPrewarm(refused), results };
    return { folder: to, sealed, results };
  } finally {
    await removeRunFolders(folders);
  }
}

const ofPrewarm = (failure: Failure): Failure => ({ ...failure, phase: 'prewarm' });
