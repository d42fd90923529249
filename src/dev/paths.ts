import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Everything that assay keeps for one clone, in one folder that git ignores. */
export interface Home {
  folder: string;
  /** Servers that run for this clone, with their ports. */
  record: string;
  /** One file for each command that uses them, touched while it lives. */
  users: string;
  lock: string;
  temporalDatabase: string;
  /** One folder below it for each kind of store: their files cannot be read by one another. */
  store: string;
  logs: string;
}

/** The folder of a clone: ASSAY_HOME, else `.assay` in the clone. */
export function homeOf(clone: string, env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['ASSAY_HOME'] || join(clone, '.assay'));
}

/** Lays out a home folder. */
export function homeAt(folder: string): Home {
  const root = resolve(folder);
  return {
    folder: root,
    record: join(root, 'servers.json'),
    users: join(root, 'servers.users'),
    lock: join(root, 'servers.lock'),
    temporalDatabase: join(root, 'temporal.db'),
    store: join(root, 'store'),
    logs: join(root, 'logs'),
  };
}

/** The folder of provisioned programs, shared by all clones of a user: ASSAY_CACHE, else the user's cache. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['ASSAY_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'assay'));
}
