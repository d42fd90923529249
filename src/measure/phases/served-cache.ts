import type { Trained } from '../../lineage/documents/replicate.js';
import { persist } from '../../lineage/persist.js';
import { finishedCache } from '../reuse.js';
import { keepOutputs } from './kept-outputs.js';
import { runFor, warmFolder } from './prewarm-phase.js';
import { keyedBy, type Failed, type Training } from './training.js';

/** Finds or makes the cache of a recipe that is served, in the store: any host may serve it. */
export async function servedCache(training: Training): Promise<Failed | Pick<Trained, 'cache'>> {
  const { context, work, attempt, caches, files, folders, signal } = training;
  const { serve, prewarm } = work.hosted.spec.phases;
  if (serve === undefined || prewarm === undefined) return {};
  const { key, found } = await finishedCache(keyedBy(training));
  if (found !== null) return { cache: { bytes: found.bytes, files: found.files, onHost: null } };
  // without waiting for an equal one: the training behind it must not be lost for that
  const made = caches.own ?? (await runFor(training, files, { to: warmFolder(folders), key }));
  if ('failure' in made) return made;
  const { folder, sealed } = made;
  const asked = { replicate: attempt.replicate._id, folder, sealed, storedUpTo: Infinity, must: true };
  await persist(signal, () => keepOutputs(context, asked));
  return { cache: { bytes: sealed.bytes, files: [...sealed.files], onHost: null } };
}
