import { compilePattern, type Found } from './pattern.js';
import { occurrences } from './occurrences.js';

const MAX_PATTERN = 300;
const MAX_HITS = 100;
const MAX_SHOWN = 300;
/** Steps that one search may take; about a second of one core. */
const MAX_STEPS = 10_000_000;

/** The lines of a tree that match a pattern, as `path:line: text`; a pattern that is no expression is a literal. */
export function searchTree(
  files: ReadonlyMap<string, string>,
  pattern: string,
): { text: string } | { error: string } {
  if (pattern === '') return { error: 'pattern is empty.' };
  if (pattern.length > MAX_PATTERN) return { error: `pattern has over ${MAX_PATTERN} characters.` };
  const compiled = compilePattern(pattern);
  const note =
    compiled === null ? ['[searched as plain text: the expression is malformed or not supported]'] : [];
  const hits: string[] = [];
  let steps = 0;
  for (const [path, text] of files) {
    for (const [index, line] of text.split('\n').entries()) {
      const found = compiled?.find(line, MAX_STEPS - steps) ?? literally(pattern, line);
      steps += found.steps;
      if (found.found === null || steps > MAX_STEPS)
        return answer(hits, [...note, '[stopped here: search in one file or folder for the rest]']);
      if (!found.found) continue;
      if (hits.length === MAX_HITS) return answer(hits, [...note, `[more than ${MAX_HITS} lines match]`]);
      const cut = line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
      hits.push(`${path}:${index + 1}: ${cut}`);
    }
  }
  return answer(hits, note);
}

const literally = (wanted: string, line: string): Found => ({
  found: occurrences(line, wanted, 1).length > 0,
  steps: line.length + wanted.length,
});

function answer(hits: readonly string[], notes: readonly string[]): { text: string } {
  return { text: [...(hits.length === 0 ? ['no line matches'] : hits), ...notes].join('\n') };
}
