import { open, rename, stat, truncate, writeFile } from 'node:fs/promises';

/** A log is cut when it is larger, and this much of its end is kept beside it. */
export const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

/**
 * Cuts a log that has become too large while its server keeps writing: its end is copied to `LOG.1`, then it is
 * emptied. The server appends, so it continues at the new end. Lines written between the two steps are lost. Returns
 * true when it did.
 */
export async function rotate(log: string, limitBytes = LOG_LIMIT_BYTES): Promise<boolean> {
  const size = await sizeOf(log);
  if (size <= limitBytes) return false;
  const fresh = `${log}.fresh`;
  try {
    await writeFile(fresh, await endOf(log, limitBytes), { mode: 0o600 });
    await rename(fresh, `${log}.1`);
  } finally {
    // also where there is no room for the copy: then above all
    await truncate(log);
  }
  return true;
}

/** The last lines of a log, for an error message. */
export async function lastLines(log: string): Promise<string> {
  return (await endOf(log, 2000)).toString('utf8').trimEnd().split('\n').slice(-8).join('\n');
}

async function sizeOf(log: string): Promise<number> {
  return stat(log).then(
    (found) => found.size,
    () => 0,
  );
}

async function endOf(log: string, bytes: number): Promise<Buffer> {
  const file = await open(log);
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
