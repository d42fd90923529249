import { open, rm } from 'node:fs/promises';
import { z } from 'zod';

const lineSchema = z.object({
  /** Name of the file that is brought. */
  file: z.string(),
  bytes: z.number().int().nonnegative(),
  /** Bytes that it will have; null where the server does not say. */
  total: z.number().int().nonnegative().nullable(),
  done: z.boolean(),
  /** Bytes a second since this download began or was continued. */
  perSecond: z.number().nonnegative(),
  note: z.string().optional(),
});
/** How far a preparation is with one file. */
export type PrepareProgress = z.infer<typeof lineSchema>;

const LOOK_MS = 300;
const MOST_READ = 1024 * 1024;

/**
 * Runs a preparation that appends lines of progress to `file`, and tells each of them while it runs. What is no such
 * line is left out; the file is gone afterwards.
 */
export async function withProgress<T>(
  file: string,
  tell: (progress: PrepareProgress) => void,
  work: () => Promise<T>,
): Promise<T> {
  await rm(file, { force: true });
  let [read, rest] = [0, ''];
  const look = async (): Promise<void> => {
    const appended = await readFrom(file, read);
    read += appended.byteLength;
    const lines = `${rest}${appended.toString('utf8')}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const progress = progressIn(line);
      if (progress !== null) tell(progress);
    }
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, LOOK_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await looking.then(look);
    await rm(file, { force: true });
  }
}

async function readFrom(file: string, position: number): Promise<Buffer> {
  const opened = await open(file, 'r').catch(() => null);
  if (opened === null) return Buffer.alloc(0);
  try {
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(MOST_READ), 0, MOST_READ, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await opened.close();
  }
}

function progressIn(line: string): PrepareProgress | null {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
