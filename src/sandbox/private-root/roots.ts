import { once } from 'node:events';
import { messageOf } from '../../domain/errors.js';
import type { Isolation } from '../../domain/task/isolation.js';
import { TIER_C, type Bubblewrap } from '../tiers/bubblewrap.js';
import type { RunRequest, Runtime } from '../run.js';
import { supervise } from '../supervision/supervise.js';
import { systemCallFilter } from '../tiers/system-call-filter.js';
import type { Hold, Launch } from '../tiers/launch.js';
import { releaseUid, takeUid } from '../tiers/uids.js';
import { canMake, copyInto, imageOf, type ImageFormat } from './image.js';
import { detachLingering, memoryFor, ownName, stageFolder } from './own-folders.js';
import { cacheBytes, copiedLaunch, mountedLaunch, type PreparedRoot } from './launcher.js';
import { runtimeTree, type RuntimeTree } from './runtime-tree.js';

/** The most that is copied into the memory of each sandbox where an image cannot be mounted, in bytes. */
export const LARGEST_COPY = 512 * 1024 * 1024;

/** After which a way that did not work is tried again, in milliseconds. */
const RETRY_MS = 5 * 60_000;

/** Characters of a program's complaint that are kept. */
const LONGEST_FAULT = 300;

/** A launch, and what it says of channels. */
export interface PrivateLaunch {
  launch: Launch;
  /** Memory that the root itself takes where it is a copy; it is not the run's to pay for. */
  rootBytes: number;
  channels: Isolation['channels'];
}

type Way = (root: PreparedRoot, request: RunRequest, shell: string) => PrivateLaunch;

/** A way of giving roots that works here, with one root for it. */
interface Opened {
  root: PreparedRoot;
  way: Way;
  channels: Isolation['channels'];
  /** Reasons why stronger ways do not work; empty where there are none. */
  lacking: string;
}

/** A reason, in words, why no root can be made. */
export type NoRoot = { why: string };

/** True where the kernel's own answers can be filtered; elsewhere a root closes nothing for certain. */
const FILTERS = systemCallFilter({ inet: false }) !== null;
const CLOSED: Isolation['channels'] = FILTERS ? 'closed' : 'open';
const BOUNDED: Isolation['channels'] = FILTERS ? 'bounded' : 'open';

/** Isolation of the probe's own run; it is not recorded. */
const PROBED: Isolation = { ...TIER_C, channels: 'closed' };

/** Gives every server a root of its own, in the strongest way that works on this host. */
export class PrivateRoots {
  readonly #opened = new Map<string, { opening: Promise<Opened | NoRoot>; until: number }>();
  readonly #images = new Map<string, Promise<PreparedRoot>>();
  #stage: Promise<string> | null = null;

  constructor(
    readonly bubblewrap: Bubblewrap,
    /** Folder in which images are kept between workers. */
    readonly cache: string,
    /** True when the worker is root and may be able to mount. */
    readonly mounts = process.getuid?.() === 0,
  ) {}

  /** Launches a request in a root with what it needs; returns the reason where no root can be made. */
  async launch(request: RunRequest & { runtime: Runtime }, shell: string): Promise<PrivateLaunch | NoRoot> {
    // others still wait for it
    const opened = await unlessAborted(this.#openedFor(request.runtime), request.signal);
    return 'why' in opened ? opened : opened.way(opened.root, request, shell);
  }

  /**
   * Reports how closed the channels of a server would be, and what prevents more; null where nothing is missing.
   */
  async survey(runtime: Runtime): Promise<{ channels: Isolation['channels']; why: string | null }> {
    const opened = await this.#openedFor(runtime);
    return 'why' in opened
      ? { channels: 'open', why: opened.why }
      : { channels: opened.channels, why: opened.channels === 'closed' ? null : opened.lacking };
  }

  /** Opens a root, and retries a failed one after a while: a disk may have been full. */
  async #openedFor(runtime: Runtime): Promise<Opened | NoRoot> {
    const key = JSON.stringify([runtime.paths, runtime.library]);
    const known = this.#opened.get(key);
    if (known !== undefined && performance.now() < known.until) return known.opening;
    const opening = this.#open(runtime);
    const entry = { opening, until: Infinity };
    this.#opened.set(key, entry);
    const opened = await opening;
    if ('why' in opened) entry.until = performance.now() + RETRY_MS;
    return opened;
  }

