const SHOWN = 10;

/** Lists names in a sentence; of many, the first ten and how many more there are. */
export function clippedList(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return `${names.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
