import { randomUUID } from 'node:crypto';
import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { link, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { NEVER } from './abortable.js';
import { identityOf, isAlive, isForeign, ownSpace, type ProcessIdentity } from './identity.js';
import { showLife, showsLife } from './sign-of-life.js';
import { isCode, parsedJson, textOf } from '../files.js';

const holderShape = z.object({
  pid: z.number().int(),
  start: z.string(),
  space: z.string().default(''),
  token: z.string(),
});
type Holder = z.infer<typeof holderShape>;

const POLL_MS = 50;
const SHOW_LIFE_MS = 5000;
/** Breaking a lock takes well under a millisecond; a guard this old was left by a breaker that was killed. */
const GUARD_STALE_MS = 10_000;

/** Locks that this process holds: should it exit, they are removed. */
const held = new Set<string>();

/**
 * Does something that only one command at a time may do. Waits for a living holder, however long it takes unless
 * `signal` is aborted, with whose reason it then rejects; the lock of a dead one is taken over. A holder in another
 * container cannot be looked at: it counts as alive while it shows that it is.
 * @param waiting is called once, with the pid of the holder, when the lock is not free at once
 */
export async function withLock<T>(
  file: string,
  waiting: (pid: number) => void,
  work: () => Promise<T>,
  signal: AbortSignal = NEVER,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const mine = await me();
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    if (await take(file, mine)) break;
    const holder = await holderOf(file);
    if (holder === null) continue;
    if (!(await livesOrSeemsTo(holder, file))) {
      await breakLock(file, holder);
      continue;
    }
    if (!told) waiting(holder.pid);
    told = true;
    await sleep(POLL_MS);
  }
  hold(file);
  const showing = setInterval(() => void showLife(file).catch(() => undefined), SHOW_LIFE_MS);
  showing.unref();
  try {
    return await work();
  } finally {
    clearInterval(showing);
    await rm(file, { force: true });
    held.delete(file);
  }
}

async function livesOrSeemsTo(holder: ProcessIdentity, file: string): Promise<boolean> {
  return isForeign(holder) ? showsLife(file) : isAlive(holder);
}

/** Does something under the lock without waiting for anything, as this process exits; not when another holds it. */
export function withLockNow(file: string, work: () => void): void {
  if (held.has(file)) return work();
  const fresh = `${file}.${randomUUID()}`;
  try {
    writeFileSync(
      fresh,
      JSON.stringify({ pid: process.pid, start: 'exiting', space: ownSpace(), token: fresh }),
    );
    linkSync(fresh, file);
  } catch {
    return;
  } finally {
    rmSync(fresh, { force: true });
  }
  try {
    work();
  } finally {
    rmSync(file, { force: true });
  }
}

function hold(file: string): void {
  if (held.size === 0) {
    process.off('exit', letGo);
    process.on('exit', letGo);
  }
  held.add(file);
}

function letGo(): void {
  for (const file of held) rmSync(file, { force: true });
}

async function me(): Promise<Holder> {
  return { ...(await identityOf(process.pid)), token: randomUUID() };
}

/**
 * Takes the lock by a link, which appears with its whole text or not at all, so that half a holder is never read.
 */
async function take(file: string, mine: Holder): Promise<boolean> {
  const fresh = `${file}.${mine.token}`;
  try {
    await writeFile(fresh, JSON.stringify(mine));
    await link(fresh, file);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(fresh, { force: true });
  }
}

async function holderOf(file: string): Promise<Holder | null> {
  const text = await textOf(file);
  if (text === null) return null;
  const parsed = holderShape.safeParse(parsedJson(text));
  return parsed.success ? parsed.data : { pid: 0, start: 'unknown', space: '', token: text };
}

/** Removes the lock of a dead holder; the guard keeps a second breaker from removing the lock that came after it. */
async function breakLock(file: string, dead: Holder): Promise<void> {
  const guard = `${file}.breaking`;
  if (!(await take(guard, await me()))) {
    const age = await stat(guard).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > GUARD_STALE_MS) await rm(guard, { force: true });
    await sleep(POLL_MS);
    return;
  }
  try {
    if ((await holderOf(file))?.token === dead.token) await rm(file, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}
