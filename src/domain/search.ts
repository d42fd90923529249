import { compilePattern } from './pattern.js';

const MAX_PATTERN = 300;
const MAX_HITS = 100;
const MAX_SHOWN = 300;
/** Letters times states that one search may cost; about a second of one core. */
const MAX_COST = 10_000_000;

/** The lines of a tree that match a pattern, as `path:line: text`; a pattern that is no expression is a literal. */
export function searchTree(
  files: ReadonlyMap<string, string>,
  pattern: string,
): { text: string } | { error: string } {
  if (pattern === '') return { error: 'pattern is empty.' };
  if (pattern.length > MAX_PATTERN) return { error: `pattern has over ${MAX_PATTERN} characters.` };
  const compiled = compilePattern(pattern);
  const matches = compiled === null ? (line: string) => line.includes(pattern) : compiled.matches;
  const note =
    compiled === null ? ['[searched as plain text: the expression is malformed or not supported]'] : [];
  const hits: string[] = [];
  let cost = 0;
  for (const [path, text] of files) {
    for (const [index, line] of text.split('\n').entries()) {
      cost += (line.length + 1) * (compiled?.states ?? 1);
      if (cost > MAX_COST)
        return answer(hits, [...note, '[stopped here: search in one file or folder for the rest]']);
      if (!matches(line)) continue;
      if (hits.length === MAX_HITS) return answer(hits, [...note, `[more than ${MAX_HITS} lines match]`]);
      const cut = line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
      hits.push(`${path}:${index + 1}: ${cut}`);
    }
  }
  return answer(hits, note);
}

function answer(hits: readonly string[], notes: readonly string[]): { text: string } {
  return { text: [...(hits.length === 0 ? ['no line matches'] : hits), ...notes].join('\n') };
}
