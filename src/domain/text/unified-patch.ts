import { parsePatch, type StructuredPatch, type StructuredPatchHunk } from 'diff';

/** A patch that cannot be read, or does not apply; its message names the file and the line. */
export class PatchFault extends Error {}

/** Content of a file after a patch; null where the patch removes it. */
export type PatchedFiles = Map<string, string | null>;

/**
 * Applies a unified diff exactly: each hunk at the line that it names, and each line of context equal to that of the
 * file. Renames, copies, changes of mode and binary files are refused. Returns what the patch changes, and nothing else.
 * @throws PatchFault
 */
export function applyPatch(patch: string, files: ReadonlyMap<string, string>): PatchedFiles {
  const patched: PatchedFiles = new Map();
  for (const part of partsOf(patch)) {
    const path = pathOf(part);
    if (patched.has(path)) throw new PatchFault(`the patch changes ${path} twice`);
    const before = part.oldFileName === NOTHING ? null : files.get(path);
    if (before === undefined)
      throw new PatchFault(`the patch changes ${path}, which the source does not bring`);
    if (before === null && files.has(path))
      throw new PatchFault(`the patch makes ${path}, which is there already`);
    const after = linesAfter(path, linesOf(before ?? ''), part.hunks).join('');
    if (part.newFileName === NOTHING && after !== '')
      throw new PatchFault(`the patch removes ${path} and leaves some of its lines`);
    patched.set(path, part.newFileName === NOTHING ? null : after);
  }
  return patched;
}

const NOTHING = '/dev/null';

function partsOf(patch: string): StructuredPatch[] {
  let parts: StructuredPatch[];
  try {
    parts = parsePatch(patch);
  } catch (error) {
    throw new PatchFault(
      `the patch is no unified diff: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!parts.some(({ hunks }) => hunks.length > 0))
    throw new PatchFault('the patch has no hunk of a unified diff');
  return parts;
}

/** Name of the file that a part of a patch is about, without the `a/` and `b/` of version control. */
function pathOf(part: StructuredPatch): string {
  const { oldFileName, newFileName, hunks } = part;
  const ofGit = [oldFileName, newFileName].every((name) => name === NOTHING || /^[ab]\//.test(name ?? ''));
  const [before, after] = [oldFileName, newFileName].map((name) =>
    ofGit ? name?.replace(/^[ab]\//, '') : name,
  );
  const path = after === NOTHING ? before : after;
  if (path === undefined || path === NOTHING) throw new PatchFault('a part of the patch names no file');
  const moves = part.isRename === true || part.isCopy === true || part.isBinary === true;
  const modes = part.oldMode !== undefined && part.newMode !== undefined && part.oldMode !== part.newMode;
  if (moves || modes || hunks.length === 0 || (before !== NOTHING && after !== NOTHING && before !== after))
    throw new PatchFault(
      `the patch renames ${path}, or changes its mode or binary content, and only lines of text can be changed`,
    );
  return path;
}

/** The lines of a text, each with its end. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

function linesAfter(path: string, lines: readonly string[], hunks: readonly StructuredPatchHunk[]): string[] {
  const made: string[] = [];
  let at = 0;
  for (const hunk of hunks) {
    // also where a hunk only adds: the parser counts from the line that comes after
    const start = hunk.oldStart - 1;
    if (start < at || start > lines.length)
      throw new PatchFault(
        `the patch changes line ${hunk.oldStart} of ${path}, which has ${lines.length} lines, or an earlier one again`,
      );
    made.push(...lines.slice(at, start));
    at = start;
    for (const [sign, line] of signedLines(hunk)) {
      if (sign !== '+') {
        if (lines[at] !== line)
          throw new PatchFault(
            `the patch does not apply at line ${at + 1} of ${path}: it has ${shown(lines[at])} where the patch expects ${shown(line)}`,
          );
        at += 1;
      }
      if (sign !== '-') made.push(line);
    }
  }
  return [...made, ...lines.slice(at)];
}

/** The lines of a hunk with their ends: one is without where the patch says so after it. */
function signedLines({ lines }: StructuredPatchHunk): [string, string][] {
  return lines.flatMap((line, at): [string, string][] => {
    const sign = line.charAt(0);
    if (sign === '\\') return [];
    const ends = lines[at + 1]?.startsWith('\\') === true ? '' : '\n';
    return [[sign === '' ? ' ' : sign, `${line.slice(1)}${ends}`]];
  });
}

const shown = (line: string | undefined): string =>
  line === undefined ? 'no more line' : JSON.stringify(line.slice(0, 80));
