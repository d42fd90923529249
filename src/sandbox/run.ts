import type { Readable, Writable } from 'node:stream';
import type { DeviceAccess } from '../domain/devices/device.js';
import type { DeviceUse } from '../domain/devices/device-use.js';
import type { Isolation } from '../domain/task/isolation.js';

/** Limits of a run. */
export interface Limits {
  /** Seconds by the harness's monotonic clock. */
  wallS: number;
  /**
   * Bytes that all processes hold together, with files in memory: pages that they share are counted once, and pages of
   * files that the system can drop not at all.
   */
  memoryBytes: number;
  /** Bytes that the writable folders may hold together, with what was in them before. */
  diskBytes: number;
  /** Bytes of log that are kept; a run that prints 64 times as much is ended. */
  logBytes: number;
  /** Processes alive at the same time. */
  processes: number;
  /** Processors that its processes may use together, bounded where the tier can; all of the host's where left out. */
  cpus?: number;
  /** Bytes that files in /dev/shm may have, where it is the run's own; a quarter of the memory where left out. */
  sharedBytes?: number;
}

/** Files of the host that a program needs besides the system's basic programs and its own. */
export interface Runtime {
  /** Files and folders, whole, with the libraries that they load. */
  paths: readonly string[];
  /** Folders that a Python imports from, without what no program at work imports. */
  library?: readonly string[];
  /** Folders that hold all of it: these are made visible where the run cannot have a root of its own. */
  folders: readonly string[];
}

/** Path of a private cache where a run has a root of its own: the same for all runs, as what is cached may name it. */
export const CACHE_PATH = '/cache';

/** A folder on the host, and the bytes that it holds. */
export interface CacheFolder {
  folder: string;
  bytes: number;
}

/** A program of the recipe to run under limits. Paths are equal inside and outside in every tier. */
export interface RunRequest {
  /** Unique; handed to the processes as ASSAY_RUN, so that stray processes can be found. */
  id: string;
  /** For `sh -c`. */
  command: string;
  cwd: string;
  /** Host folders that the run may write. */
  writable: string[];
  /** Host folders or files that the run may read, besides the system's own programs and libraries. */
  readable: string[];
  /**
   * Set for a run that will see what others must not learn: it gets a root of its own with this in it, where the tier
   * can, and shares no file, device node or user with any other run. Its writable folders are then in memory.
   */
  runtime?: Runtime;
  /** The whole environment of the run; nothing of the harness's own is added but ASSAY_RUN and CUDA_VISIBLE_DEVICES. */
  env: Record<string, string>;
  limits: Limits;
  /**
   * A private cache, named in ASSAY_CACHE: a writable folder that is at CACHE_PATH in every tier in which a run has a
   * root of its own. A run with `runtime` writes into a copy of it in memory.
   */
  cache?: CacheFolder;
  /** Accelerators that it may use; none where left out. */
  devices?: DeviceAccess;
  /**
   * The variable in which the run finds when its wall time began: seconds of the host's monotonic clock, which every
   * process reads alike (time.monotonic() of Python).
   */
  startVariable?: string;
  /** Words that it may say, each once and in this order; none where left out. */
  signals?: readonly Signal[];
  /** Seconds until it has to have said `ready`, from when its wall time counts; left out, that counts from its start. */
  warmupS?: number;
  /** Called when it has said `ready`, as its wall time begins to count. */
  onReady?: () => void;
  /** Aborting ends the run with kind `cancelled`. */
  signal: AbortSignal;
  /** Called a few times a second while the run prints. */
  onOutput?: (bytesSoFar: number, lastLine: string) => void;
}

/**
 * Something that a run says by a line on the descriptor of ASSAY_SIGNAL_FD. It is answered by the line `go` on that of
 * ASSAY_GO_FD.
 */
export interface Signal {
  word: 'ready' | 'trained';
  /** Makes visible what the run waits for, before it is answered. Rejects with a fault of the host. */
  show: () => Promise<void>;
}

/** Units of what is limited. */
export const LIMIT_UNITS = {
  wall: 's',
  warmup: 's',
  memory: 'bytes',
  disk: 'bytes',
  output: 'bytes',
  processes: 'processes',
} as const;
export type LimitName = keyof typeof LIMIT_UNITS;

/** Ending of a run. `used` and `allowed` are seconds (wall, warmup), bytes (memory, disk, output) or a count. */
export type Ending =
  | { kind: 'exited'; code: number }
  | { kind: 'signalled'; signal: string }
  | { kind: 'limit'; limit: LimitName; used: number; allowed: number }
  | { kind: 'cancelled' }
  /** It changed something outside its workspace, which was found afterwards. */
  | { kind: 'tampered'; what: string };

/** A run that is over; every process of it is dead. */
export interface RunResult {
  ending: Ending;
  startedAt: Date;
  /** Milliseconds of its wall time to the exit of the first process, by the monotonic clock. */
  wallMs: number;
  /** Milliseconds from its start until it was ready; left out where it never was, or did not warm up. */
  warmupMs?: number;
  /** Milliseconds from when it said `trained` to its exit; left out where it never did. */
  revealMs?: number;
  /** Words that it said, in their order; left out for a run that may say none. */
  said?: readonly Signal['word'][];
  /** The first line in place of a word that was none, or came before its turn; left out where there was none. */
  stray?: string;
  /**
   * The part of their runnable time in which the run's processes had a core, 0 … 1; null where the system does not
   * tell, or hardly anything ran.
   */
  hostSpeed: number | null;
  /** Seconds of a processor that its processes were seen to use; null where the system does not tell. */
  cpuS: number | null;
  /** Runnable processes for each processor of the host, averaged over the minute before its end. */
  load: number;
  /** The largest sum that the watchdog saw; 0 when the run was over before its first look. */
  peakRssBytes: number;
  /** Head and tail of what was printed, control characters made visible, with a line saying what was cut. */
  log: string;
  /** Bytes that were printed in all. */
  logBytes: number;
  isolation: Isolation;
  /** Observations of its accelerators; left out for a run without any. */
  deviceUse?: readonly DeviceUse[];
}

/** A running server of the recipe: stdin and stdout are the protocol's, stderr is the log. */
export interface Served {
  stdin: Writable;
  stdout: Readable;
  /** Settles when every process is dead; rejects only when the sandbox itself failed (HOST_FAULT). */
  done: Promise<RunResult>;
  /** Ends the server (kind `cancelled`) and waits for its death. */
  kill(): Promise<void>;
}

/** A place where hostile programs run. */
export interface Sandbox {
  /** Isolation that really holds here. */
  readonly isolation: Isolation;
  /** Runs to the end; rejects only when the sandbox itself failed (HOST_FAULT). */
  run(request: RunRequest): Promise<RunResult>;
  serve(request: RunRequest): Promise<Served>;
}
