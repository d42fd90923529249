import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError } from '../domain/errors.js';
import type { Device } from '../domain/devices/device.js';
import { busyBecause, unfitBecause, type DeviceState } from '../domain/devices/device-state.js';
import { LeasePool, type LeaseRequest } from '../sandbox/host/lease.js';
import { DeviceLease } from './device-lease.js';
import type { DeviceProvider } from './provider.js';
import { Quarantine, type Quarantined } from './quarantine.js';

/** Milliseconds in which the memory of a dead run has to be back. */
export const BACK_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 500;

/** Where the leases of this host are kept, and how long a device may take to become free. */
export interface HostDevicesSettings {
  pool: string;
  folder: string;
  /** Default: 30 s. */
  backWithinMs?: number;
}

/** A device as this host sees it now. */
export interface DeviceReport extends Device {
  /** Null for one that is lost. */
  state: DeviceState | null;
  quarantined: Quarantined | null;
  /** Work that this process has on it, in words; null where it has none. */
  heldFor: string | null;
}

interface Slot {
  slot: number;
  device: Device;
}

/**
 * The accelerators of this host and their leases: slot i of the pool is the i-th device. Before a lease is given, its
 * devices are free and well; after it they are free again, or get no work until they are.
 */
export class HostDevices {
  readonly leases: LeasePool;
  readonly quarantine: Quarantine;
  readonly #backWithinMs: number;
  /** Errors of memory that a device had when this process began to look. */
  readonly #errors: ReadonlyMap<string, number>;
  readonly #heldFor = new Map<string, string>();

  private constructor(
    readonly provider: DeviceProvider,
    readonly devices: readonly Device[],
    errors: ReadonlyMap<string, number>,
    { pool, folder, backWithinMs = BACK_WITHIN_MS }: HostDevicesSettings,
  ) {
    this.#errors = errors;
    this.#backWithinMs = backWithinMs;
    this.quarantine = new Quarantine(folder, pool);
    const unfit = async (slot: number) => (await this.quarantine.of(slot))?.reason ?? null;
    this.leases = new LeasePool(pool, devices.length, folder, unfit);
  }

  /**
   * Finds the devices; those that are divided into instances are left alone.
   * @throws AssayError DEVICE_FAULT when they cannot be asked for, when there is none, or when they differ: measurements
   * of a pool are compared, whichever of its devices they were made on
   */
  static async open(provider: DeviceProvider, settings: HostDevicesSettings): Promise<HostDevices> {
    const devices = (await provider.discover()).filter(({ divided }) => !divided);
    if (devices.length === 0)
      throw new AssayError('DEVICE_FAULT', 'this host has no accelerator that could be leased', {
        remedy:
          'Start this worker with another pool, such as cpu; devices that are divided by MIG are not leased.',
      });
    requireAlike(devices, settings.pool);
    const states = await provider.look();
    const errors = new Map([...states].map(([uuid, { uncorrected }]) => [uuid, uncorrected ?? 0]));
    return new HostDevices(provider, devices, errors, settings);
  }

