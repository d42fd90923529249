import { packClock } from '../../domain/task/phase-clock.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import { sealTo } from '../../sandbox/sealing/seal.js';
import { writeFolder } from '../../tasks/folder.js';
import type { HostedTask } from '../../tasks/host.js';
import { finishedHere, keyOf } from '../reuse.js';
import type { RunHost } from '../host-context.js';
import { cacheSeen, packCall } from './calls.js';
import { sealLimits } from './phase.js';
import { reusePhase } from './reused-phase.js';
import { freshFolders } from './run-folders.js';
import { runPhase } from './run-phase.js';
import { sealedOrRefused } from './seal-outputs.js';
import { prewarm } from './prewarm-phase.js';
import { copyCache } from './private-cache.js';
import { keyedBy, type Artifact, type Elsewhere, type Failed, type Left, type Training } from './training.js';

/** Packs what training left, unless that has been done, and seals the result. */
export async function packPhase(
  training: Training,
  { run: command }: { run: string },
  left: Left,
): Promise<Failed | Elsewhere | Artifact> {
  const { work, folders } = training;
  const { artifact, packed } = folders;
  const key = left.kept === null ? null : keyOf(keyedBy(training), 'pack', left.sealed.files);
  const found = key === null ? null : await finishedHere(keyedBy(training), key);
  if (found !== null) return { sealed: await reusePhase(training, found, packed), folder: packed };
  const cold = seenBy(work.hosted.spec, 'pack').cache ? await prewarm(training, ['own']) : null;
  if (cold !== null) return cold;
  const cache = cacheSeen(work.hosted, 'pack', training.caches.own);
  const clock = packClock(work.hosted.spec, work.campaign.frozen.trainSeconds);
  const { hosted } = work;
  const { seed } = training.attempt.replicate;
  const call = packCall({ hosted, seed, cache }, folders, { command, timeoutS: clock.limitS });
  const prepare = async () => {
    await clearPacking(training.context, work.hosted, training);
    await copyCache(cache, folders.cache);
  };
  const { failure } = await runPhase(training, { call, clock, prepare });
  if (failure !== null) return { failure };
  const { sealed, refused } = await sealedOrRefused(sealTo(artifact, packed, sealLimits(work.hosted)));
  return refused === null ? { sealed, folder: packed } : { failure: refused };
}

/**
 * Makes its folders again: where nothing held training, it can have made them; nor is what training left in its home.
 */
export async function clearPacking(
  { lineage }: Pick<RunHost, 'lineage'>,
  { spec }: Pick<HostedTask, 'spec'>,
  { files, folders }: Pick<Training, 'files' | 'folders'>,
): Promise<void> {
  const { artifact, packing, packingTmp } = folders;
  const visible = visibleFiles(seenBy(spec, 'pack'), files);
  await freshFolders([packing, packingTmp, artifact]);
  await writeFolder(packing, await lineage.blobs.readFiles(visible));
}
