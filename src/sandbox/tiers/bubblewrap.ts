import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Isolation } from '../../domain/task/isolation.js';
import { kernelCovers } from './kernel-view.js';
import { stageFolder } from '../private-root/own-folders.js';
import { CACHE_PATH, type Limits, type RunRequest } from '../run.js';
import { supervise } from '../supervision/supervise.js';
import { systemCallFilter } from './system-call-filter.js';
import { staged, stagedDevices, stagedNodes } from './stage.js';
import { mountedForDevices, nodesOf, requireDevices } from './device-access.js';
import { programOnPath, TASKS_PER_PROCESS, type Launch } from './launch.js';
import {
  answersJudged,
  attempted,
  cutShort,
  failed,
  questionScript,
  refusalOf,
  type Attempt,
  type Lacking,
  type Question,
} from './probing.js';

/** Isolation that bubblewrap provides by itself. */
export const TIER_C: Isolation = {
  tier: 'C',
  fs: 'enforced',
  net: 'enforced',
  pid: 'enforced',
  // by a watchdog that sees every process of the namespace, but only some times a second
  mem: 'advisory',
  pids: 'advisory',
  disk: 'advisory',
  cpu: 'advisory',
  // no device node is visible but those that a run is given
  gpu: 'enforced',
  secrets: 'enforced',
  channels: 'open',
};

/** Unprivileged inside; the user that Debian, Fedora and macOS call nobody. */
const NOBODY = 65_534;
const PASSWD = `nobody:x:${NOBODY}:${NOBODY}:nobody:/tmp:/bin/sh\n`;
const GROUP = `nogroup:x:${NOBODY}:\n`;
const HOST_NAME = 'assay';
/** Without these lines a program that looks its own host up waits for a name server that does not answer. */
const HOSTS = ['127.0.0.1', '::1'].map((address) => `${address} localhost ${HOST_NAME}\n`).join('');
/** Parts of /etc that the loader and the links of alternatives need. */
const ETC = ['/etc/ld.so.cache', '/etc/alternatives'];
const TOP = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Own namespaces of files, network, processes, users and IPC, in which only declared paths are visible. */
export class Bubblewrap {
  constructor(
    readonly bwrap: string,
    /** Options that not every version of bubblewrap has. */
    readonly extra: readonly string[],
    /** An empty folder over which root prepares what a sandbox must not share with the host; null where it may not. */
    readonly stage: string | null = null,
  ) {}

  /** Counted per namespace since Linux 5.14; it never binds what root started. */
  threads(limits: Limits): number | null {
    const [major = 0, minor = 0] = release().split('.').map(Number);
    const binds = process.getuid?.() !== 0 && (major > 5 || (major === 5 && minor >= 14));
    return binds ? TASKS_PER_PROCESS * limits.processes : null;
  }

