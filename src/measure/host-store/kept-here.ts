import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HostStore } from './host-store.js';
import type { StoreAddress } from '../../lineage/lineage.js';
import { keptFolder, storeName } from './open-host-store.js';

/** Errors of a folder that is not there, or that belongs to another user. */
const UNSEEN: ReadonlySet<unknown> = new Set(['ENOENT', 'EACCES', 'EPERM']);

/**
 * Opens what a host keeps for commands that read it; null where no worker has kept anything, or this user may not see
 * it.
 * @param store the one whose records say what it needs; null for commands that free nothing
 */
export async function keptHere(home: string, store: StoreAddress | null = null): Promise<HostStore | null> {
  const folder = keptFolder(home);
  try {
    await stat(join(folder, 'id'));
    return await HostStore.open({
      ...{ folder, host: '', store: store === null ? '' : storeName(store), env: {} },
      // a command frees nothing that is pinned, by whichever store
      isNeeded: null,
      onLeft: () => Promise.resolve(),
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && UNSEEN.has(error.code)) return null;
    throw error;
  }
}
