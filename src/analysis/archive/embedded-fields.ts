/** A text, and the notes that a torn tool call has left in it. */
export interface DividedText {
  text: string;
  notes: string | null;
}

const TORN = /<\/[a-z_]+>\s*<parameter name="([a-z_]+)">/i;

/**
 * Divides a text into which a model has written the next parameter of its tool call too. Only the text before it is
 * what it meant to say here.
 */
export function divideEmbedded(text: string): DividedText {
  const found = TORN.exec(text);
  if (found === null) return { text, notes: null };
  return { text: text.slice(0, found.index).trim(), notes: text.slice(found.index + found[0].length).trim() };
}
