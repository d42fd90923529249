import type { Isolation } from '../domain/isolation.js';
import type { Limits, RunRequest } from './run.js';

/** What to start for a request: the tier's own wrapper around `sh -c`. */
export interface Launch {
  file: string;
  args: string[];
  cwd: string;
  /** Texts that the wrapper reads from descriptor 4 onwards. */
  inputs: string[];
  /**
   * Whether the wrapper reports on descriptor 3, as JSON lines, the pid of the namespace's first process and the
   * exit code; without the code the program was never started.
   */
  reports: boolean;
}

/** One way of holding a hostile program. A file for each. */
export interface Tier {
  readonly isolation: Isolation;
  /** The rlimit on processes and threads; null where it does not bind or would count the user's other processes. */
  threads(limits: Limits): number | null;
  /** `shell` is the complete script for `sh -c`, rlimits included. */
  launch(request: RunRequest, shell: string): Launch;
}
