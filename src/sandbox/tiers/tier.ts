import type { Isolation } from '../../domain/task/isolation.js';
import type { Limits, RunRequest } from '../run.js';
import type { Bubblewrap } from './bubblewrap.js';
import type { Launch } from './launch.js';
import type { Lacking } from './probing.js';

/** One way of holding a hostile program. A file for each. */
export interface Tier {
  readonly isolation: Isolation;
  /** Separates its runs from the host's files; null where nothing does. */
  readonly bubblewrap: Bubblewrap | null;
  /** The rlimit on processes and threads; null where it does not bind or would count the user's other processes. */
  threads(limits: Limits): number | null;
  /**
   * `shell` is the complete script for `sh -c`, rlimits included.
   * @throws AssayError HOST_FAULT when this host cannot hold the run
   */
  launch(request: RunRequest, shell: string): Launch | Promise<Launch>;
  /** A launch that was made otherwise, held as this tier holds its own. */
  hold(launch: Launch, limits: Limits): Launch;
}

/** Result of probing a tier on this host. */
export type Probe = { tier: Tier; why: null } | Lacking;
