import { randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../domain/errors.js';
import { describeEnding } from '../describe-ending.js';
import { freeSpaceAt, freeSpaceText } from './free-space.js';
import type { Sandbox } from '../run.js';

/** One thing that a host must be able to do before it takes work. A check of accelerators is another of these. */
export interface HostCheck {
  /** Returns the problem, for people; null when all is well. Does not reject. */
  look(): Promise<string | null>;
}

const MIB = 1024 * 1024;
const LEAST_BYTES = 1024 * MIB;
const LEAST_INODES = 1000;
const WRITE_MS = 10_000;
const PROBE_SECONDS = 30;

/** Checks that decide if this host may take work. */
export class HostHealth {
  constructor(private readonly checks: readonly HostCheck[]) {}

  /** The first thing that is wrong, or null. */
  async look(): Promise<string | null> {
    for (const check of this.checks) {
      const wrong = await check.look();
      if (wrong !== null) return wrong;
    }
    return null;
  }
}

/**
 * Bytes that must be free: 1 GiB, or twice what the largest task may write where that is more; ASSAY_FREE_MB (MiB)
 * decides where it is set.
 */
export function wantedBytes(largestTask: number, env: NodeJS.ProcessEnv): number {
  const asked = Number(env['ASSAY_FREE_MB'] || Number.NaN);
  return Number.isFinite(asked) ? asked * MIB : Math.max(LEAST_BYTES, 2 * largestTask);
}

/** Room on the disk of a folder. */
export function roomCheck(folder: string, wanted: () => number): HostCheck {
  return {
    async look() {
      try {
        const room = await freeSpaceAt(folder);
        if (room.bytes >= wanted() && (room.inodes ?? LEAST_INODES) >= LEAST_INODES) return null;
        const least = `${Math.ceil(wanted() / 1e6)} MB and ${LEAST_INODES} files`;
        return `the disk of ${folder} is full: ${freeSpaceText(room)}, work needs room for ${least}`;
      } catch (error) {
        return `the disk of ${folder} cannot be looked at: ${messageOf(error)}`;
      }
    },
  };
}

/** The folder takes a file, and the disk says that it has it. */
export function writeCheck(folder: string): HostCheck {
  return {
    async look() {
      const file = join(folder, `.health-${randomUUID()}`);
      const over = new AbortController();
      const late = sleep(WRITE_MS, `no answer in ${WRITE_MS / 1000} s`, { signal: over.signal }).catch(
        () => null,
      );
      try {
        const wrong = await Promise.race([written(folder, file), late]);
        return wrong === null ? null : `${folder} takes no file: ${wrong}`;
      } finally {
        over.abort();
      }
    },
  };
}

async function written(folder: string, file: string): Promise<string | null> {
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(Buffer.alloc(4096, 1));
      await handle.sync();
    } finally {
      await handle.close();
    }
    return null;
  } catch (error) {
    return messageOf(error);
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}

/** The sandbox still starts a program and sees its end. */
export function sandboxCheck(sandbox: Sandbox, folder: string, prefix: string): HostCheck {
  return {
    async look() {
      try {
        const { ending, log } = await sandbox.run({
          id: `${prefix}/health-${randomUUID()}`,
          command: 'exit 0',
          cwd: folder,
          writable: [],
          readable: [folder],
          env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
          limits: {
            wallS: PROBE_SECONDS,
            memoryBytes: 256 * MIB,
            diskBytes: MIB,
            logBytes: 4096,
            processes: 16,
          },
          signal: new AbortController().signal,
        });
        if (ending.kind === 'exited' && ending.code === 0) return null;
        return `the sandbox starts no program: it ${describeEnding(ending)} ${log.slice(0, 200)}`.trimEnd();
      } catch (error) {
        return `the sandbox starts no program: ${messageOf(error)}`;
      }
    },
  };
}
