import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '../../sandbox/process/missing.js';
import { HostStore } from './host-store.js';
import { keptFolder } from './open-host-store.js';

/** Opens what a host keeps for commands that read it; null where no worker has kept anything. */
export async function keptHere(home: string): Promise<HostStore | null> {
  const folder = keptFolder(home);
  if ((await unlessMissing(stat(join(folder, 'id')))) === null) return null;
  return HostStore.open({
    ...{ folder, host: '', store: '', env: {} },
    // a command frees nothing
    isNeeded: () => Promise.resolve(true),
    onLeft: () => Promise.resolve(),
  });
}
