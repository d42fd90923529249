import { compilePattern, type Found } from './pattern.js';
import { occurrences } from './occurrences.js';

const MAX_PATTERN = 300;
const MAX_HITS = 100;
const MAX_SHOWN = 300;
/** Steps that one search may take; about a second of one core. */
const MAX_STEPS = 10_000_000;
/** Steps after which others get their turn, and the most that one line may take. */
const SLICE_STEPS = 500_000;

/** The result of a search, in words for the model. */
export type SearchResult = { text: string } | { error: string };

/** The lines of a tree that match a pattern, as `path:line: text`; a pattern that is no expression is a literal. */
export function searchTree(files: ReadonlyMap<string, string>, pattern: string): SearchResult {
  return resultOf(searchInSlices(files, pattern));
}

/** Does all of some work at once that is cut in slices. */
export function resultOf<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** Searches as `searchTree` does, and yields after every few milliseconds, so that others can have their turn. */
export function* searchInSlices(
  files: ReadonlyMap<string, string>,
  pattern: string,
): Generator<undefined, SearchResult> {
  if (pattern === '') return { error: 'pattern is empty.' };
  if (pattern.length > MAX_PATTERN) return { error: `pattern has over ${MAX_PATTERN} characters.` };
  const compiled = compilePattern(pattern);
  const notes =
    compiled === null ? ['[searched as plain text: the expression is malformed or not supported]'] : [];
  const hits: string[] = [];
  let [steps, due, long] = [0, SLICE_STEPS, 0];
  const end = (note?: string): SearchResult => {
    const left = long === 0 ? [] : [`[${long} lines are too long for this expression and were left out]`];
    return answer(hits, [...notes, ...left, ...(note === undefined ? [] : [note])]);
  };
  for (const [path, text] of files) {
    for (const [index, line] of text.split('\n').entries()) {
      const found = compiled?.find(line, SLICE_STEPS) ?? literally(pattern, line);
      steps += Math.min(found.steps, SLICE_STEPS);
      if (steps > MAX_STEPS) return end('[stopped here: search in one file or folder for the rest]');
      if (steps > due) {
        due = steps + SLICE_STEPS;
        yield;
      }
      if (found.found === null) long += 1;
      if (found.found !== true) continue;
      if (hits.length === MAX_HITS) return end(`[more than ${MAX_HITS} lines match]`);
      const cut = line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
      hits.push(`${path}:${index + 1}: ${cut}`);
    }
  }
  return end();
}

const literally = (wanted: string, line: string): Found => ({
  found: occurrences(line, wanted, 1).length > 0,
  steps: line.length + wanted.length,
});

function answer(hits: readonly string[], notes: readonly string[]): { text: string } {
  return { text: [...(hits.length === 0 ? ['no line matches'] : hits), ...notes].join('\n') };
}
