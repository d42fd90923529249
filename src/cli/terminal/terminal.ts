import { styleText } from 'node:util';
import { AssayError, ERRORS, messageOf, type ErrorCode } from '../../domain/errors.js';
import { clean, indent } from '../render/text.js';

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

/** Options for showing an error. */
export type ErrorFlags = Pick<CommonFlags, 'json' | 'debug'>;

/** One line and a remedy on stderr; the stack only on request; with --json the same as JSON. Returns the exit code. */
export function report(error: unknown, { json, debug }: ErrorFlags): number {
  const known = error instanceof AssayError;
  const [message = '', ...more] = messageOf(error).split('\n');
  const remedy = known ? error.remedy : ERRORS.INTERNAL.remedy;
  const detail = known ? clean([...more, error.detail].join('\n').trim()) : '';
  say(`${styled('red', 'error', process.stderr)}: ${message}`);
  if (detail !== '') say(indent(detail, 2));
  say(remedy);
  if (debug === true && error instanceof Error) say(error.stack ?? '');
  if (json === true) printError(known ? error.code : 'INTERNAL', message, remedy, detail);
  return known ? error.exit : ERRORS.INTERNAL.exit;
}

/** `assay.error/1`, on one line: the last one where lines came before it. */
export function printError(code: ErrorCode, message: string, remedy: string, detail = ''): void {
  print(JSON.stringify({ schema: 'assay.error/1', code, message, remedy, detail }));
}
