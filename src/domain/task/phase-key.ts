import { sha256, treeDigest } from '../digest.js';
import { matchesGlob } from '../text/paths.js';
import type { Task } from './task.js';

/** A file by its content. */
interface Named {
  path: string;
  sha256: string;
}

/** Phases whose results may be shared. */
export type KeyedPhase = 'prewarm' | 'train' | 'pack';

/** View of a phase, derived from its `reads`. */
export interface Sees {
  /** Globs of recipe files; null: every file. */
  recipe: string[] | null;
  data: boolean;
  /** True when it sees what training left. */
  outputs: boolean;
}

const bare = (folder: string): string => folder.replace(/\/+$/, '');

/**
 * Derives what a phase may see. Without `reads` it sees everything that exists for it: then only equal code can be
 * reused, and nothing ever wrongly.
 */
export function seenBy(task: Task, phase: KeyedPhase): Sees {
  if (phase === 'prewarm') {
    const { reads = [] } = task.phases.prewarm ?? {};
    return { recipe: reads.length === 0 ? null : reads, data: false, outputs: false };
  }
  const reads = phase === 'train' ? task.phases.train.reads : (task.phases.pack?.reads ?? []);
  const outputs = phase === 'pack';
  if (reads.length === 0) return { recipe: null, data: phase === 'train', outputs };
  const data = task.data === undefined ? null : bare(task.data.train);
  const left = bare(task.phases.train.output);
  const isData = (entry: string): boolean => entry.endsWith('/') && bare(entry) === data;
  const isOutput = (entry: string): boolean => outputs && entry.endsWith('/') && bare(entry) === left;
  return {
    recipe: reads.filter((entry) => !isData(entry) && !isOutput(entry)),
    data: reads.some(isData),
    outputs: reads.some(isOutput),
  };
}

/** The recipe files that a phase may see. */
export function visibleFiles<F extends { path: string }>({ recipe }: Sees, files: readonly F[]): F[] {
  return recipe === null ? [...files] : files.filter(({ path }) => matchesGlob(path, recipe));
}

/** The digest of what training reads of a recipe; seeds derive from it. */
export function trainReads(task: Task, files: readonly Named[]): string {
  return treeDigest(visibleFiles(seenBy(task, 'train'), files));
}

/** Everything that the result of a phase can depend on. */
export interface PhaseInputs {
  phase: KeyedPhase;
  /** Digest of the task as it was frozen: commands, limits and requirements are in it. */
  task: string;
  command: string;
  files: readonly Named[];
  /** Digest of the data's manifest; null where the phase sees no data. */
  data: string | null;
  /** Digest of what training left; null where the phase does not see it. */
  outputs: string | null;
  seed: number;
  hostClass: string;
  /** The Python with its packages, and what the sandbox holds. */
  environment: Readonly<Record<string, string>>;
  /** Seconds by the training's clock; 0 for a phase that does not depend on them. */
  trainSeconds: number;
}

/** Phases with equal keys have equal inputs: running them twice would measure the machine. */
export function phaseKey(inputs: PhaseInputs): string {
  const { files, environment, ...rest } = inputs;
  const sorted = (fields: Readonly<Record<string, unknown>>): [string, unknown][] =>
    Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(
    JSON.stringify(sorted({ ...rest, files: treeDigest(files), environment: sorted(environment) })),
  );
}
