import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parsedJson, replaceFile, textOf } from './files.js';
import type { Home } from './paths.js';
import { isAlive, isAliveNow, isForeign } from './process/identity.js';
import { showsLife, showsLifeNow } from './process/sign-of-life.js';

const processShape = z.object({
  pid: z.number().int().positive(),
  start: z.string(),
  space: z.string().default(''),
});

/**
 * Use of a server: `run` by a command that works with it, `read` by one that only reads the store, `keep` by the
 * keeper of a store for these.
 */
const roleShape = z.enum(['run', 'read', 'keep']);
export type Role = z.infer<typeof roleShape>;

/** A command that uses a server; its id tells two uses by one process apart. */
const userShape = processShape.extend({ id: z.string(), role: roleShape });
export type ServerUser = z.infer<typeof userShape>;

const entryShape = z
  .object({
    /** The server; null when it was stopped. */
    process: processShape.nullable(),
    /** The last of them to end stops the server; one that was killed is still listed. */
    users: z.array(userShape).default([]),
    /** Number of uses so far. */
    uses: z.number().int().default(0),
    /** Kept after a stop, so that addresses stay valid. */
    ports: z.record(z.string(), z.number().int()),
    /** host:port of Temporal, or the URL of the store. */
    address: z.string(),
    how: z.string(),
    version: z.string(),
    /** The only user in a record of an assay that knew of no others. */
    owner: processShape.nullish(),
  })
  .transform(({ owner, users, ...entry }) => ({
    ...entry,
    users: owner == null ? users : [{ ...owner, id: '', role: 'run' as const }],
  }));

const recordShape = z.object({ temporal: entryShape.nullable(), store: entryShape.nullable() });

/** The servers that a clone runs or ran, by part. */
export type ServerRecord = z.infer<typeof recordShape>;
export type Entry = z.infer<typeof entryShape>;
export type ServerKind = keyof ServerRecord;

/** The file that a user of a server touches while it lives. */
export function lifeOf(home: Home, user: ServerUser): string {
  return join(home.users, user.id);
}

/** Users of a server that live; those that cannot be looked at from here, while they show that they do. */
export async function livingUsers(home: Home, entry: Entry | null): Promise<ServerUser[]> {
  const users = entry?.users ?? [];
  const alive = await Promise.all(
    users.map((user) => (isForeign(user) ? showsLife(lifeOf(home, user)) : isAlive(user))),
  );
  return users.filter((_, at) => alive[at]);
}

/** Returns true for a server that runs; one that cannot be looked at from here, while it has living users. */
export async function runs(home: Home, entry: Entry | null): Promise<boolean> {
  if (entry?.process == null) return false;
  return isForeign(entry.process) ? (await livingUsers(home, entry)).length > 0 : isAlive(entry.process);
}

/**
 * Returns true when another process than this one uses a server, without waiting, as this one exits.
 * @param held the server as the record last described it, for a record that was lost
 */
export function isUsedByOthersNow(home: Home, part: ServerKind, held: Entry): boolean {
  const noted = recordNow(home.record)?.[part];
  const entry = noted?.process == null ? rememberedUsers(home, held) : noted;
  // the users of another server have left this one
  if (entry.process?.pid !== held.process?.pid) return false;
  return entry.users.some((user) =>
    isForeign(user) ? showsLifeNow(lifeOf(home, user)) : user.pid !== process.pid && isAliveNow(user),
  );
}

/**
 * Returns a server, whose record was lost, without the users that have ended since: each removes its sign of life then.
 */
export function rememberedUsers(home: Home, held: Entry): Entry {
  return { ...held, users: held.users.filter((user) => existsSync(lifeOf(home, user))) };
}

/** Writes down, as this process exits, that one of its servers does not run. */
export function noteGoneNow(file: string, part: ServerKind, pid: number): void {
  const fresh = `${file}.${randomUUID()}`;
  try {
    const parts = recordNow(file);
    const entry = parts?.[part];
    if (parts === null || entry?.process?.pid !== pid) return;
    parts[part] = { ...entry, process: null, users: [] };
    writeFileSync(fresh, `${JSON.stringify(parts, null, 2)}\n`, { mode: 0o600 });
    renameSync(fresh, file);
  } catch {
    // a reader of the record looks at who is alive
    rmSync(fresh, { force: true });
  }
}

function recordNow(file: string): ServerRecord | null {
  try {
    return recordShape.safeParse(parsedJson(readFileSync(file, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

/** The record of a home folder, while its lock is held. */
export class OpenRecord {
  private saved: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    readonly parts: ServerRecord,
  ) {}

  /** Reads the record; empty when there is no such file or it cannot be read: servers are then started. */
  static async read(file: string): Promise<OpenRecord> {
    const parsed = recordShape.safeParse(parsedJson((await textOf(file)) ?? ''));
    return new OpenRecord(file, parsed.success ? parsed.data : { temporal: null, store: null });
  }

  /** Writes it down as one step, after the writes before it: two parts start at the same time. */
  save(): Promise<void> {
    this.saved = this.saved.then(() => replaceFile(this.file, `${JSON.stringify(this.parts, null, 2)}\n`));
    return this.saved;
  }
}
