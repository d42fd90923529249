import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { orderOf, type ColdProcess } from '../domain/trial/processes.js';
import { orderBytes } from '../domain/trial/secret-order.js';
import type { Task } from '../domain/task/task.js';

/** One process of a measurement, as the evaluator is told of it. */
export interface ToldProcess extends ColdProcess {
  seconds: number;
  /** Secret order in which it saw what was revealed; null where nothing is permuted. */
  order: Uint32Array | null;
}

/** Says what an evaluator is told of processes; null where the artifact is of one, and nothing was revealed to it. */
export function toldProcesses(
  spec: Pick<Task, 'replicate' | 'data'>,
  secret: string,
  processes: readonly (ColdProcess & { wallMs: number })[],
): ToldProcess[] | null {
  if (spec.replicate.processes === 1 && spec.data?.reveal === undefined) return null;
  return processes.map(({ process, seed, wallMs }) => ({
    ...{ process, seed, seconds: wallMs / 1000 },
    order: orderOf(spec, secret, seed),
  }));
}

/**
 * Writes what is told of processes into a folder that is not there yet; gives the place of the list. Orders lie beside it,
 * in `orders/`, and the folder of each process is one within the artifact.
 */
export async function writeProcesses(folder: string, processes: readonly ToldProcess[]): Promise<string> {
  await mkdir(join(folder, 'orders'), { recursive: true });
  const list = [];
  for (const { order, ...of } of processes) {
    const name = order === null ? null : `orders/${of.process}.u32`;
    if (order !== null && name !== null) await writeFile(join(folder, name), orderBytes(order));
    list.push({ ...of, order: name, folder: processes.length === 1 ? '.' : String(of.process) });
  }
  const place = join(folder, 'processes.json');
  await writeFile(place, JSON.stringify(list));
  return place;
}
