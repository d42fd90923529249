import { AssayError, type ErrorCode } from '../domain/errors.js';

/** The host that keeps the files may not do the work: others do it without them. */
export interface RefusedHere {
  next: 'refused';
}

/** Errors by which one host leaves work to the others of its pool. */
const LEFT_TO_OTHERS: ReadonlySet<ErrorCode> = new Set([
  'ACCELERATORS_DIFFER',
  'HOST_CLASS_DIFFERS',
  'ISOLATION_TOO_WEAK',
]);

/**
 * Does work on the queue of one host: what that host may not do comes back as `refused`, because nobody else takes
 * it from there.
 */
export async function unlessRefused<T>(work: () => Promise<T>): Promise<T | RefusedHere> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AssayError && LEFT_TO_OTHERS.has(error.code)) return { next: 'refused' };
    throw error;
  }
}
