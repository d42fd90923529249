/** All control and format characters (C0, C1, escape, direction marks) except tab and newline. */
const UNSAFE = /(?![\t\n])[\p{Cc}\p{Cf}]/gu;

/** Text of models and recipes made harmless for a terminal: nothing in it can move the cursor or hide a line. */
export function clean(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(UNSAFE, '\u{FFFD}');
}

/** Made harmless, and on one line. */
export function oneLine(text: string): string {
  return clean(text).replace(/\s+/g, ' ').trim();
}

/** The first line, and what follows it made harmless and moved to the right, each on a line of its own. */
export function headAndRest(text: string): { head: string; rest: string } {
  const [first = '', ...more] = clean(text).trim().split('\n');
  return { head: oneLine(first), rest: more.length === 0 ? '' : indent(more.join('\n'), 4) };
}

/** At most `width` characters, the end marked where it was cut. */
export function cut(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Every line moved to the right. */
export function indent(text: string, by: number): string {
  const space = ' '.repeat(by);
  return text
    .split('\n')
    .map((line) => (line === '' ? line : `${space}${line}`))
    .join('\n');
}

/** `3 trials`, `1 trial`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A task in a line: its name, its profile where it has some, and its digest in short. */
export function taskText(task: { name: string; digest: string; profile?: string | undefined }): string {
  const profile = task.profile === undefined ? '' : `, profile ${task.profile}`;
  return `${task.name}${profile} (${task.digest.slice(0, 12)})`;
}
