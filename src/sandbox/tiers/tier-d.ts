import { lchownSync, lstatSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { AssayError, messageOf } from '../../domain/errors.js';
import type { Isolation } from '../../domain/task/isolation.js';
import { namesIn } from '../host/disk-use.js';
import { causedByFiles } from '../sealing/seal-refused.js';
import type { Limits, RunRequest } from '../run.js';
import { limited } from '../process/shell.js';
import { supervise } from '../supervision/supervise.js';
import { requireDevices } from './device-access.js';
import { programOnPath, TASKS_PER_PROCESS, type Hold, type Launch } from './launch.js';
import {
  answersJudged,
  attempted,
  cutShort,
  failed,
  questionScript,
  refusalOf,
  type Attempt,
  type Question,
} from './probing.js';
import { requireReach } from './reach.js';
import type { Probe, Tier } from './tier.js';
import { firstUid, isRunUid, releaseUid, takeUid } from './uids.js';
import { removeIpcObjects } from './ipc-cleanup.js';

const ISOLATION: Isolation = {
  tier: 'D',
  // by permissions: what all users of the host may read or write, a run may
  fs: 'advisory',
  net: 'none',
  // it sees the processes of others and cannot touch them
  pid: 'advisory',
  mem: 'advisory',
  pids: 'enforced',
  disk: 'advisory',
  cpu: 'advisory',
  gpu: 'none',
  secrets: 'enforced',
  channels: 'open',
};

/** A user of its own for each run, without any privilege; rlimits and a watchdog. No namespaces. */
class TierD implements Tier {
  readonly isolation = ISOLATION;
  readonly bubblewrap = null;

  constructor(readonly setpriv: string) {}

  /** Counted per user, and the user is the run's own. */
  threads(limits: Limits): number | null {
    return TASKS_PER_PROCESS * limits.processes;
  }

  async launch(request: RunRequest, shell: string): Promise<Launch> {
    const uid = takeUid();
    try {
      const before = request.readable.filter((path) => isRunUid(statSync(path).uid));
      for (const path of [...request.writable, ...before]) await handOver(path, uid);
      for (const path of [request.cwd, ...request.readable, ...request.writable]) requireReach(path, uid);
      requireDevices(request, uid, true);
    } catch (error) {
      releaseUid(uid);
      if (error instanceof AssayError) throw error;
      throw new AssayError('HOST_FAULT', `a run cannot be given its folders: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const args = [
      ...['--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--no-new-privs'],
      ...['--bounding-set', '-all', '--inh-caps', '-all', '--pdeathsig', 'KILL'],
      ...['--', '/bin/sh', '-c', shell],
    ];
    return {
      file: this.setpriv,
      args,
      cwd: request.cwd,
      inputs: [],
      reports: false,
      uid,
      hold: new UserHold(uid, request.writable),
    };
  }

  hold(launch: Launch): Launch {
    return launch;
  }
}

class UserHold implements Hold {
  readonly controlGroups = [];

  /** `given`: folders that were handed to the user and are not its litter. */
  constructor(
    readonly uid: number,
    readonly given: readonly string[],
  ) {}

  throttledMs(): number {
    return 0;
  }

  refused(): null {
    return null;
  }

  kill(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Removes what the user left outside its folders. */
  async end(): Promise<void> {
    await removeIpcObjects((uid) => uid === this.uid, this.given);
    releaseUid(this.uid);
  }
}

/** Files after which others get their turn: an earlier run may have left very many. */
const SLICE = 1000;

/**
 * Gives a folder and all in it to a user; links are not followed. What an earlier run left such that it cannot be
 * named (nested too deeply, no UTF-8) stays as it is.
 */
async function handOver(path: string, uid: number): Promise<void> {
  const open = [path];
  let given = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    given += 1;
    if (given % SLICE === 0) await setImmediate();
    try {
      const stat = lstatSync(next);
      if (stat.uid !== uid || stat.gid !== uid) lchownSync(next, uid, uid);
      if (stat.isDirectory()) for (const name of namesIn(next)) open.push(join(next, name));
    } catch (error) {
      if (next === path || !causedByFiles(error)) throw error;
    }
  }
}

let held: Promise<Attempt> | null = null;

/** Finds out whether an own user holds here and comes to the folders that runs will need. */
export async function probeTierD(needed: readonly string[]): Promise<Probe> {
  if (process.platform !== 'linux')
    return { tier: null, why: 'setpriv needs Linux', remedy: 'Run the worker on Linux.' };
  if (process.getuid?.() !== 0)
    return {
      tier: null,
      why: 'the worker is not root',
      remedy: 'Run the worker as root, or install bubblewrap.',
    };
  const setpriv = programOnPath('setpriv');
  if (setpriv === null)
    return {
      tier: null,
      why: 'setpriv is not on PATH',
      remedy: 'Install the package util-linux of your distribution.',
    };
  const remedy = 'Set ASSAY_HOME, ASSAY_CACHE and ASSAY_PYTHON to places that all users may read.';
  const tier = new TierD(setpriv);
  const found = await reachesAll(needed, () => (held ??= attempted(() => tryOut(tier)))).catch(refusalOf);
  if (found.kind === 'holds') return { tier, why: null };
  if (found.kind === 'lacks') return { tier: null, why: found.why, remedy };
  held = null;
  return {
    tier: null,
    why: `a user of its own could not be tried: ${found.why}`,
    remedy: 'Give this host what it lacks (memory, processes, room in its temporary folder), and try again.',
    failed: true,
  };
}

/** Probes no user that could not come to its folders anyway. */
async function reachesAll(needed: readonly string[], probe: () => Promise<Attempt>): Promise<Attempt> {
  for (const path of needed) requireReach(path, firstUid(process.pid));
  return probe();
}

const FORKS = 8;

/** Runs a process that tries what a user of its own must not be able to do. */
async function tryOut(tier: TierD): Promise<Attempt> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-probe-'));
  try {
    await chmod(folder, 0o711);
    const [own, secret] = [join(folder, 'own'), join(folder, 'secret')];
    await mkdir(own);
    await writeFile(secret, 'secret', { mode: 0o600 });
    const questions: Question[] = [
      ['write', `: > '${own}/file'`, 'yes'],
      ['secret', `read x < '${secret}'`, 'no'],
      ['plant', `: > '${folder}/planted'`, 'no'],
      ['environment', `cat /proc/${process.pid}/environ`, 'no'],
      ['kill', `kill -0 ${process.pid}`, 'no'],
      ['root', `[ "$(id -u)" = 0 ]`, 'no'],
      ['forks', `i=0; while [ $i -lt ${4 * FORKS} ]; do sleep 20 & i=$((i+1)); done`, 'no'],
    ];
    const command = questionScript(questions);
    const limits = { wallS: 10, memoryBytes: 2 ** 28, diskBytes: 2 ** 20, logBytes: 4096, processes: 1000 };
    const request: RunRequest = {
      id: `probe-${process.pid}-D`,
      command,
      cwd: own,
      writable: [own],
      readable: [],
      env: { PATH: '/usr/bin:/bin' },
      limits,
      signal: new AbortController().signal,
    };
    const launch = await tier.launch(request, limited(command, limits, 'joined', FORKS));
    const run = supervise({ launch, request, isolation: ISOLATION, log: 'stdout', extra: 0 });
    const { ending, log } = await run.done;
    const cut = cutShort(ending, log);
    return cut === null ? answersJudged(questions, log, ending) : failed(cut);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
