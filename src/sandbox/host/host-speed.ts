import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import type { ProcessRow } from '../process/process-table.js';

/** Nanoseconds that a process had a core, and waited for one. */
interface Times {
  cpu: number;
  wait: number;
}

/** Time that one process used; null where the system does not tell. */
interface Account {
  /** Seconds of a processor, of all its threads. */
  usedS: number | null;
  times: Times | null;
}

/** Nanoseconds of a core below which a run says nothing of its host: starting a program is mostly waiting. */
const LEAST = 100e6;

/**
 * Measures the speed at which the host let the processes of one run proceed: the share of their runnable time in
 * which they had a core. Read from the kernel's account of each process (of its first thread), so that what a recipe
 * sleeps does not count.
 */
export class HostSpeed {
  #stolen = stolenTime();
  /** Account of what ran before the measurement began. */
  #before: Times = { cpu: 0, wait: 0 };
  #living = new Map<string, Account>();
  /** Not seen at the last look alone, which may have missed them. */
  #missed = new Map<string, Account>();
  /** The sum of all others: a run may start more processes than a map can hold. */
  #ended: Account = { usedS: null, times: null };

  /** Takes account of the processes that are alive at this look. */
  look(rows: readonly ProcessRow[]): void {
    const living = new Map<string, Account>();
    for (const { pid, start, cpuS } of rows) {
      const key = `${pid} ${start}`;
      const before = this.#living.get(key) ?? this.#missed.get(key);
      this.#missed.delete(key);
      living.set(key, {
        usedS: cpuS ?? before?.usedS ?? null,
        times: timesOf(pid) ?? before?.times ?? null,
      });
    }
    this.#ended = sumOf([this.#ended, ...this.#missed.values()]);
    this.#missed = new Map([...this.#living].filter(([key]) => !living.has(key)));
    this.#living = living;
  }

  /** Leaves out what ran until now; the seconds of a processor go on. */
  begin(): void {
    this.#before = this.#all().times ?? this.#before;
    this.#stolen = stolenTime();
  }

  /** 0 … 1 with what a hypervisor took counted as lost; null where it is not known, or hardly anything ran. */
  value(): number | null {
    const all = this.#all().times ?? this.#before;
    const [cpu, wait] = [all.cpu - this.#before.cpu, all.wait - this.#before.wait];
    if (cpu < LEAST) return null;
    const before = this.#stolen;
    const after = stolenTime();
    const busy = before === null || after === null ? 0 : after.busy - before.busy;
    const stolen = before === null || after === null || busy <= 0 ? 0 : (after.stolen - before.stolen) / busy;
    return (cpu / (cpu + wait)) * (1 - Math.min(1, Math.max(0, stolen)));
  }

  /**
   * Seconds of a processor that the processes were seen to use: what one used after the last look is not in it. Null
   * where the system does not tell.
   */
  cpuS(): number | null {
    return this.#all().usedS;
  }

  #all(): Account {
    return sumOf([this.#ended, ...this.#missed.values(), ...this.#living.values()]);
  }
}

function sumOf(accounts: readonly Account[]): Account {
  const sum: Account = { usedS: null, times: null };
  for (const { usedS, times } of accounts) {
    if (usedS !== null) sum.usedS = (sum.usedS ?? 0) + usedS;
    if (times !== null)
      sum.times = { cpu: (sum.times?.cpu ?? 0) + times.cpu, wait: (sum.times?.wait ?? 0) + times.wait };
  }
  return sum;
}

/** Runnable processes for each processor of this host, averaged over the last minute. */
export const hostLoad = (): number => (loadavg()[0] ?? 0) / availableParallelism();

/** Null where the process is gone, or the system keeps no such account. */
function timesOf(pid: number): Times | null {
  try {
    const [cpu, wait] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ').map(Number);
    return Number.isFinite(cpu) && Number.isFinite(wait) ? { cpu: cpu ?? 0, wait: wait ?? 0 } : null;
  } catch {
    return null;
  }
}

/** Ticks that all cores were busy, and those of them that went to other machines of the same hypervisor. */
function stolenTime(): { busy: number; stolen: number } | null {
  try {
    const [, ...ticks] = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '')
      .trim()
      .split(/\s+/)
      .map(Number);
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = ticks;
    return { busy: user + nice + system + irq + softirq + stolen, stolen };
  } catch {
    return null;
  }
}