  async #open(runtime: Runtime): Promise<Opened | NoRoot> {
    const tree = await runtimeTree(runtime);
    const faults: string[] = [];
    if (!this.mounts) faults.push('images: only root may mount them');
    for (const { format, way, channels } of this.#ways()) {
      try {
        const root = await this.#prepared(tree, format);
        const fault = await this.#fault(root, way);
        if (fault === null) return { root, way, channels, lacking: faults.join('; ') };
        faults.push(`${format}: ${fault}`);
      } catch (error) {
        faults.push(`${format}: ${messageOf(error).slice(0, LONGEST_FAULT)}`);
      }
    }
    return { why: faults.join('; ') };
  }

  #ways(): { format: ImageFormat; way: Way; channels: Isolation['channels'] }[] {
    const mounted: Way = (root, request, shell) => {
      const uid = takeUid();
      try {
        const launch = mountedLaunch(this.bubblewrap, root, { request, shell, uid });
        const rootBytes = copiedBytes(root) + cacheBytes(request);
        return { launch: { ...launch, hold: userHold(uid) }, rootBytes, channels: CLOSED };
      } catch (error) {
        releaseUid(uid);
        throw error;
      }
    };
    const copied: Way = (root, request, shell) => ({
      launch: copiedLaunch(this.bubblewrap, root, { request, shell }),
      rootBytes: copiedBytes(root) + cacheBytes(request),
      channels: BOUNDED,
    });
    const formats = this.mounts ? (['erofs', 'squashfs', 'tar'] as const) : [];
    return [
      ...formats.filter(canMake).map((format) => ({ format, way: mounted, channels: CLOSED })),
      { format: 'tar', way: copied, channels: BOUNDED },
    ];
  }

  /** Once for equal roots: the file of one may be mounted while another is prepared. */
  #prepared(tree: RuntimeTree, format: ImageFormat): Promise<PreparedRoot> {
    const key = `${tree.digest}.${format}`;
    const preparing = this.#images.get(key) ?? this.#prepare(tree, format);
    this.#images.set(key, preparing);
    preparing.catch(() => this.#images.delete(key));
    return preparing;
  }

  async #prepare(tree: RuntimeTree, format: ImageFormat): Promise<PreparedRoot> {
    if (format === 'tar' && tree.bytes > LARGEST_COPY)
      throw new Error(
        `${tree.bytes} bytes are more than the ${LARGEST_COPY} that are copied for each server`,
      );
    const image = await imageOf(tree, format, this.cache);
    const stage = await (this.#stage ??= stageFolder());
    if (format === 'tar') return { tree, image, direct: false, stage };
    const memory = await memoryFor(image.bytes);
    if (memory !== null) return { tree, image: await copyInto(image, memory), direct: false, stage };
    // a unique name, so that a loop device of a dead worker can be recognised
    const file = await ownName(image.file);
    return { tree, image: { ...image, file }, direct: true, stage };
  }

  /** Finds the fault of a root by starting a shell in it. */
  async #fault(root: PreparedRoot, way: Way): Promise<string | null> {
    const request: RunRequest = {
      id: `root-${process.pid}-${root.tree.digest.slice(0, 8)}`,
      command: '',
      cwd: '/',
      writable: [],
      readable: [],
      env: { PATH: '/usr/bin:/bin' },
      limits: {
        wallS: 120,
        memoryBytes: 2 ** 30 + 2 * LARGEST_COPY,
        diskBytes: 0,
        logBytes: 4096,
        processes: 8,
      },
      signal: new AbortController().signal,
    };
    const { launch } = way(root, request, 'echo begun > /dev/null && echo begun');
    const isolation = PROBED;
    const { ending, log } = await supervise({ launch, request, isolation, log: 'stdout', extra: 0 }).done;
    const well = ending.kind === 'exited' && ending.code === 0 && log === 'begun\n';
    return well ? null : `a probe ended with ${JSON.stringify(ending)}: ${log.trim().slice(-LONGEST_FAULT)}`;
  }
}

/** Twice the files, since each takes whole pages. */
const copiedBytes = ({ tree, image }: PreparedRoot): number => (image.format === 'tar' ? 2 * tree.bytes : 0);

/** The user of a run, which the next may have once its namespaces are gone with all that it had in them. */
const userHold = (uid: number): Hold => ({
  controlGroups: [],
  throttledMs: () => 0,
  refused: () => null,
  kill: () => Promise.resolve(false),
  end: async () => {
    releaseUid(uid);
    await detachLingering().catch(() => undefined);
  },
});

/** Rejects with the signal's reason when that comes first. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const settled = new AbortController();
  const aborted = once(signal, 'abort', { signal: settled.signal }).then(() => signal.throwIfAborted());
  aborted.catch(() => undefined);
  try {
    return await Promise.race([work, aborted.then(() => work)]);
  } finally {
    settled.abort();
  }
}
