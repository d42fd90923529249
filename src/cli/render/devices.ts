import type { DeviceRow } from '../../analysis/read-models/devices.js';
import { bytes, duration } from './numbers.js';
import { columns } from './table.js';
import { oneLine } from './text.js';

/** One line a device. */
export function renderDevices(devices: readonly DeviceRow[], now: Date): string {
  return columns(
    [
      { title: 'HOST' },
      { title: 'POOL' },
      { title: 'DEVICE', right: true },
      { title: 'MODEL' },
      { title: 'MEMORY', right: true },
      { title: 'BUSY', right: true },
      { title: 'STATE' },
    ],
    devices.map((device) => [
      oneLine(device.host),
      device.pool,
      String(device.index),
      oneLine(device.name),
      `${device.usedBytes === null ? '–' : bytes(device.usedBytes)} of ${bytes(device.memoryBytes)}`,
      device.utilisation === null ? '–' : `${Math.round(100 * device.utilisation)} %`,
      standingText(device, now),
    ]),
  );
}

function standingText({ standing, heldFor, why, since, throttled }: DeviceRow, now: Date): string {
  const slow = throttled.length === 0 ? '' : `, slowed down by ${throttled.join(', ')}`;
  if (standing === 'free') return `free${slow}`;
  if (standing === 'leased') return `${oneLine(heldFor ?? '')}${slow}`;
  const ago = since === null ? '' : `, since ${duration(now.getTime() - new Date(since).getTime())}`;
  return `no work: ${oneLine(why ?? '')}${ago}`;
}
