import { messageOf } from '../../domain/errors.js';
import type { Isolation } from '../../domain/isolation.js';
import { TIER_C, type Bubblewrap } from '../bubblewrap.js';
import type { RunRequest, Runtime } from '../run.js';
import { supervise } from '../supervise.js';
import type { Hold, Launch } from '../tier.js';
import { releaseUid, takeUid } from '../uids.js';
import { canMake, copyInto, imageOf, type ImageFormat } from './image.js';
import { memoryFor, ownName, stageFolder } from './own-folders.js';
import { copiedLaunch, mountedLaunch, type PreparedRoot } from './launcher.js';
import { runtimeTree, type RuntimeTree } from './runtime-tree.js';

/** The most that is copied into the memory of each sandbox where an image cannot be mounted, in bytes. */
export const LARGEST_COPY = 512 * 1024 * 1024;

/** Characters of a program's complaint that are kept. */
const LONGEST_FAULT = 300;

/** A launch, and what it says of channels. */
export interface PrivateLaunch {
  launch: Launch;
  channels: Isolation['channels'];
}

type Way = (root: PreparedRoot, request: RunRequest, shell: string) => PrivateLaunch;

/** A way of giving roots that works here, with one root for it. */
interface Opened {
  root: PreparedRoot;
  way: Way;
}

/** Why no root can be had, in words. */
export type NoRoot = { why: string };

/** Of the probe's own run; it is not recorded. */
const PROBED: Isolation = { ...TIER_C, channels: 'closed' };

/** Gives every server a root of its own, in the strongest way that works on this host. */
export class PrivateRoots {
  readonly #opened = new Map<string, Promise<Opened | NoRoot>>();
  #stage: Promise<string> | null = null;

  constructor(
    readonly bubblewrap: Bubblewrap,
    /** Where images are kept between workers. */
    readonly cache: string,
  ) {}

  /** The launch of a request in a root with what it needs; where none can be had, why. */
  async launch(request: RunRequest & { runtime: Runtime }, shell: string): Promise<PrivateLaunch | NoRoot> {
    const key = JSON.stringify(request.runtime.paths);
    const opening = this.#opened.get(key) ?? this.#open(request.runtime);
    this.#opened.set(key, opening);
    const opened = await opening;
    return 'why' in opened ? opened : opened.way(opened.root, request, shell);
  }

  async #open(runtime: Runtime): Promise<Opened | NoRoot> {
    const tree = await runtimeTree(runtime);
    const faults: string[] = [];
    for (const { format, way } of this.#ways()) {
      try {
        const root = await this.#prepared(tree, format);
        const fault = await this.#fault(root, way);
        if (fault === null) return { root, way };
        faults.push(`${format}: ${fault}`);
      } catch (error) {
        faults.push(`${format}: ${messageOf(error).slice(0, LONGEST_FAULT)}`);
      }
    }
    return { why: faults.join('; ') };
  }

  #ways(): { format: ImageFormat; way: Way }[] {
    const mounted: Way = (root, request, shell) => {
      const uid = takeUid();
      const launch = mountedLaunch(this.bubblewrap, root, { request, shell, uid });
      return { launch: { ...launch, hold: userHold(uid) }, channels: 'closed' };
    };
    const copied: Way = (root, request, shell) => ({
      launch: copiedLaunch(this.bubblewrap, root, { request, shell }),
      channels: 'bounded',
    });
    const formats = process.getuid?.() === 0 ? (['erofs', 'squashfs', 'tar'] as const) : [];
    return [
      ...formats.filter(canMake).map((format) => ({ format, way: mounted })),
      { format: 'tar', way: copied },
    ];
  }

  async #prepared(tree: RuntimeTree, format: ImageFormat): Promise<PreparedRoot> {
    if (format === 'tar' && tree.bytes > LARGEST_COPY)
      throw new Error(
        `${tree.bytes} bytes are more than the ${LARGEST_COPY} that are copied for each server`,
      );
    const image = await imageOf(tree, format, this.cache);
    const stage = await (this.#stage ??= stageFolder());
    if (format === 'tar') return { tree, image, direct: false, stage };
    const memory = await memoryFor(image.bytes);
    if (memory !== null) return { tree, image: await copyInto(image, memory), direct: false, stage };
    // a name of its own, by which a loop device of a dead worker is known
    const file = await ownName(image.file);
    return { tree, image: { ...image, file }, direct: true, stage };
  }

  /** What is wrong with a root, found by starting a shell in it. */
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

/** The user of a run, which the next may have once its namespaces are gone with all that it had in them. */
const userHold = (uid: number): Hold => ({
  refused: () => null,
  kill: () => Promise.resolve(false),
  end: () => {
    releaseUid(uid);
    return Promise.resolve();
  },
});
