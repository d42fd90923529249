import type { Failure } from '../../domain/trial/outcome.js';

/**
 * missing: no such folder; irregular: not a plain file; outside: leads elsewhere; unreadable: closed, or gone when it
 * was looked at; too_large: over a limit.
 */
export type SealRefusal = 'missing' | 'irregular' | 'outside' | 'unreadable' | 'too_large';

/** An output that cannot be sealed; the recipe's fault. */
export class SealRefused extends Error {
  override readonly name = 'SealRefused';

  constructor(
    readonly kind: SealRefusal,
    /** Relative to the folder; `.` is the folder itself. */
    readonly path: string,
    readonly reason: string,
    /** For `too_large`. */
    readonly limit: Failure['limit'] = null,
  ) {
    super(`${path}: ${reason}`);
  }
}

/** Errors of reading files that the program which made the files can cause; all others are the host's. */
const BY_FILES: ReadonlySet<unknown> = new Set([
  'EACCES',
  'EPERM',
  'ENAMETOOLONG',
  'ELOOP',
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ENXIO',
  'ENODEV',
  'EILSEQ',
  'EINVAL',
  'EOVERFLOW',
]);

/**
 * Returns true when an error of the file system can come from how a recipe left its files, and not from the host.
 */
export const causedByFiles = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && BY_FILES.has(error.code);

/** The refusal of a path that gave this error, or null where the error is the host's. */
export function unreadable(path: string, error: unknown): SealRefused | null {
  if (!causedByFiles(error) || !(error instanceof Error) || !('code' in error)) return null;
  return new SealRefused('unreadable', path, `cannot be read (${String(error.code)})`);
}