  /**
   * Waits for devices, runs `fn` with them and releases them whatever comes of it. Devices that turn out to be unfit
   * get no work, and others are taken.
   */
  async withLease<T>(
    request: LeaseRequest & { what: string },
    fn: (lease: DeviceLease) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const given = await this.leases.withLease(request, async ({ slots }) => {
        const held = this.#slots(slots);
        if (!(await this.#areFit(held, request.signal))) return null;
        for (const { device } of held) this.#heldFor.set(device.uuid, request.what);
        try {
          return { result: await fn(await this.#lease(held)) };
        } finally {
          for (const { device } of held) this.#heldFor.delete(device.uuid);
          await this.#untilBack(held);
        }
      });
      if (given !== null) return given.result;
    }
  }

  /** Gives devices work again that are well; answers with those that are. */
  async reexamine(): Promise<Device[]> {
    const well: Device[] = [];
    const ill = await this.#quarantined();
    if (ill.length === 0) return well;
    const states = await this.provider.look();
    for (const { slot, device } of ill) {
      if (this.#unfit(states, device) !== null) continue;
      await this.quarantine.lift(slot);
      well.push(device);
    }
    return well;
  }

  /** Describes every device as it is now. */
  async report(): Promise<DeviceReport[]> {
    const states = await this.provider.look();
    return Promise.all(
      this.devices.map(async (device, slot) => ({
        ...device,
        state: states.get(device.uuid) ?? null,
        quarantined: await this.quarantine.of(slot),
        heldFor: this.#heldFor.get(device.uuid) ?? null,
      })),
    );
  }

  async #lease(held: readonly Slot[]): Promise<DeviceLease> {
    const devices = held.map(({ device }) => device);
    const parts = devices.map((_, last) => devices.slice(0, last + 1));
    const accesses = await Promise.all(parts.map((part) => this.provider.access(part)));
    return new DeviceLease(devices, accesses, {
      look: () => this.provider.look(),
      lostBecause: (states, device) => this.#lost(states, device),
      untilFree: () => this.#untilBack(held),
      isIll: async () => (await Promise.all(held.map(({ slot }) => this.quarantine.of(slot)))).some(Boolean),
      putAway: (device, reason) => this.#putAway(held, device, reason),
      sampleEveryMs: this.provider.kind === 'simulated' ? 100 : 2000,
    });
  }

  async #putAway(held: readonly Slot[], { uuid }: Device, reason: string): Promise<void> {
    const found = held.find(({ device }) => device.uuid === uuid);
    if (found !== undefined) await this.quarantine.put(found.slot, uuid, reason);
  }

  #slots(slots: readonly number[]): Slot[] {
    return slots.flatMap((slot) => {
      const device = this.devices[slot];
      return device === undefined ? [] : [{ slot, device }];
    });
  }

  async #quarantined(): Promise<Slot[]> {
    const slots = this.#slots(this.devices.map((_, slot) => slot));
    const ill = await Promise.all(slots.map(async ({ slot }) => (await this.quarantine.of(slot)) !== null));
    return slots.filter((_, index) => ill[index] === true);
  }

  /** Waits a while for what the last lease left; puts away what is not fit by then. */
  async #areFit(held: readonly Slot[], signal: AbortSignal): Promise<boolean> {
    const unfit = await this.#unfitAfterAWhile(held, signal);
    for (const { slot, device, reason } of unfit) await this.quarantine.put(slot, device.uuid, reason);
    return unfit.length === 0;
  }

  /** One that was put away already is not waited for again. */
  async #untilBack(held: readonly Slot[]): Promise<void> {
    const ill = new Set((await this.#quarantined()).map(({ slot }) => slot));
    const asked = held.filter(({ slot }) => !ill.has(slot));
    const unfit = await this.#unfitAfterAWhile(asked);
    for (const { slot, device, reason } of unfit)
      await this.quarantine.put(slot, device.uuid, `${this.#seconds} s after its run: ${reason}`);
  }

  get #seconds(): number {
    return this.#backWithinMs / 1000;
  }

  /** Devices that are not fit and do not become so in time; what only time can free is waited for. */
  async #unfitAfterAWhile(
    held: readonly Slot[],
    signal?: AbortSignal,
  ): Promise<(Slot & { reason: string })[]> {
    const deadline = performance.now() + this.#backWithinMs;
    for (;;) {
      signal?.throwIfAborted();
      const states = await this.provider.look();
      const unfit = held.flatMap((slot) => {
        const reason = this.#unfit(states, slot.device);
        return reason === null ? [] : [{ ...slot, reason }];
      });
      const passing = unfit.every(({ device }) => isBusy(states.get(device.uuid)));
      if (unfit.length === 0 || !passing || performance.now() >= deadline) return unfit;
      await sleep(LOOK_EVERY_MS);
    }
  }

  readonly #unfit = (states: ReadonlyMap<string, DeviceState>, { uuid }: Device): string | null =>
    unfitBecause(states.get(uuid), this.#errors.get(uuid) ?? 0);

  /** Reason why a run on it cannot be trusted to have failed by itself. */
  #lost(states: ReadonlyMap<string, DeviceState>, device: Device): string | null {
    const reason = this.#unfit(states, device);
    const state = states.get(device.uuid);
    return reason !== null && (state === undefined || reason !== busyBecause(state)) ? reason : null;
  }
}

function requireAlike(devices: readonly Device[], pool: string): void {
  const models = [...new Set(devices.map(({ name }) => name))].sort();
  if (models.length < 2) return;
  throw new AssayError('DEVICE_FAULT', `this host has accelerators of several models: ${models.join(', ')}`, {
    remedy: `Start a worker for each model, with a pool of its own in place of ${pool} and only the devices of that model visible to it (a container, or the driver's own means); hosts of a pool have one model.`,
  });
}

const isBusy = (state: DeviceState | undefined): boolean =>
  state !== undefined && busyBecause(state) !== null;
