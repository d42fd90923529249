import { cpus, totalmem } from 'node:os';
import { roundedGib, type Machine } from '../../domain/devices/host-class.js';

/** Describes this machine as far as measurements depend on it. */
export function thisMachine(): Machine {
  const processors = cpus();
  return {
    platform: `${process.platform}-${process.arch}`,
    processor: processors[0]?.model.trim() ?? 'unknown',
    processors: processors.length,
    memoryGib: roundedGib(totalmem()),
  };
}
