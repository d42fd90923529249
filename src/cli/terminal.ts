import { styleText } from 'node:util';
import { AssayError, ERRORS, messageOf } from '../domain/errors.js';

/** Flags that every command has. */
export interface CommonFlags {
  json?: boolean | undefined;
  debug?: boolean | undefined;
}

type Style = Parameters<typeof styleText>[0];

/** Data goes to stdout; progress, hints and errors to stderr. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Styled where the stream is a terminal that wants colours (NO_COLOR and FORCE_COLOR are obeyed). */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream, validateStream: true });
}

/** One line and a remedy; the stack only on request. Returns the exit code. */
export function report(error: unknown, debug: boolean): number {
  const known = error instanceof AssayError;
  say(`${styled('red', 'error', process.stderr)}: ${messageOf(error).split('\n')[0] ?? ''}`);
  say(known ? error.remedy : ERRORS.INTERNAL.remedy);
  if (debug && error instanceof Error) say(error.stack ?? '');
  return known ? error.exit : ERRORS.INTERNAL.exit;
}
