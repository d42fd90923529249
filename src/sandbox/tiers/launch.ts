import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Ending } from '../run.js';

/** Additional hold on a run while it lives, released when it is over. */
export interface Hold {
  /** Folders of control groups that hold the run's processes and no others. */
  readonly controlGroups: readonly string[];
  /** Milliseconds for which its processes wanted more processors than they may have, and were held back. */
  throttledMs(): number;
  /** The limit that the kernel has refused to let the run exceed, once it has; null until then. */
  refused(): Ending | null;
  /**
   * Kills what is left of the run where that can be done without searching the host; returns true when every process
   * of it is then dead for certain.
   */
  kill(): Promise<boolean>;
  /** Called when the run's known processes are dead: ends what is left of it and removes its traces. Never rejects. */
  end(): Promise<void>;
}

/** Program to start for a request: the tier's own wrapper around `sh -c`. */
export interface Launch {
  file: string;
  args: string[];
  cwd: string;
  /** Input of the wrapper, from descriptor 4 onwards. */
  inputs: (string | Uint8Array)[];
  /**
   * True when the wrapper reports on descriptor 3, as JSON lines, the pid of the namespace's first process and the
   * exit code; without the code the program was never started.
   */
  reports: boolean;
  /** Processes of the wrapper itself, which count towards no limit of the run; 2 where it reports and this is left out. */
  wrappers?: number;
  /** The user that only this run's processes have; null where they are the worker's. */
  uid: number | null;
  hold: Hold | null;
}

/** A program on PATH. */
export function programOnPath(
  name: string,
  folders: readonly string[] = (process.env['PATH'] ?? '').split(delimiter),
): string | null {
  return (
    folders
      .filter((folder) => isAbsolute(folder))
      .map((folder) => join(folder, name))
      .find((path) => existsSync(path)) ?? null
  );
}

/** Threads are counted as processes by the kernel, and a process of numeric code has many. */
export const TASKS_PER_PROCESS = 32;
