import { closeSync, openSync, readSync, readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { killNow, markerOf, userOf } from './proc-files.js';

export { killNow, markerOf, userOf };

/** One process of this host. */
export interface ProcessRow {
  pid: number;
  parent: number;
  group: number;
  /** Makes the pid unmistakable: it may be used again, but not with the same start. */
  start: string;
  rssBytes: number;
  /** Seconds of a processor that it has used; null where the system does not tell. */
  cpuS: number | null;
  /** Dead, but not yet collected by its parent. */
  zombie: boolean;
}

export type ProcessTable = ReadonlyMap<number, ProcessRow>;

const onLinux = process.platform === 'linux';
const buffer = Buffer.alloc(1024);
let pageBytes = 0;
/** Fixed for programs, whatever the kernel's own clock is: proc_pid_stat(5), USER_HZ. */
const TICKS_A_SECOND = 100;

/** True where processes are read from /proc; elsewhere `ps` is asked, which is slower and sees less. */
export const hasProc = onLinux;

/** All processes of this host that can be seen. */
export async function processTable(): Promise<ProcessTable> {
  if (!onLinux) return tableFromPs();
  pageBytes ||= Number((await execa('getconf', ['PAGESIZE'])).stdout);
  const table = new Map<number, ProcessRow>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d/.test(name)) continue;
    const row = statOf(Number(name));
    if (row !== null) table.set(row.pid, row);
  }
  return table;
}

/** A row of /proc, or null when the process is gone. */
function statOf(pid: number): ProcessRow | null {
  const text = statText(`/proc/${pid}`);
  if (text === null) return null;
  const row = rowOf(pid, text);
  // a process whose first thread has ended looks dead while its other threads run
  const thread = row.zombie && Number(fieldsOf(text)[17]) > 1 ? livingThread(pid) : null;
  return thread === null ? row : { ...row, zombie: false, rssBytes: Number(thread[21]) * pageBytes };
}

/** Reads the text of `/proc/PID/stat`, in which the program chose the name between the brackets. */
export function rowOf(pid: number, text: string): ProcessRow {
  const fields = fieldsOf(text);
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    start: fields[19] ?? '',
    rssBytes: Number(fields[21]) * pageBytes,
    cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    zombie: isDead(fields),
  };
}

/** The fields of a `stat` from the third on; the second, a name, may hold blanks and brackets, so it is cut first. */
const fieldsOf = (text: string): string[] => text.slice(text.lastIndexOf(')') + 2).split(' ');

function statText(folder: string): string | null {
  try {
    const descriptor = openSync(`${folder}/stat`, 'r');
    try {
      return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
}

const isDead = ([state = 'X']: readonly string[]): boolean => state === 'Z' || state === 'X';

/** Reads the `stat` of a living thread of a process whose first thread has ended. */
function livingThread(pid: number): string[] | null {
  for (const folder of threadsOf(pid)) {
    const text = statText(folder);
    if (text !== null && !isDead(fieldsOf(text))) return fieldsOf(text);
  }
  return null;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
  } catch {
    return [];
  }
}

/** Reads the table from `ps`, for systems without /proc. */
export async function tableFromPs(): Promise<ProcessTable> {
  const columns = 'pid=,ppid=,pgid=,rss=,stat=,lstart=';
  const { stdout } = await execa('ps', ['-axo', columns], { env: { LC_ALL: 'C' }, reject: false });
  const table = new Map<number, ProcessRow>();
  for (const line of stdout.split('\n')) {
    const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (found === null) continue;
    const [, pid, parent, group, kilobytes, state = '', start = ''] = found;
    table.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      start: start.trim(),
      rssBytes: Number(kilobytes) * 1024,
      cpuS: null,
      zombie: state.startsWith('Z'),
    });
  }
  return table;
}

/** The start of a living process, which with its pid identifies it; null when there is none. */
export async function startOf(pid: number): Promise<string | null> {
  const row = onLinux ? statOf(pid) : (await tableFromPs()).get(pid);
  return row === undefined || row === null || row.zombie ? null : row.start;
}

