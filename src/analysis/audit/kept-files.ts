import type { OnHost } from '../../lineage/documents/on-host.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import type { Digested } from './digested.js';
import type { BlobFact } from './facts.js';

/** Outputs that a host was to keep. */
export interface KeptOutputs {
  what: string;
  onHost: OnHost;
  files: readonly StoredFile[];
}

/** Result of looking at the outputs of hosts. */
export interface KeptFacts {
  blobs: BlobFact[];
  outOfReach: { what: string; why: string }[];
}

/** Examines outputs that this host keeps; of others it says why it cannot. That some went with a host is no fault. */
export async function keptFacts(outputs: readonly KeptOutputs[], digested: Digested): Promise<KeptFacts> {
  const facts: KeptFacts = { blobs: [], outOfReach: [] };
  for (const { what, onHost, files } of outputs) {
    const { host, folder, gone } = onHost;
    const say = (why: string): void => void facts.outOfReach.push({ what, why });
    if (gone !== null) say(`gone with its host, ${host}, where it was kept`);
    else if (digested.kept?.folder !== folder)
      say(`its files are on ${host}, and this audit does not see them`);
    else if (!(await examined(files, what, { digested, facts }))) say(`${host} keeps it no more`);
  }
  return facts;
}

/** Returns false when some file is there no more. */
async function examined(
  files: readonly StoredFile[],
  what: string,
  { digested, facts }: { digested: Digested; facts: KeptFacts },
): Promise<boolean> {
  for (const { path, sha256 } of files) {
    const found = await digested.ofKept(sha256);
    if (found === null) return false;
    facts.blobs.push({ what: `${what}: ${path}`, digest: sha256, ...found });
  }
  return true;
}
