import type { Machine } from '../../src/domain/devices/host-class.js';

/** A machine of four processors. */
export const MACHINE: Machine = {
  platform: 'linux-x64',
  processor: 'A processor',
  processors: 4,
  memoryGib: 16,
};
