import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ContentStore } from '../../lineage/blob-store/content-store.js';
import type { OnHost } from '../../lineage/documents/on-host.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import { removeTree } from '../../sandbox/remove-tree.js';
import type { Sealed } from '../../sandbox/sealing/seal.js';
import { normaliseTree } from '../../sandbox/sealing/sealed-tree.js';
import type { HostContext } from '../host-context.js';

/** Part of a host that keeping outputs needs. */
type Keeping = Pick<HostContext, 'kept'> & { lineage: Pick<HostContext['lineage'], 'blobs'> };

/** Outputs as documents name them; `onHost` is null where their bytes are in the store. */
export interface KeptOutputs {
  files: readonly StoredFile[];
  onHost: OnHost | null;
}

/** Sealed outputs that are to be kept, and for which measurement. */
export interface ToKeep {
  replicate: string;
  /** Holds the very files that were sealed. */
  folder: string;
  sealed: Sealed;
  /** Bytes up to which they go to the store; above, they stay on this host. */
  storedUpTo: number;
  /** True where nothing goes on without them: then they are kept beyond the bound of the host. */
  must: boolean;
}

/** Keeps outputs in the store, or on this host where they are large; null where there is no room for them. */
export async function keepOutputs(
  { lineage, kept }: Keeping,
  { replicate, folder, sealed, storedUpTo, must }: ToKeep,
): Promise<KeptOutputs | null> {
  const { files, bytes } = sealed;
  const inStore = bytes <= storedUpTo;
  if (!inStore) {
    // pinned first: what is seen to be there after that does not leave
    await kept.pin(
      replicate,
      files.map(({ sha256 }) => sha256),
    );
    if (!(await kept.makeRoom(bytes, { must })) && !must) return null;
  }
  const store: ContentStore = inStore ? lineage.blobs : kept;
  for (const { path, ...of } of files) await store.putFile({ path: join(folder, path), ...of });
  return { files, onHost: inStore ? null : { ...kept.place, gone: null } };
}

/**
 * Writes kept outputs as they were sealed, in place of what lies there.
 * @throws AssayError STORE_DOCUMENT, or HOST_FAULT for those of this host, when some of them is missing or damaged
 */
export async function writeOutputs(
  { lineage, kept }: Keeping,
  { files, onHost }: KeptOutputs,
  to: string,
): Promise<void> {
  const store: ContentStore = onHost === null ? lineage.blobs : kept;
  await removeTree(to);
  await mkdir(to);
  for (const { path, sha256 } of files) {
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true });
    await store.writeTo(sha256, target);
  }
  await normaliseTree(to);
}

/** Place of outputs as a host sees it: in reach, on another host, or lost. */
export type Whereabouts = 'here' | 'elsewhere' | 'gone';

/** Looks where outputs are; those that are here stay for as long as the measurement needs them. */
export async function whereabouts(
  { kept }: Pick<HostContext, 'kept'>,
  replicate: string,
  { files, onHost }: KeptOutputs,
): Promise<Whereabouts> {
  if (onHost === null) return 'here';
  if (onHost.gone !== null) return 'gone';
  if (onHost.folder !== kept.place.folder) return 'elsewhere';
  const digests = files.map(({ sha256 }) => sha256);
  return (await kept.pinAll(replicate, digests)) ? 'here' : 'gone';
}
