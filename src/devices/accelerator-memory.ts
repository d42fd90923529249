import { messageOf } from '../domain/errors.js';
import type { DeviceState } from '../domain/devices/device-state.js';
import { NvidiaDevices } from './nvidia.js';

/**
 * Reads the bytes of accelerator memory that each process of this host holds, by process id; a string says why they
 * are unknown. Only NVIDIA's are asked. A process that holds memory of which the driver does not report the amount
 * has 0.
 */
export async function acceleratorMemory(): Promise<ReadonlyMap<number, number> | string> {
  try {
    return memoryByProcess([...(await new NvidiaDevices().look()).values()]);
  } catch (error) {
    return messageOf(error);
  }
}

/** Adds up what each process holds of these devices. */
export function memoryByProcess(states: readonly Pick<DeviceState, 'holders'>[]): Map<number, number> {
  const held = new Map<number, number>();
  for (const { pid, bytes } of states.flatMap(({ holders }) => holders))
    if (pid !== null) held.set(pid, (held.get(pid) ?? 0) + bytes);
  return held;
}
