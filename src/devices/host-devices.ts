import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError, messageOf } from '../domain/errors.js';
import type { Device } from '../domain/devices/device.js';
import { busyBecause, unfitBecause, type DeviceState } from '../domain/devices/device-state.js';
import { LeasePool, type LeaseRequest } from '../sandbox/host/lease.js';
import { DeviceLease } from './device-lease.js';
import type { DeviceProvider } from './provider.js';
import { lasts, Quarantine, type PutAway, type Quarantined } from './quarantine.js';

/** Milliseconds in which the memory of a dead run has to be back, and a driver that fails has to answer again. */
export const BACK_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 500;

/** Folder of the leases of this host, and the time in which a device has to become free. */
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

type States = ReadonlyMap<string, DeviceState>;

/**
 * The accelerators of this host and their leases. Before a lease is given, its devices are free and well; after it they
 * are free again, or get no work until they are.
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
    this.quarantine = new Quarantine(folder);
    this.leases = new LeasePool(pool, devices.length, folder, {
      // by the device, whichever number it has in this process, and for whichever pool
      names: devices.map(({ uuid }) => `device-${uuid}.0`),
      unfit: async (slot) => {
        const device = devices[slot];
        return device === undefined ? null : ((await this.quarantine.of(device.uuid))?.reason ?? null);
      },
    });
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
        const held = slots.flatMap((slot) => this.devices[slot] ?? []);
        if (!(await this.#areFit(held, request.signal))) return null;
        for (const { uuid } of held) this.#heldFor.set(uuid, request.what);
        try {
          return { result: await fn(await this.#lease(held)) };
        } finally {
          for (const { uuid } of held) this.#heldFor.delete(uuid);
          await this.#untilBack(held);
        }
      });
      if (given !== null) return given.result;
    }
  }

  /** Says why the devices cannot be asked for; null where they can. */
  async faultOfDriver(): Promise<string | null> {
    return this.provider.look().then(
      () => null,
      (error: unknown) => messageOf(error),
    );
  }

  /** Gives devices work again that are well; answers with those that are. */
  async reexamine(): Promise<Device[]> {
    const well: Device[] = [];
    const ill = await this.#quarantined();
    if (ill.length === 0) return well;
    const states = await this.provider.look();
    for (const { device, quarantined } of ill) {
      const state = states.get(device.uuid);
      if (this.#unfit(states, device) !== null || lasts(quarantined, state)) continue;
      await this.quarantine.lift(device.uuid);
      well.push(device);
    }
    return well;
  }

  /** Describes every device as it is now. */
  async report(): Promise<DeviceReport[]> {
    const states = await this.provider.look();
    return Promise.all(
      this.devices.map(async (device) => ({
        ...device,
        state: states.get(device.uuid) ?? null,
        quarantined: await this.quarantine.of(device.uuid),
        heldFor: this.#heldFor.get(device.uuid) ?? null,
      })),
    );
  }

  async #lease(devices: readonly Device[]): Promise<DeviceLease> {
    const parts = devices.map((_, last) => devices.slice(0, last + 1));
    const accesses = await Promise.all(parts.map((part) => this.provider.access(part)));
    return new DeviceLease(devices, accesses, {
      look: () => this.provider.look(),
      patientLook: () => this.#look(),
      lostBecause: (states, device) => this.#lost(states, device),
      untilFree: () => this.#untilBack(devices),
      isIll: async () =>
        (await Promise.all(devices.map(({ uuid }) => this.quarantine.of(uuid)))).some(Boolean),
      putAway: ({ uuid }, why) => this.quarantine.put(uuid, why),
      sampleEveryMs: this.provider.kind === 'simulated' ? 100 : 2000,
    });
  }

  async #quarantined(): Promise<{ device: Device; quarantined: Quarantined }[]> {
    const all = await Promise.all(
      this.devices.map(async (device) => ({ device, quarantined: await this.quarantine.of(device.uuid) })),
    );
    return all.flatMap(({ device, quarantined }) => (quarantined === null ? [] : [{ device, quarantined }]));
  }

  /** Waits a while for what the last lease left; puts away what is not fit by then. */
  async #areFit(held: readonly Device[], signal: AbortSignal): Promise<boolean> {
    const unfit = await this.#unfitAfterAWhile(held, signal);
    for (const { device, why } of unfit) await this.quarantine.put(device.uuid, why);
    return unfit.length === 0;
  }

  /**
   * Puts away what is not free after a while; never rejects, because whatever ran has its result. One that was put away
   * already is not waited for again.
   */
  async #untilBack(held: readonly Device[]): Promise<void> {
    const ill = new Set((await this.#quarantined()).map(({ device }) => device.uuid));
    const asked = held.filter(({ uuid }) => !ill.has(uuid));
    const unfit = await this.#unfitAfterAWhile(asked).catch((error: unknown) =>
      asked.map((device) => ({ device, why: { reason: messageOf(error) } })),
    );
    for (const { device, why } of unfit)
      await this.quarantine.put(device.uuid, {
        ...why,
        reason: `${this.#backWithinMs / 1000} s after its run: ${why.reason}`,
      });
  }

  /** Devices that are not fit and do not become so in time; what only time can free is waited for. */
  async #unfitAfterAWhile(
    held: readonly Device[],
    signal?: AbortSignal,
  ): Promise<{ device: Device; why: PutAway }[]> {
    const deadline = performance.now() + this.#backWithinMs;
    for (;;) {
      signal?.throwIfAborted();
      const states = await this.#look();
      const unfit = held.flatMap((device) => {
        const why = this.#unfit(states, device);
        return why === null ? [] : [{ device, why }];
      });
      const passing = unfit.every(({ device }) => isBusy(states.get(device.uuid)));
      if (unfit.length === 0 || !passing || performance.now() >= deadline) return unfit;
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Looks, again and again while the driver fails, because one failure says nothing about the devices. */
  async #look(): Promise<States> {
    const deadline = performance.now() + this.#backWithinMs;
    for (;;) {
      try {
        return await this.provider.look();
      } catch (error) {
        if (performance.now() >= deadline) throw error;
        await sleep(LOOK_EVERY_MS);
      }
    }
  }

  #unfit(states: States, { uuid }: Device): PutAway | null {
    const state = states.get(uuid);
    const reason = unfitBecause(state, this.#errors.get(uuid) ?? 0);
    if (reason === null) return null;
    const busy = state !== undefined && reason === busyBecause(state);
    return { reason, uncorrected: busy ? null : (state?.uncorrected ?? null) };
  }

  /** Says why what ran on it cannot be trusted to have ended by itself; null where it can. */
  #lost(states: States, device: Device): PutAway | null {
    const why = this.#unfit(states, device);
    return why !== null && !isBusy(states.get(device.uuid), why.reason) ? why : null;
  }
}

const isBusy = (state: DeviceState | undefined, reason?: string): boolean => {
  const busy = state === undefined ? null : busyBecause(state);
  return busy !== null && (reason === undefined || reason === busy);
};

function requireAlike(devices: readonly Device[], pool: string): void {
  const models = [...new Set(devices.map(({ name }) => name))].sort();
  if (models.length < 2) return;
  throw new AssayError('DEVICE_FAULT', `this host has accelerators of several models: ${models.join(', ')}`, {
    remedy: `Start a worker for each model, with a pool of its own in place of ${pool} and only the devices of that model visible to it (a container, or the driver's own means); hosts of a pool have one model.`,
  });
}
