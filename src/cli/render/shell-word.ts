/** Returns a text as one word of a POSIX shell: as it is where that is read as itself, else in quotes. */
export function shellWord(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
