import { statSync } from 'node:fs';
import { stat, utimes, writeFile } from 'node:fs/promises';

/** A file that was not touched for so long belongs to nobody who lives: that one touches it every few seconds. */
const SILENT_MS = 30_000;
const SHOW_MS = 2000;

/** Touches a file, so that whoever cannot look at this process sees that it lives. */
export async function showLife(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
}

/** Shows that this process lives until it is stopped. Does not keep the process alive. */
export interface SignOfLife {
  /** After this the file is not written any more. */
  stop(): Promise<void>;
}

/** Makes a file, and touches it every two seconds; one that was removed meanwhile is made again. */
export async function startSignOfLife(file: string): Promise<SignOfLife> {
  await begin(file);
  let shown: Promise<void> = Promise.resolve();
  const show = (): Promise<void> =>
    showLife(file)
      .catch(() => begin(file))
      // where its folder is gone, there is nobody to show it to
      .catch(() => undefined);
  const timer = setInterval(() => {
    shown = shown.then(show);
  }, SHOW_MS);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await shown;
    },
  };
}

async function begin(file: string): Promise<void> {
  await writeFile(file, '', { mode: 0o600 });
  // by the clock of this host, which a file server's may not agree with
  await showLife(file);
}

/** Returns true when a file was written or touched lately. */
export async function showsLife(file: string): Promise<boolean> {
  return stat(file).then(isLately, () => false);
}

/** As {@link showsLife}, without waiting. */
export function showsLifeNow(file: string): boolean {
  return isLately(statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0 });
}

const isLately = ({ mtimeMs }: { mtimeMs: number }): boolean => Date.now() - mtimeMs < SILENT_MS;
