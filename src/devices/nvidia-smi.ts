import type { Device } from '../domain/devices/device.js';
import type { DeviceHolder, DeviceState } from '../domain/devices/device-state.js';

const MIB = 1024 * 1024;

/** Fields of `nvidia-smi --query-gpu` that describe a device. */
export const FIELDS = 'uuid,index,name,memory.total,driver_version,compute_mode,mig.mode.current';

/** Fields of `nvidia-smi --query-gpu` that describe its state. Drivers of every age know these names. */
export const STATE_FIELDS =
  'uuid,memory.used,memory.total,utilization.gpu,clocks.sm,clocks_throttle_reasons.active,ecc.errors.uncorrected.volatile.total';

/**
 * Bits of clocks_throttle_reasons.active that mean that the hardware slows down (nvml.h, nvmlClocksThrottleReasons).
 * The software's cap on power (0x4) is not among them: it is usual at full load.
 */
const SLOWED: readonly (readonly [number, string])[] = [
  [0x8, 'hardware slowdown'],
  [0x20, 'software thermal slowdown'],
  [0x40, 'hardware thermal slowdown'],
  [0x80, 'power brake'],
];

/** Reads the answer to FIELDS: one line a device, ordered by index. */
export function devicesIn(csv: string): Device[] {
  return rows(csv)
    .map(([uuid = '', index, name = '', memory, driver = '', mode = '', mig]) => ({
      uuid,
      index: Number(index),
      name,
      memoryBytes: (numberOf(memory) ?? 0) * MIB,
      driver: known(driver),
      computeMode: known(mode),
      divided: mig === 'Enabled',
    }))
    .filter(({ uuid, index }) => uuid !== '' && Number.isInteger(index))
    .sort((a, b) => a.index - b.index);
}

/** Reads the answer to STATE_FIELDS. */
export function statesIn(
  csv: string,
  holders: ReadonlyMap<string, readonly DeviceHolder[]>,
): Map<string, DeviceState> {
  const states = rows(csv).map(([uuid = '', used, total, busy, clock, reasons, errors]): DeviceState => {
    const utilisation = numberOf(busy);
    return {
      uuid,
      usedBytes: (numberOf(used) ?? 0) * MIB,
      totalBytes: (numberOf(total) ?? 0) * MIB,
      holders: holders.get(uuid) ?? [],
      utilisation: utilisation === null ? null : utilisation / 100,
      clockMhz: numberOf(clock),
      throttled: throttledBy(numberOf(reasons) ?? 0),
      uncorrected: numberOf(errors),
    };
  });
  return new Map(states.filter(({ uuid }) => uuid !== '').map((state) => [state.uuid, state]));
}

/** Reads the answer to `--query-compute-apps=gpu_uuid,pid,used_gpu_memory`, by device. */
export function holdersIn(csv: string): Map<string, DeviceHolder[]> {
  const holders = new Map<string, DeviceHolder[]>();
  for (const [uuid = '', pid, memory] of rows(csv)) {
    if (!/^\d+$/.test(pid ?? '')) continue;
    const one = { pid: Number(pid), bytes: (numberOf(memory) ?? 0) * MIB };
    holders.set(uuid, [...(holders.get(uuid) ?? []), one]);
  }
  return holders;
}

const throttledBy = (bits: number): string[] =>
  SLOWED.flatMap(([bit, name]) => ((bits & bit) === 0 ? [] : [name]));

const rows = (csv: string): string[][] =>
  csv
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((cell) => cell.trim()));

/** Null for `[N/A]`, `[Not Supported]` and the like. */
function numberOf(cell: string | undefined): number | null {
  const value = cell === undefined || cell === '' || cell.startsWith('[') ? NaN : Number(cell);
  return Number.isFinite(value) ? value : null;
}

const known = (cell: string): string => (cell.startsWith('[') ? '' : cell);
