/** The place at which a program failed. */
export interface FailurePlace {
  /** Path in the recipe, or the name of a file outside it. */
  file: string;
  line: number;
  /** Function, where the traceback names one. */
  within: string | null;
  /** Last line of the traceback: the error itself. */
  error: string;
}

const FRAME = /^\s*File "([^"]+)", line (\d+)(?:, in (.+))?$/;
const ERROR = /^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning|Fault)\b.*$/;

/**
 * Reads the place of the last traceback of Python in a log: its innermost frame in the recipe's own files, or its
 * innermost of all where none is; null where there is no traceback.
 */
export function failurePlace(log: string, files: readonly string[]): FailurePlace | null {
  const lines = log.split('\n');
  const begins = lines.findLastIndex((line) => line.startsWith('Traceback (most recent call last)'));
  const frames = lines.slice(Math.max(0, begins)).flatMap((line) => frameOf(line, files) ?? []);
  const frame = frames.findLast(({ own }) => own) ?? frames.at(-1);
  if (frame === undefined) return null;
  const error = lines.slice(Math.max(0, begins)).findLast((line) => ERROR.test(line)) ?? '';
  const { own: _, ...place } = frame;
  return { ...place, error: error.trim() };
}

function frameOf(line: string, files: readonly string[]) {
  const found = FRAME.exec(line);
  if (found === null) return null;
  const [, path = '', number, within] = found;
  const own = files.filter((file) => path === file || path.endsWith(`/${file}`));
  const longest = own.sort((a, b) => b.length - a.length)[0];
  return {
    file: longest ?? path.split('/').at(-1) ?? path,
    line: Number(number),
    within: within === undefined || within === '<module>' ? null : within,
    own: longest !== undefined,
  };
}