/**
 * Returns true while a process runs, without waiting, for a process that exits. Without /proc its start is not
 * compared: a later process with its pid counts as it.
 */
export function runsNow({ pid, start }: Pick<ProcessRow, 'pid' | 'start'>): boolean {
  if (onLinux) {
    const row = statOf(pid);
    return row !== null && !row.zombie && row.start === start;
  }
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Processes by the run that they say they belong to. */
async function marked(matches: (run: string) => boolean): Promise<(ProcessRow & { run: string })[]> {
  const table = await processTable();
  const own = ancestors(table, process.pid);
  const rows: (ProcessRow & { run: string })[] = [];
  const markers = onLinux ? null : await markersFromPs();
  for (const row of table.values()) {
    if (row.zombie || own.has(row.pid)) continue;
    const run = markers === null ? markerOf(row.pid) : (markers.get(row.pid) ?? null);
    if (run !== null && matches(run)) rows.push({ ...row, run });
  }
  return rows;
}

/** Every living process of this host that says it belongs to a run. */
export async function markedProcesses(): Promise<{ pid: number; run: string }[]> {
  return (await marked(() => true)).map(({ pid, run }) => ({ pid, run }));
}

/** Living processes of these users; none where there is no /proc. */
export async function processesOfUsers(matches: (uid: number) => boolean): Promise<ProcessRow[]> {
  if (!onLinux) return [];
  const rows = [...(await processTable()).values()];
  return rows.filter((row) => !row.zombie && matches(userOf(row.pid) ?? -1));
}

async function markersFromPs(): Promise<Map<number, string>> {
  const { stdout } = await execa('ps', ['-axEwwo', 'pid=,command='], { reject: false });
  const markers = new Map<number, string>();
  for (const line of stdout.split('\n')) {
    const found = /^\s*(\d+)\s.*\sASSAY_RUN=(\S+)/.exec(line);
    if (found?.[2] !== undefined) markers.set(Number(found[1]), found[2]);
  }
  return markers;
}

function ancestors(table: ProcessTable, pid: number): Set<number> {
  const chain = new Set<number>();
  for (let at = table.get(pid); at !== undefined && !chain.has(at.pid); at = table.get(at.parent))
    chain.add(at.pid);
  return chain;
}

/** Makes the kernel kill this process and its children before a worker when the host runs out of memory. */
export function offerToKernel(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // gone, or a system without it
  }
}

/**
 * Runs to sweep: those with one of these ids, or with an id that begins like this (end it with your delimiter).
 */
export type StrayRuns = { ids: readonly string[] } | { prefix: string };

/**
 * Kills every process whose ASSAY_RUN names one of these runs and waits until none is left. For the next attempt
 * on the same host, after a worker was killed. A process that changed its environment is not found at tier E.
 * Returns how many were killed.
 * @param among narrows it to some processes
 */
export async function sweepOrphans(
  runs: StrayRuns,
  among: (pid: number) => boolean = () => true,
): Promise<number> {
  const ids = 'ids' in runs ? new Set(runs.ids) : null;
  const matches = (run: string): boolean =>
    ids === null ? 'prefix' in runs && runs.prefix !== '' && run.startsWith(runs.prefix) : ids.has(run);
  return killAll(async () => (await marked(matches)).filter(({ pid }) => among(pid)));
}

/** Sweeps every process of some users: none of them can deny whose it is. */
export async function sweepUsers(matches: (uid: number) => boolean): Promise<number> {
  return killAll(() => processesOfUsers(matches));
}

async function killAll(find: () => Promise<ProcessRow[]>): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < 200; round += 1) {
    const strays = await find();
    if (strays.length === 0) return killed.size;
    for (const { pid } of strays) {
      killed.add(pid);
      killNow(pid);
    }
    await sleep(Math.min(5 * (round + 1), 50));
  }
  return killed.size;
}
