import type { Device } from '../devices/device.js';
import { definedFields } from '../defined-fields.js';
import type { MeasuredWork } from '../devices/host-class.js';
import { evaluationGpus, type RunPhase } from './device-needs.js';
import type { Task } from './task.js';

type Resources = Task['resources'];

/** The limits of one phase: its own where it has some, else those of the task. */
export function resourcesOf({ resources, phases, evaluate }: Task, phase: RunPhase): Resources {
  const own = phase === 'evaluate' ? evaluate.resources : phases[phase]?.resources;
  return { ...resources, ...definedFields(own ?? {}) };
}

const PHASES: readonly RunPhase[] = ['check', 'smoke', 'prewarm', 'train', 'pack', 'serve', 'evaluate'];

/** The most that any phase of a task may write, in MiB. */
export const largestDiskMb = (task: Task): number =>
  Math.max(...PHASES.map((phase) => resourcesOf(task, phase).disk_mb));

/** The most that what training or packing leaves may hold, in MiB. */
export const outputDiskMb = (task: Task): number =>
  Math.max(...(['smoke', 'train', 'pack'] as const).map((phase) => resourcesOf(task, phase).disk_mb));

/**
 * Says why the accelerators of a host are not those that a task asks for, in words; null where they are, and for work
 * that uses none.
 */
export function unfitDevices(
  task: Task,
  work: MeasuredWork,
  devices: readonly Pick<Device, 'name' | 'memoryBytes'>[],
): string | null {
  const { gpus, gpu_kind: kind, gpu_memory_mb: memory } = task.resources;
  if ((work === 'train' ? gpus : evaluationGpus(task)) === 0) return null;
  const [first] = devices;
  if (first === undefined) return null;
  if (kind !== undefined && !new RegExp(kind, 'i').test(first.name))
    return `its accelerators are ${first.name}, and task "${task.name}" asks for ${kind} (resources.gpu_kind)`;
  const least = Math.min(...devices.map(({ memoryBytes }) => Math.floor(memoryBytes / 2 ** 20)));
  if (memory !== undefined && least < memory)
    return `its accelerators have ${least} MiB of memory, and task "${task.name}" asks for ${memory} (resources.gpu_memory_mb)`;
  return null;
}
