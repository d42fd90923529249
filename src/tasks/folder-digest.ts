import { createHash } from 'node:crypto';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';

interface Entry {
  /**
   * Metadata that changes with every write, rename and change of mode: a recipe cannot set the time of a change back.
   */
  stat: string;
  /** Kind, mode and content. */
  digest: string;
}

/** Contents of a folder when it was last known to be whole; links are not followed. */
export class FolderDigest {
  #entries = new Map<string, Entry>();

  constructor(readonly folder: string) {}

  /** Takes what is there now as whole. */
  async take(): Promise<void> {
    const entries = new Map<string, Entry>();
    for (const [path, stat] of await statsOf(this.folder))
      entries.set(path, { stat, digest: await digestOf(join(this.folder, path)) });
    this.#entries = entries;
  }

  /**
   * The first path that holds something else, was removed or was added; null when all is whole. Only what was touched
   * since is read.
   */
  async changed(): Promise<string | null> {
    const now = await statsOf(this.folder);
    for (const path of now.keys()) if (!this.#entries.has(path)) return path;
    for (const [path, entry] of this.#entries) {
      const stat = now.get(path);
      if (stat === undefined) return path;
      if (stat === entry.stat) continue;
      if ((await digestOf(join(this.folder, path))) !== entry.digest) return path;
      this.#entries.set(path, { ...entry, stat });
    }
    return null;
  }
}

async function statsOf(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const open = ['.'];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const stat = await lstat(join(folder, path), { bigint: true }).catch(() => null);
    if (stat === null) continue;
    found.set(path, `${stat.dev} ${stat.ino} ${stat.mode} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`);
    if (!stat.isDirectory()) continue;
    for (const name of await readdir(join(folder, path)).catch(() => []))
      open.push(path === '.' ? name : `${path}/${name}`);
  }
  return found;
}

/** Digests an entry; of a folder only that it is one, since what it holds has entries of its own. */
async function digestOf(path: string): Promise<string> {
  const stat = await lstat(path).catch(() => null);
  if (stat === null) return 'missing';
  const kind = `${stat.mode}`;
  if (stat.isSymbolicLink()) return `${kind} ${await readlink(path).catch(() => '')}`;
  if (!stat.isFile()) return kind;
  const hash = createHash('sha256');
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => null);
  if (file === null) return `${kind} unreadable`;
  for await (const chunk of file.createReadStream()) if (Buffer.isBuffer(chunk)) hash.update(chunk);
  return `${kind} ${hash.digest('hex')}`;
}
