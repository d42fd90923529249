import { startOf } from '../process/process-table.js';

/** `PID-START`: names a process for as long as its machine is up. */
export async function processName(pid: number): Promise<string> {
  return `${pid}-${(await startOf(pid)) ?? 'unknown'}`;
}