  launch(request: RunRequest, shell: string, root: Root = HOST_ROOT): Launch {
    requireDevices(request, root.uid, false);
    const { memoryBytes, sharedBytes, cpus = availableParallelism() } = request.limits;
    // files in memory are in no process's resident pages, so their size is limited separately
    const room = String(Math.max(1024 * 1024, Math.floor(memoryBytes / 4)));
    const shared = String(sharedBytes ?? room);
    const inputs: (string | Uint8Array)[] = [];
    const input = (content: string | Uint8Array): string => String(FIRST_INPUT - 1 + inputs.push(content));
    const filter = systemCallFilter({ inet: root.inet });
    const shown = { memoryBytes, cpus: Math.max(1, Math.ceil(cpus)) };
    const covers = kernelCovers(shown);
    const covered = covers.flatMap(({ path, content }) =>
      content === null ? ['--size', '4096', '--tmpfs', path] : ['--ro-bind-data', input(content), path],
    );
    // after what an accelerator's driver reads below them is there
    const sealed = covers.flatMap(({ path, content }) => (content === null ? ['--remount-ro', path] : []));
    const stage = root === HOST_ROOT ? this.stage : null;
    const from = stage === null ? root : stagedRoot(stage, request);
    const args = [
      ...['--unshare-all', '--unshare-user', ...this.extra, '--die-with-parent', '--new-session'],
      ...['--uid', String(NOBODY), '--gid', String(NOBODY), '--hostname', HOST_NAME, '--json-status-fd', '3'],
      ...(filter === null ? [] : ['--seccomp', input(filter)]),
      ...root.system,
      ...['--ro-bind-data', input(PASSWD), '/etc/passwd', '--ro-bind-data', input(GROUP), '/etc/group'],
      ...['--ro-bind-data', input(HOSTS), '/etc/hosts'],
      ...['--proc', '/proc', ...covered, '--dev', '/dev', ...from.devices],
      // terminals are counted for the whole machine
      ...['--size', '4096', '--tmpfs', '/dev/pts', '--remount-ro', '/dev/pts'],
      ...['--size', shared, '--tmpfs', '/dev/shm', '--size', room, '--tmpfs', '/tmp'],
      ...visible(request, from, room),
      ...sealed,
      // read-only /proc: without it a sandbox started by root writes the host's kernel.core_pattern
      ...['--remount-ro', '/proc', '--remount-ro', '/dev', '--remount-ro', '/'],
      ...['--chdir', request.cwd, '--', '/bin/sh', '-c', shell],
    ];
    const launch: Launch = { file: this.bwrap, args, cwd: '/', inputs, reports: true, uid: null, hold: null };
    return stage === null ? launch : { ...launch, ...staged(stage, nodesOf(request), launch) };
  }
}

/** The first descriptor that a launch's inputs are read from. */
const FIRST_INPUT = 4;

/** Source of a sandbox's programs. */
export interface Root {
  /** Options that make the system's folders visible. */
  system: readonly string[];
  /** Read-only folders and files besides those of the request, with where they lie outside. */
  folders: readonly { path: string; source: string }[];
  /** Options that put device nodes on those of the host. */
  devices: readonly string[];
  /** Returns the place of a readable path outside the sandbox. */
  source(path: string): string;
  /** Place of writable folders: on the host, or in memory, where they are gone afterwards. */
  writes: 'host' | 'memory';
  /** Place of a copy in memory of the run's cache; left out where it has none, or writes into the folder itself. */
  cache?: string;
  /** True when sockets other than unix ones may be made. */
  inet: boolean;
  /** The run's user outside, when it has one of its own; null for the worker's. */
  uid: number | null;
}

/** The host's own programs, read-only. */
const HOST_ROOT: Root = {
  get system() {
    const etc = ETC.flatMap((path) => ['--ro-bind-try', path, path]);
    return ['--ro-bind', '/usr', '/usr', ...TOP.flatMap(systemFolder), ...etc];
  },
  folders: [],
  devices: [],
  source: (path) => path,
  writes: 'host',
  inet: true,
  uid: null,
};

/** The host's own programs, with device nodes of the sandbox's own, which root prepares on a stage. */
function stagedRoot(stage: string, request: RunRequest): Root {
  const places = stagedNodes(stage, nodesOf(request));
  return {
    ...HOST_ROOT,
    devices: stagedDevices(stage),
    source: (path) => places.get(path) ?? path,
  };
}

/** /bin and its like are links to /usr on merged systems and folders on others. */
function systemFolder(path: string): string[] {
  if (!existsSync(path)) return [];
  return lstatSync(path).isSymbolicLink()
    ? ['--symlink', readlinkSync(path), path]
    : ['--ro-bind', path, path];
}

/** Outer folders first, so that a folder within another is mounted on top of it. */
function visible(request: RunRequest, root: Root, room: string): string[] {
  const mounts = [
    ...root.folders.map(({ path, source }) => ({ path, options: ['--ro-bind', source, path] })),
    ...request.readable.map((path) => ({ path, options: ['--ro-bind', root.source(path), path] })),
    ...request.writable
      .filter((path) => path !== request.cache?.folder)
      .map((path) => ({
        path,
        options: root.writes === 'host' ? ['--bind', path, path] : ['--size', room, '--tmpfs', path],
      })),
  ];
  if (request.cache !== undefined)
    mounts.push({
      path: CACHE_PATH,
      options: ['--bind', root.cache ?? request.cache.folder, CACHE_PATH],
    });
  for (const path of nodesOf(request))
    mounts.push({ path, options: ['--dev-bind', root.source(path), path] });
  for (const path of mountedForDevices(request))
    mounts.push({ path, options: ['--ro-bind-try', root.source(path), path] });
  mounts.sort((a, b) => a.path.length - b.path.length);
  return mounts.flatMap(({ options }) => options);
}

