import { firstNameFault, matchesGlob } from '../text/paths.js';

/** The most that a task folder may hold, and so any recipe of it. */
export const FOLDER_LIMITS = {
  maxFiles: 2000,
  maxFileBytes: 16 * 1024 * 1024,
  /** Of all files together. */
  maxBytes: 256 * 1024 * 1024,
} as const;

/** A file of a recipe by its content. */
export interface RecipeFile {
  path: string;
  sha256: string;
  /** Size. */
  bytes: number;
}

/** Rules of a task for its recipes. */
export interface RecipeRules {
  name: string;
  /** Globs of what may be changed; all else equals the start's. */
  editable: readonly string[];
}

/** Finds why files cannot be a recipe of the task that starts from `start`, in words; null when they can. */
export function recipeFault(
  rules: RecipeRules,
  start: readonly RecipeFile[],
  files: readonly RecipeFile[],
): string | null {
  const { maxFiles, maxFileBytes, maxBytes } = FOLDER_LIMITS;
  if (files.length > maxFiles) return `the recipe has more than ${maxFiles} files`;
  const large = files.find(({ bytes }) => bytes > maxFileBytes);
  if (large !== undefined) return `${large.path} has ${large.bytes} bytes, over the limit of ${maxFileBytes}`;
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxBytes)
    return `the recipe has ${total} bytes in all its files, over the limit of ${maxBytes}`;
  return (
    firstNameFault(files.map(({ path }) => path)) ??
    entryFault(rules, start, files) ??
    fixedFault(rules, start, files)
  );
}

function entryFault(
  { name, editable }: RecipeRules,
  start: readonly RecipeFile[],
  files: readonly RecipeFile[],
): string | null {
  const there = new Set(files.map(({ path }) => path));
  const lost = start.find(({ path }) => editable.includes(path) && !there.has(path));
  return lost === undefined ? null : `the recipe has no ${lost.path}, which the task "${name}" runs`;
}

const MOST_NAMED = 5;

/** Finds a change to a fixed file: an evaluation relies on those, and no limit of size counts them. */
function fixedFault(
  { name, editable }: RecipeRules,
  start: readonly RecipeFile[],
  files: readonly RecipeFile[],
): string | null {
  const isFixed = ({ path }: RecipeFile): boolean => !matchesGlob(path, editable);
  const own = new Map(start.filter(isFixed).map((file) => [file.path, file.sha256]));
  const found = new Map(files.filter(isFixed).map((file) => [file.path, file.sha256]));
  const wrong = [
    ...[...found].flatMap(([path, digest]) =>
      own.get(path) === digest ? [] : [`${path} (${own.has(path) ? 'changed' : 'added'})`],
    ),
    ...[...own.keys()].flatMap((path) => (found.has(path) ? [] : [`${path} (missing)`])),
  ].sort();
  if (wrong.length === 0) return null;
  const more = wrong.length > MOST_NAMED ? `, and ${wrong.length - MOST_NAMED} more` : '';
  return `only ${editable.join(', ')} may differ from the start of the task "${name}": ${wrong.slice(0, MOST_NAMED).join(', ')}${more}`;
}
