import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { DeviceState } from '../domain/devices/device-state.js';
import { unlessMissing } from '../sandbox/process/missing.js';

const quarantineSchema = z.object({
  reason: z.string(),
  since: z.coerce.date(),
  /** Errors of its memory that its driver had counted then; null where they are not the reason. */
  uncorrected: z.number().nullable(),
  /** True when it had slowed itself down. */
  throttled: z.boolean(),
});

/** A device that gets no work, and why. */
export type Quarantined = z.infer<typeof quarantineSchema>;

/** Reason for which a device is put away. */
export type PutAway = Pick<Quarantined, 'reason'> & Partial<Pick<Quarantined, 'uncorrected' | 'throttled'>>;

/**
 * Devices that get no work until they are well again: files beside the leases, one a device, so that every worker of
 * this host, of whatever pool, sees the same.
 */
export class Quarantine {
  constructor(readonly folder: string) {}

  /** Returns why a device gets no work; null where it does. */
  async of(uuid: string): Promise<Quarantined | null> {
    const text = await unlessMissing(readFile(this.#file(uuid), 'utf8'));
    return text === null ? null : quarantineSchema.parse(JSON.parse(text));
  }

  /** Keeps work from a device; the first reason stands. */
  async put(uuid: string, { reason, uncorrected = null, throttled = false }: PutAway): Promise<void> {
    if ((await this.of(uuid)) !== null) return;
    await mkdir(this.folder, { recursive: true });
    const draft = join(this.folder, `device~${randomUUID()}`);
    await writeFile(draft, JSON.stringify({ reason, since: new Date(), uncorrected, throttled }));
    await rename(draft, this.#file(uuid));
  }

  async lift(uuid: string): Promise<void> {
    await rm(this.#file(uuid), { force: true });
  }

  readonly #file = (uuid: string): string => join(this.folder, `device-${uuid}.unfit`);
}

/**
 * Returns true while what a device was put away for may still be so: errors of memory are forgotten by a reset of the
 * device alone, which sets their count back, and not by a worker that starts later.
 */
export function lasts(
  { uncorrected, throttled }: Pick<Quarantined, 'uncorrected' | 'throttled'>,
  state: DeviceState | undefined,
): boolean {
  if (state === undefined) return true;
  if (uncorrected !== null && (state.uncorrected ?? 0) >= uncorrected) return true;
  return throttled && state.throttled.length > 0;
}
