import { definedFields } from '../../domain/defined-fields.js';
import { packClock } from '../../domain/task/phase-clock.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import { sealTo } from '../../sandbox/sealing/seal.js';
import { writeFolder } from '../../tasks/folder.js';
import { keyOf } from '../reuse.js';
import { sealLimits } from './phase.js';
import { reusePhase } from './reused-phase.js';
import { freshFolders } from './run-folders.js';
import { runPhase, type Call } from './run-phase.js';
import { sealedOrRefused } from './seal-outputs.js';
import { keyedBy, type Artifact, type Failed, type Left, type Training } from './training.js';

/** Packs what training left, unless that has been done, and seals the result. */
export async function packPhase(
  training: Training,
  { run: command }: { run: string },
  left: Left,
): Promise<Failed | Artifact> {
  const { context, work, folders } = training;
  const { artifact, packed } = folders;
  const key = left.kept ? keyOf(keyedBy(training), 'pack', left.sealed.files) : null;
  const found = key === null ? null : await context.lineage.phases.finished(work.trial.owner, key);
  if (found !== null) return { sealed: await reusePhase(training, found, packed), folder: packed };
  const clock = packClock(work.hosted.spec, work.campaign.frozen.trainSeconds);
  const call = packCall(training, command, clock.limitS);
  const { failure } = await runPhase(training, { call, clock, prepare: () => clearPacking(training) });
  if (failure !== null) return { failure };
  const { sealed, refused } = await sealedOrRefused(sealTo(artifact, packed, sealLimits(work.hosted)));
  return refused === null ? { sealed, folder: packed } : { failure: refused };
}

function packCall({ work, folders }: Training, command: string, timeoutS: number): Call {
  const { artifact, packing, packingTmp } = folders;
  const { spec, parts } = work.hosted;
  const sees = seenBy(spec, 'pack');
  const data = sees.data ? parts.train : null;
  const input = sees.outputs ? folders.left : null;
  return {
    phase: 'pack',
    tmp: packingTmp,
    command,
    cwd: packing,
    timeoutS,
    writable: [packing, artifact],
    readable: [input, data].filter((folder) => folder !== null),
    env: { ...definedFields({ ASSAY_INPUT: input, ASSAY_DATA: data }), ASSAY_OUTPUT: artifact },
  };
}

/**
 * Makes its folders again: where nothing held training, it can have made them; nor is what training left in its home.
 */
async function clearPacking({ context, work, files, folders }: Training): Promise<void> {
  const { artifact, packing, packingTmp } = folders;
  const visible = visibleFiles(seenBy(work.hosted.spec, 'pack'), files);
  await freshFolders([packing, packingTmp, artifact]);
  await writeFolder(packing, await context.lineage.blobs.readFiles(visible));
}
