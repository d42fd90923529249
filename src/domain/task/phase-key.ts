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
  /** True when it gets a copy of what the prewarm left. */
  cache: boolean;
}

const bare = (folder: string): string => folder.replace(/\/+$/, '');

/**
 * Derives what a phase may see. Without `reads` it sees everything that exists for it: then only equal code can be
 * reused, and nothing ever wrongly.
 */
export function seenBy(task: Task, phase: KeyedPhase): Sees {
  const { train, pack, prewarm } = task.phases;
  if (phase === 'prewarm') {
    const { reads = [] } = prewarm ?? {};
    return { recipe: reads.length === 0 ? null : reads, data: false, outputs: false, cache: false };
  }
  const reads = phase === 'train' ? train.reads : (pack?.reads ?? []);
  const outputs = phase === 'pack';
  const cache = prewarm !== undefined;
  if (reads.length === 0) return { recipe: null, data: phase === 'train', outputs, cache };
  const names = (folder: string | undefined) => (entry: string) =>
    folder !== undefined && entry.endsWith('/') && bare(entry) === bare(folder);
  const isData = names(task.data?.train);
  const isOutput = names(outputs ? train.output : undefined);
  const isCache = names(prewarm?.output);
  return {
    recipe: reads.filter((entry) => !isData(entry) && !isOutput(entry) && !isCache(entry)),
    data: reads.some(isData),
    outputs: reads.some(isOutput),
    cache: reads.some(isCache),
  };
}

/** The recipe files that a phase may see. */
export function visibleFiles<F extends { path: string }>({ recipe }: Sees, files: readonly F[]): F[] {
  return recipe === null ? [...files] : files.filter(({ path }) => matchesGlob(path, recipe));
}

/** The recipe files that the result of a phase depends on: those that it sees, and those that its cache was made of. */
export function filesBehind<F extends { path: string }>(
  task: Task,
  phase: KeyedPhase,
  files: readonly F[],
): F[] {
  const sees = seenBy(task, phase);
  const behind = new Set(visibleFiles(sees, files));
  if (sees.cache) for (const file of visibleFiles(seenBy(task, 'prewarm'), files)) behind.add(file);
  return files.filter((file) => behind.has(file));
}

/** The digest of what training reads of a recipe; seeds derive from it. */
export function trainReads(task: Task, files: readonly Named[]): string {
  return treeDigest(filesBehind(task, 'train', files));
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