/** Result of looking for bubblewrap. */
export type Found = { bubblewrap: Bubblewrap } | Omit<Lacking, 'tier'>;

let found: Promise<Found> | null = null;

/**
 * Finds out whether bubblewrap holds here, by running it against what it must cut; once per process, unless it could
 * not be found out.
 */
export async function findBubblewrap(): Promise<Found> {
  const known = await (found ??= find());
  if ('failed' in known && known.failed) found = null;
  return known;
}

/** Options that not every version of bubblewrap has, the more first. */
const VARIANTS = [['--disable-userns'], []] as const;

async function find(): Promise<Found> {
  if (process.platform !== 'linux')
    return {
      why: 'bubblewrap needs Linux',
      remedy: 'Run the worker on Linux, or in a Linux virtual machine.',
    };
  const bwrap = programOnPath('bwrap');
  if (bwrap === null)
    return { why: 'bwrap is not on PATH', remedy: 'Install the package bubblewrap of your distribution.' };
  let why = '';
  const stage = process.getuid?.() === 0 ? await stageFolder().catch(refusalOf) : null;
  if (stage !== null && typeof stage !== 'string' && stage.kind === 'failed') return untried(stage.why);
  const stages = typeof stage === 'string' ? [stage, null] : [null];
  for (const [extra, at] of VARIANTS.flatMap((one) => stages.map((folder) => [one, folder] as const))) {
    const bubblewrap = new Bubblewrap(bwrap, extra, at);
    const result = await attempted(() => tryOut(bubblewrap));
    if (result.kind === 'holds') return { bubblewrap };
    // another variant would be a weaker one
    if (result.kind === 'failed') return untried(result.why);
    why ||= result.why;
  }
  const remedy =
    'Allow user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for bwrap).';
  return { why, remedy };
}

const untried = (why: string): Found => ({
  why: `bwrap could not be tried: ${why}`,
  remedy: 'Give this host what it lacks (memory, processes, room in its temporary folder), and try again.',
  failed: true,
});

/** Runs a process that reports what it can see and do. */
async function tryOut(bubblewrap: Bubblewrap): Promise<Attempt> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-probe-'));
  const shown = join(folder, 'shown');
  try {
    await writeFile(join(folder, 'secret'), 'secret');
    await writeFile(shown, 'shown');
    const questions: Question[] = [
      ['secret', `[ -e '${folder}/secret' ] || (: >> '${shown}')`, 'no'],
      // every interface but lo must be gone
      ['net', `grep -v -e '^ *lo:' -e '|' /proc/net/dev`, 'no'],
      ['pids', `[ -d /proc/${process.pid} ] && [ ${process.pid} -gt 50 ]`, 'no'],
      ['proc', ': >> /proc/sys/kernel/core_pattern', 'no'],
    ];
    const limits = { wallS: 10, memoryBytes: 2 ** 28, diskBytes: 0, logBytes: 4096, processes: 8 };
    const request: RunRequest = {
      id: `probe-${process.pid}`,
      command: '',
      cwd: '/',
      writable: [],
      readable: [shown],
      env: { PATH: '/usr/bin:/bin' },
      limits,
      signal: new AbortController().signal,
    };
    // the words of a shell that cannot go on belong to the log
    const launch = bubblewrap.launch(request, `exec 2>&1\n${questionScript(questions)}`);
    const { ending, log } = await supervise({
      launch,
      request,
      isolation: TIER_C,
      log: 'stdout',
      extra: 0,
    }).done;
    const cut = cutShort(ending, log);
    return cut === null ? answersJudged(questions, log, ending) : failed(cut);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
