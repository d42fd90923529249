import { markedProcesses, markerOf, processTable } from '../../src/sandbox/process/process-table.js';

/** A living process that a sandbox started, and the run that it belongs to. */
export interface RunProcess {
  pid: number;
  /** `WORKER/REPLICATE/FENCE/PHASE` */
  run: string;
}

/** The living processes of all runs on this machine whose id contains a text. */
export async function processesOf(text: string): Promise<RunProcess[]> {
  const found: RunProcess[] = [];
  for (const { pid, zombie } of (await processTable()).values()) {
    const run = zombie ? null : markerOf(pid);
    if (run?.includes(text) === true) found.push({ pid, run });
  }
  return found;
}

/** A worker that lives tries its sandbox, and its folder, every now and then: neither is of any work. */
export const isProbe = (run: string): boolean => /\/health-[^/]+$/.test(run);
export const isProbeFile = (name: string): boolean => name.startsWith('.health-');

/** The living processes of all work of a worker, by its `PID-START`. */
export async function workOf(worker: string): Promise<RunProcess[]> {
  return (await markedProcesses()).filter(({ run }) => run.startsWith(`${worker}/`) && !isProbe(run));
}
