/** Characters of one line that are shown. */
const LONGEST_LINE = 1000;

/** Keeps the first lines that fit, none of them in part but those that are very long; `left` is how many did not fit. */
export function wholeLines(lines: readonly string[], characters: number): { text: string; left: number } {
  const kept: string[] = [];
  let room = characters;
  for (const line of lines) {
    const shown = line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
    room -= shown.length + 1;
    if (room < 0) break;
    kept.push(shown);
  }
  return { text: kept.join('\n'), left: lines.length - kept.length };
}
