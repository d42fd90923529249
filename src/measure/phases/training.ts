import { join } from 'node:path';
import { sha256 } from '../../domain/digest.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { Trained } from '../../lineage/documents/replicate.js';
import type { Saving } from '../../lineage/documents/saving.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import type { Sealed } from '../../sandbox/sealing/seal.js';
import type { Failure } from '../../domain/trial/outcome.js';
import type { Attempt, AttemptWork } from '../attempt.js';
import type { KeptOutputs } from './kept-outputs.js';
import type { RunFolders } from './run-folders.js';
import type { EqualTraining, Keyed } from '../reuse.js';

/** The very same is trained by another replicate now: wait for that, without a lease. */
export interface Elsewhere {
  elsewhere: EqualTraining;
}

export const isElsewhereNow = (result: object | null): result is Elsewhere =>
  result !== null && 'elsewhere' in result;

/** An attempt at a training. */
export interface TrainingOf extends AttemptWork {
  /** The recipe as it was submitted. */
  files: readonly StoredFile[];
}

/** A training with what it has come to so far. */
export interface Training extends TrainingOf {
  folders: TrainingFolders;
  runs: PhaseRun[];
  saved: Saving[];
  left: Left | null;
  sharesTraining: string | null;
  progress: Trained['progress'];
  caches: Caches;
  /** Words that its last process said. */
  said: readonly string[];
}

/** A sealed cache in a folder of this attempt. */
export interface SealedCache {
  /** Read-only: every process gets a copy. */
  folder: string;
  sealed: Sealed;
}

/** Caches of the recipe, and of the start beside it; each null until it is made, and where none is needed. */
export interface Caches {
  own: SealedCache | null;
  start: SealedCache | null;
}

/** Sealed outputs of training, which the key of the next phase is derived from. */
export interface Left {
  sealed: Sealed;
  /** Place of its content; null where it is not kept. */
  kept: KeptOutputs | null;
}

/** Sealed outputs, and the folder that holds them. */
export interface Artifact {
  sealed: Sealed;
  folder: string;
}

export interface Failed {
  failure: Failure;
}

export interface TrainingFolders extends Pick<RunFolders, 'data' | 'reveal' | 'cache'> {
  recipe: string;
  /** The recipe again, as submitted: what training wrote beside its outputs is not there for packing. */
  packing: string;
  tmp: string;
  packingTmp: string;
  out: string;
  /** Folder of what training left, sealed. */
  left: string;
  artifact: string;
  /** Folder of what packing left, sealed. */
  packed: string;
}

/** Names the folders of an attempt. */
export const folderName = ({ replicate, fence }: Pick<Attempt, 'replicate' | 'fence'>): string =>
  `${sha256(replicate._id).slice(0, 20)}-${fence}`;

/** Gives what the keys of its phases are made from. */
export const keyedBy = ({ context, work, attempt, files }: TrainingOf): Keyed => ({
  context,
  work,
  replicate: attempt.replicate,
  files,
});

/** Names the folders of a training within those of its run. */
export function trainingFolders({ folder, ...made }: RunFolders): TrainingFolders {
  const [packing, packingTmp] = [join(folder, 'packing'), join(folder, 'packing-tmp')];
  const [left, artifact, packed] = [join(folder, 'left'), join(folder, 'artifact'), join(folder, 'packed')];
  return { ...made, packing, packingTmp, left, artifact, packed };
}
