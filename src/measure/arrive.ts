import { UNSIZED, type Admitted } from '../devices/admitted.js';
import type { HostContext } from './host-context.js';

/** Takes in a request that came to this host, or refuses it with NO_FREE_SLOTS. */
export type Arrive = () => Promise<Admitted & { ended(): void }>;

/** Takes in every request: it waits on this host for what it needs. */
export const unsized: Arrive = () => Promise.resolve({ ...UNSIZED, ended: () => undefined });

/** Does work that has come to this host from the queue of its size, and says when it has ended. */
export async function arrived<T>(
  context: HostContext,
  arrive: Arrive,
  work: (context: HostContext) => Promise<T>,
): Promise<T> {
  const admitted = await arrive();
  try {
    return await work({ ...context, admitted });
  } finally {
    admitted.ended();
  }
}
