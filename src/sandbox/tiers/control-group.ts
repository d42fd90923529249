import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError, messageOf } from '../../domain/errors.js';
import { callOnExit } from '../process/kill-on-exit.js';
import { killMembers } from '../process/kill-runs.js';
import type { Ending } from '../run.js';
import type { Hold } from './launch.js';

/**
 * Place where control groups can be made: below the worker's own, so that what bounds the worker bounds its runs.
 */
export interface GroupGround {
  version: 1 | 2;
  /** Folders in which to make a group; with version 2 both are the same. */
  memory: string;
  pids: string;
  /** Group that bounds processors; null where they cannot be bounded. */
  cpu: string | null;
}

export interface GroupLimits {
  memoryBytes: number;
  /** Processes and threads. */
  tasks: number;
  /** Processors' time together, in processors; null for all. */
  cpus: number | null;
}

/** Charged in batches, so that a full group may show a little less than its limit. */
const FULL = 0.98;
const ROUNDS = 150;
/** In which processor time is counted, in microseconds: the kernel's own default. */
const PERIOD_US = 100_000;
/** The least that the kernel takes as a quota, in microseconds. */
const LEAST_US = 1000;

/**
 * A control group for one run: what is started by `entering` is in it from its first moment, and none of its
 * processes can leave. The kernel refuses memory and tasks beyond the limits.
 */
export class ControlGroup implements Hold {
  readonly controlGroups: readonly string[];
  readonly #forget: () => void;

  /** @throws AssayError HOST_FAULT when the group cannot be made */
  constructor(
    readonly ground: GroupGround,
    readonly name: string,
    readonly limits: GroupLimits,
  ) {
    const parents = [ground.memory, ground.pids, ...(ground.cpu === null ? [] : [ground.cpu])];
    this.controlGroups = [...new Set(parents.map((parent) => join(parent, name)))];
    this.#forget = callOnExit(() => this.#endNow());
    try {
      for (const folder of this.controlGroups) mkdirSync(folder);
      this.#limit();
    } catch (error) {
      this.#endNow();
      this.#forget();
      throw new AssayError('HOST_FAULT', `a control group cannot be made: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #limit(): void {
    const { version } = this.ground;
    const { memoryBytes, tasks } = this.limits;
    const [memory] = this.controlGroups;
    const bytes = String(Math.min(memoryBytes, Number.MAX_SAFE_INTEGER));
    this.#write(this.#memory, version === 1 ? 'memory.limit_in_bytes' : 'memory.max', bytes);
    // where swap is not counted there is none, or it is the machine's to bound
    attempt(() =>
      version === 1
        ? this.#write(this.#memory, 'memory.memsw.limit_in_bytes', bytes)
        : this.#write(this.#memory, 'memory.swap.max', '0'),
    );
    if (version === 2) attempt(() => this.#write(memory ?? '', 'memory.oom.group', '1'));
    this.#write(this.#pids, 'pids.max', String(tasks));
    this.#limitCpu();
  }

  #limitCpu(): void {
    const { cpu, version } = this.ground;
    const { cpus } = this.limits;
    if (cpu === null || cpus === null) return;
    const quota = Math.max(LEAST_US, Math.round(cpus * PERIOD_US));
    const folder = join(cpu, this.name);
    if (version === 2) return this.#write(folder, 'cpu.max', `${quota} ${PERIOD_US}`);
    this.#write(folder, 'cpu.cfs_period_us', String(PERIOD_US));
    this.#write(folder, 'cpu.cfs_quota_us', String(quota));
  }

  throttledMs(): number {
    const { cpu, version } = this.ground;
    if (cpu === null) return 0;
    const file = join(cpu, this.name, 'cpu.stat');
    return version === 1 ? countIn(file, 'throttled_time') / 1e6 : countIn(file, 'throttled_usec') / 1e3;
  }

  get #memory(): string {
    return join(this.ground.memory, this.name);
  }

  get #pids(): string {
    return join(this.ground.pids, this.name);
  }

  #write(folder: string, file: string, text: string): void {
    writeFileSync(join(folder, file), text);
  }

  /** A command that enters the group and becomes the given one. */
  entering(argv: readonly string[]): { file: string; args: string[] } {
    const enter = this.controlGroups.map((_, index) => `echo $$ > "$${index + 1}" || exit 125`);
    const script = [...enter, `shift ${this.controlGroups.length}`, 'exec "$@"'].join('\n');
    // a task that moves itself alone need not wait for all others of the machine, as a process would
    const list = this.ground.version === 1 ? 'tasks' : 'cgroup.procs';
    const files = this.controlGroups.map((folder) => join(folder, list));
    return { file: '/bin/sh', args: ['-c', script, 'sh', ...files, ...argv] };
  }

  refused(): Ending | null {
    const { memoryBytes, tasks } = this.limits;
    if (this.#memoryRefused()) {
      const used = Math.max(this.peakBytes, memoryBytes);
      return { kind: 'limit', limit: 'memory', used, allowed: memoryBytes };
    }
    if (countIn(join(this.#pids, 'pids.events'), 'max') === 0) return null;
    return { kind: 'limit', limit: 'processes', used: tasks, allowed: tasks };
  }

  async kill(): Promise<boolean> {
    for (let round = 0; round < ROUNDS; round += 1) {
      if (this.controlGroups.every((folder) => textOrNull(join(folder, 'cgroup.procs')) === '')) return true;
      for (const folder of this.controlGroups) killMembers(folder);
      await sleep(Math.min(1 + round, 20));
    }
    return false;
  }

  /** A kill for want of the machine's own memory is not the run's fault, so the group must have been full. */
  #memoryRefused(): boolean {
    if (this.ground.version === 2) {
      const events = join(this.#memory, 'memory.events');
      return countIn(events, 'oom_kill') > 0 && countIn(events, 'oom') > 0;
    }
    const killed = countIn(join(this.#memory, 'memory.oom_control'), 'oom_kill') > 0;
    return killed && this.peakBytes >= FULL * this.limits.memoryBytes;
  }

  /** The most that the group was charged; 0 where the kernel does not tell. */
  get peakBytes(): number {
    const file = this.ground.version === 1 ? 'memory.max_usage_in_bytes' : 'memory.peak';
    return Number(textOf(join(this.#memory, file))) || 0;
  }

  async end(): Promise<void> {
    for (let round = 0; round < ROUNDS && !endGroup(this.controlGroups); round += 1)
      await sleep(Math.min(1 + round, 20));
    this.#forget();
  }

  #endNow(): void {
    for (let round = 0; round < ROUNDS && !endGroup(this.controlGroups); round += 1) pauseNow(1);
  }
}

/** Kills what is in a group and removes it; false while something of it still dies. */
export function endGroup(folders: readonly string[]): boolean {
  let gone = true;
  for (const folder of folders) {
    killMembers(folder);
    try {
      rmdirSync(folder);
    } catch (error) {
      gone &&= error instanceof Error && 'code' in error && error.code === 'ENOENT';
    }
  }
  return gone;
}

function countIn(file: string, key: string): number {
  return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(textOf(file))?.[1] ?? 0);
}

const textOf = (file: string): string => textOrNull(file) ?? '';

function textOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function attempt(what: () => void): void {
  try {
    what();
  } catch {
    // wanted, not needed
  }
}

function pauseNow(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
