import { UNSIZED, type AdmittedUntil } from '../devices/admitted.js';
import { AssayError, type ErrorCode } from '../domain/errors.js';
import type { HostContext } from './host-context.js';

/** Takes in a request that came to this host, or refuses it with NO_FREE_SLOTS. */
export type Arrive = () => Promise<AdmittedUntil>;

/** Takes in every request: it waits on this host for what it needs. */
export const unsized: Arrive = () =>
  Promise.resolve({ ...UNSIZED, refused: () => undefined, ended: () => undefined });

/** Refusals of a host that will refuse the same request again. */
const NOT_THIS_HOST: ReadonlySet<ErrorCode> = new Set([
  'ACCELERATORS_DIFFER',
  'HOST_CLASS_DIFFERS',
  'ISOLATION_TOO_WEAK',
]);

/** Does work that has come to this host from a queue, and says how it has ended. */
export async function arrived<Host extends Pick<HostContext, 'admitted'>, T>(
  context: Host,
  arrive: Arrive,
  work: (context: Host) => Promise<T>,
): Promise<T> {
  const admitted = await arrive();
  try {
    return await work({ ...context, admitted });
  } catch (error) {
    if (error instanceof AssayError && NOT_THIS_HOST.has(error.code)) admitted.refused();
    throw error;
  } finally {
    admitted.ended();
  }
}
