/** The longest path of a recipe file, and the longest of its segments, in UTF-16 units. */
export const MAX_PATH = 240;
export const MAX_SEGMENT = 100;
/** The most folders that a recipe file may lie in, one within the other. */
export const MAX_DEPTH = 32;

/** Control, format, private and unassigned characters, lone surrogates, line and paragraph separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Explains to its author why a path may not name a file of the recipe; null when it may. */
export function pathFault(path: string): string | null {
  if (path === '') return 'the path is empty';
  if (path.length > MAX_PATH) return `the path is ${path.length} characters long, ${MAX_PATH} are allowed`;
  if (UNPRINTABLE.test(path)) return 'the path has a control or invisible character';
  if (path.includes('\\')) return 'the path has a backslash; separate folders with "/"';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path))
    return 'paths are relative to the recipe, as in "train.py"';
  const segments = path.split('/');
  for (const segment of segments) {
    const fault = segmentFault(segment);
    if (fault !== null) return fault;
  }
  return segments.length - 1 > MAX_DEPTH ? `the path lies more than ${MAX_DEPTH} folders deep` : null;
}

function segmentFault(segment: string): string | null {
  if (segment === '') return 'the path has an empty segment';
  if (segment === '..' || segment === '.') return `the path has a "${segment}" segment`;
  if (segment.length > MAX_SEGMENT) return `a segment of the path is over ${MAX_SEGMENT} characters`;
  if (/[. ]$/.test(segment) || segment.startsWith(' '))
    return 'a segment of the path ends in a dot or begins or ends with a space';
  const folded = foldPath(segment);
  // wide slashes and dots are plain ones to a file system that folds them
  if (folded.includes('/') || folded === '..' || folded === '.')
    return 'a segment of the path has signs that may be read as "/" or ".."';
  if (folded === '.git' || folded.startsWith('git~')) return 'the path reaches into .git';
  return null;
}

/** Two paths with the same fold are one file on some file systems. */
export function foldPath(path: string): string {
  return path.normalize('NFKC').toUpperCase().toLowerCase();
}

/** `./train.py` as models like to write it, without the leading dot; nothing else is forgiven. */
export function withoutDot(path: string): string {
  return path.startsWith('./') ? path.slice(2) : path;
}

/**
 * Explains why a new file cannot lie beside the present ones: another spelling of the same name, or a file where a
 * folder would have to be; null when it can.
 */
export function collision(path: string, present: Iterable<string>): string | null {
  const [own, ownFolds] = [path.split('/'), foldPath(path).split('/')];
  for (const other of present) {
    if (other === path) continue;
    const [theirs, folds] = [other.split('/'), foldPath(other).split('/')];
    let shared = 0;
    while (shared < folds.length && folds[shared] === ownFolds[shared]) shared += 1;
    if (shared === folds.length)
      return shared === ownFolds.length
        ? `"${other}" differs from it only in upper and lower case`
        : `"${other}" is a file, not a folder`;
    const spelled = own.findIndex((segment, at) => at < shared && segment !== theirs[at]);
    const folder = (until: number): string => theirs.slice(0, until + 1).join('/');
    if (spelled !== -1 && spelled < ownFolds.length - 1)
      return `the folder "${folder(spelled)}" differs from it only in upper and lower case`;
    if (shared === ownFolds.length) return `"${folder(shared - 1)}" is a folder`;
  }
  return null;
}

/**
 * The first path that cannot be one of a recipe's, with why: `"PATH": …`; null when all can lie beside each other on
 * every file system.
 */
export function firstNameFault(paths: readonly string[]): string | null {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  const wrong = (path: string, why: string): string => `${JSON.stringify(path)}: ${why}`;
  for (const path of paths) {
    const fault = pathFault(path);
    if (fault !== null) return wrong(path, fault);
    const other = files.get(foldPath(path));
    if (other !== undefined) return wrong(path, `"${other}" differs from it only in upper and lower case`);
    files.set(foldPath(path), path);
    for (const folder of foldersOf(path)) {
      const same = folders.get(foldPath(folder)) ?? folder;
      if (same !== folder)
        return wrong(path, `the folder "${same}" differs from it only in upper and lower case`);
      folders.set(foldPath(folder), folder);
    }
  }
  for (const [fold, path] of files) {
    const folder = folders.get(fold);
    if (folder !== undefined) return wrong(path, `"${folder}" is a folder`);
  }
  return null;
}

/** `a`, `a/b` of `a/b/c`. */
function foldersOf(path: string): string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}

/**
 * Returns true when a path matches any glob: `*` and `?` within a segment, `**` over any number of folders.
 */
export function matchesGlob(path: string, globs: readonly string[]): boolean {
  const segments = path.split('/');
  return globs.some((glob) => matchSegments(glob.endsWith('/') ? `${glob}**` : glob, segments));
}

/** Row by row over the glob's segments, so that many `**` cost the product of the lengths and no more. */
function matchSegments(glob: string, segments: readonly string[]): boolean {
  let reached = segments.map(() => false);
  reached.unshift(true);
  for (const part of glob.split('/')) {
    const next = reached.map(() => false);
    for (let at = 0; at < next.length; at++) {
      if (part === '**') next[at] = reached[at] === true || (at > 0 && next[at - 1] === true);
      else next[at] = at > 0 && reached[at - 1] === true && matchName(part, segments[at - 1] ?? '');
    }
    reached = next;
  }
  return reached.at(-1) === true;
}

function matchName(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  let reached = [true, ...Array.from(name, () => false)];
  const letters = Array.from(name);
  for (const sign of pattern) {
    const next = reached.map(() => false);
    for (let at = 0; at < next.length; at++) {
      if (sign === '*') next[at] = reached[at] === true || (at > 0 && next[at - 1] === true);
      else next[at] = at > 0 && reached[at - 1] === true && (sign === '?' || sign === letters[at - 1]);
    }
    reached = next;
  }
  return reached.at(-1) === true;
}
