import { AssayError } from '../../domain/errors.js';
import type { HostCheck } from './host-health.js';
import { freeSpaceAt } from './free-space.js';
import type { RunRequest, RunResult, Sandbox, Served } from '../run.js';

/** With less free than this, even a program that ended well may have written only a part. */
const NOTHING_LEFT_BYTES = 1024 * 1024;

/**
 * A sandbox that does not blame a program for what its host lacks: one that failed on a disk without room is a
 * HOST_FAULT. What a program wrote beyond its own limit stays its own fault.
 */
export function diskFullSandbox(sandbox: Sandbox, folder: string, room: HostCheck): Sandbox {
  const judged = async (result: RunResult): Promise<RunResult> => {
    const { kind } = result.ending;
    if (kind === 'cancelled' || kind === 'limit') return result;
    const well = kind === 'exited' && result.ending.code === 0;
    const wrong = well ? await nothingLeft(folder) : await room.look();
    if (wrong === null) return result;
    throw new AssayError('HOST_FAULT', `a program ran on a host that cannot hold what it writes: ${wrong}`);
  };
  return {
    get isolation() {
      return sandbox.isolation;
    },
    run: async (request: RunRequest) => judged(await sandbox.run(request)),
    serve: async (request: RunRequest): Promise<Served> => {
      const served = await sandbox.serve(request);
      const done = served.done.then(judged);
      done.catch(() => undefined);
      return { ...served, done };
    },
  };
}

async function nothingLeft(folder: string): Promise<string | null> {
  const { bytes, inodes } = await freeSpaceAt(folder);
  return bytes < NOTHING_LEFT_BYTES || inodes === 0 ? `nothing is left on the disk of ${folder}` : null;
}
