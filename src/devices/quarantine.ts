import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { unlessMissing } from '../sandbox/process/missing.js';

const quarantineSchema = z.object({ uuid: z.string(), reason: z.string(), since: z.coerce.date() });

/** A device that gets no work, and why. */
export type Quarantined = z.infer<typeof quarantineSchema>;

/** Devices of a pool that get no work until they are well again; every worker of this host sees the same. */
export class Quarantine {
  constructor(
    readonly folder: string,
    readonly pool: string,
  ) {}

  /** Returns why a slot's device gets no work; null where it does. */
  async of(slot: number): Promise<Quarantined | null> {
    const text = await unlessMissing(readFile(this.#file(slot), 'utf8'));
    return text === null ? null : quarantineSchema.parse(JSON.parse(text));
  }

  /** Keeps work from a slot's device; the first reason stands. */
  async put(slot: number, uuid: string, reason: string): Promise<void> {
    if ((await this.of(slot)) !== null) return;
    await mkdir(this.folder, { recursive: true });
    const draft = join(this.folder, `${this.pool}~${randomUUID()}`);
    await writeFile(draft, JSON.stringify({ uuid, reason, since: new Date() }));
    await rename(draft, this.#file(slot));
  }

  async lift(slot: number): Promise<void> {
    await rm(this.#file(slot), { force: true });
  }

  readonly #file = (slot: number): string => join(this.folder, `${this.pool}.${slot}.unfit`);
}
