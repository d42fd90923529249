import { join } from 'node:path';
import { sha256 } from '../../domain/digest.js';
import type { Lineage, StoreAddress } from '../../lineage/lineage.js';
import { HostStore } from './host-store.js';
import { needsContent } from './needs-content.js';

/** Name of the folder below the home of a host. */
const FOLDER = 'kept';

export const keptFolder = (home: string): string => join(home, FOLDER);

/** Names a store in what a host keeps for its measurements. */
export const storeName = ({ url, database }: StoreAddress): string =>
  sha256(`${url} ${database}`).slice(0, 16);

/** Opens what a host keeps for the measurements of a store, which is told of what leaves. */
export function openHostStore(
  lineage: Lineage,
  { home, host, store, env }: { home: string; host: string; store: StoreAddress; env: NodeJS.ProcessEnv },
): Promise<HostStore> {
  return HostStore.open({
    folder: keptFolder(home),
    host,
    env,
    store: storeName(store),
    isNeeded: (replicate) => needsContent(lineage, replicate),
    onLeft: async (place, digests) => {
      await lineage.replicates.markGone(place, digests);
      await lineage.phases.markGone(place, digests);
    },
  });
}
