import { z } from 'zod';
import { sha256 } from '../digest.js';
import type { Device } from './device.js';

/** A machine, as far as measurements depend on it. */
export const machineSchema = z.object({
  /** System and architecture, as `linux-x64`. */
  platform: z.string(),
  /** Model of its processors. */
  processor: z.string(),
  processors: z.number().int(),
  /** Memory in GiB, rounded up, so that what a kernel keeps for itself makes no difference. */
  memoryGib: z.number(),
});
export type Machine = z.infer<typeof machineSchema>;

/** Properties that hosts share whose measurements can be compared. */
export const hostDescriptorSchema = machineSchema.extend({
  /** Model of the accelerators that a task uses; empty for none. */
  accelerator: z.string(),
  accelerators: z.number().int(),
  /** Version of their driver; empty where there is none or it is unknown. */
  driver: z.string(),
  /** Interpreter and packages, in words with a digest. */
  libraries: z.string(),
});
export type HostDescriptor = z.infer<typeof hostDescriptorSchema>;

export const hostClassSchema = z.object({ id: z.string(), is: hostDescriptorSchema });
export type HostClass = z.infer<typeof hostClassSchema>;

/** Work whose results depend on its host; the two may be done by hosts of different pools. */
export const MEASURED_WORK = ['train', 'evaluate'] as const;
export type MeasuredWork = (typeof MEASURED_WORK)[number];

/** A class of hosts that a campaign belongs to, for one kind of its work. */
export const calibratedClassSchema = hostClassSchema.extend({
  work: z.enum(MEASURED_WORK),
  /** Of evaluations: the class that trained what they score; else empty. */
  trainedBy: z.string().default(''),
  /** Of trainings: what is added to metrics, so that they compare with those of the first class. */
  shift: z.record(z.string(), z.number()).default({}),
});
export type CalibratedClass = z.infer<typeof calibratedClassSchema>;

/** Work that a class is asked for; an evaluation with the class that trained what it scores, where that is known. */
export interface AskedClass {
  work: MeasuredWork;
  trainedBy?: string | undefined;
}

const isSameMachine = (machine: Machine, { platform, processor, processors, memoryGib }: Machine): boolean =>
  machine.platform === platform &&
  machine.processor === processor &&
  machine.processors === processors &&
  machine.memoryGib === memoryGib;

/** Part of a host's report of an accelerator that a class depends on. */
type ReportedDevice = Pick<Device, 'name' | 'driver'>;

const accelerators = (devices: readonly ReportedDevice[]) => {
  const each = (of: (device: ReportedDevice) => string): string =>
    [...new Set(devices.map(of))].sort().join(', ');
  return {
    accelerator: each(({ name }) => name),
    accelerators: devices.length,
    driver: each(({ driver }) => driver),
  };
};

/** Returns true when a host that reports may be one of a class; its libraries it does not report. */
export function mayBeOf(
  { machine, devices }: { machine: Machine | null; devices: readonly ReportedDevice[] },
  is: HostDescriptor,
): boolean {
  if (machine === null || !isSameMachine(machine, is)) return false;
  const used = accelerators(devices.slice(0, is.accelerators));
  return (
    used.accelerator === is.accelerator && used.accelerators === is.accelerators && used.driver === is.driver
  );
}

const GIB = 2 ** 30;
const STEPS = 4;

/** Rounds memory up to a quarter of the power of two below it, in GiB: 15.6 and 16 are 16, 94 is 96. */
export function roundedGib(bytes: number): number {
  if (bytes <= 0) return 0;
  const step = 2 ** Math.floor(Math.log2(bytes / GIB)) / STEPS;
  return Math.ceil(bytes / GIB / step) * step;
}

/**
 * The class of a host for a task. `devices`: those that the task uses; `libraries`: what it runs with, in words that
 * differ where libraries do.
 */
export function hostClassOf(machine: Machine, libraries: string, devices: readonly Device[]): HostClass {
  const is: HostDescriptor = {
    ...machine,
    ...accelerators(devices),
    libraries,
  };
  const digest = sha256(JSON.stringify(FIELDS.map(([field]) => is[field])));
  return { id: `${is.platform}-${digest.slice(0, 8)}`, is };
}

/** Fields of a class in the order in which a person looks for a difference, with their names and units. */
const FIELDS: readonly (readonly [field: keyof HostDescriptor, name: string, unit: string])[] = [
  ['accelerator', 'accelerator', ''],
  ['accelerators', 'accelerators', ''],
  ['driver', 'driver', ''],
  ['libraries', 'libraries', ''],
  ['memoryGib', 'memory', ' GiB'],
  ['processors', 'processors', ''],
  ['processor', 'processor', ''],
  ['platform', 'platform', ''],
];

/** Describes what differs between two classes, the one `here` first; empty where nothing does. */
export function differenceText(here: HostDescriptor, there: HostDescriptor): string {
  const told = (value: string | number, unit: string): string => (value === '' ? 'none' : `${value}${unit}`);
  return FIELDS.filter(([field]) => here[field] !== there[field])
    .map(([field, name, unit]) => `${name} ${told(here[field], unit)}, not ${told(there[field], unit)}`)
    .join('; ');
}

/**
 * Says why a host may not do work of a campaign: its class is not the one that calibrated the campaign. Null where it
 * may, and where nothing has been measured yet.
 */
export function refusalOfClass(
  calibrated: readonly CalibratedClass[],
  { work, trainedBy }: AskedClass,
  { name, hostClass }: { name: string; hostClass: HostClass },
): string | null {
  const own = calibrated.filter(
    (one) => one.work === work && (trainedBy === undefined || one.trainedBy === trainedBy),
  );
  const [first] = own;
  if (first === undefined || own.some(({ id }) => id === hostClass.id)) return null;
  const difference = differenceText(hostClass.is, first.is);
  return `${name} is of host class ${hostClass.id}, and the campaign belongs to ${first.id}, which calibrated it (${difference})`;
}
