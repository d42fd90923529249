import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError } from '../domain/errors.js';
import type { Device, DeviceAccess } from '../domain/devices/device.js';
import type { DeviceState } from '../domain/devices/device-state.js';
import { UseRecorder, type DeviceUse } from '../domain/devices/device-use.js';
import type { PutAway } from './quarantine.js';
import type { Sandbox, Served } from '../sandbox/run.js';

type States = ReadonlyMap<string, DeviceState>;

/** Questions of a lease to its host. */
export interface LeaseHost {
  look: () => Promise<States>;
  /** Looks again and again for a while where the driver fails. */
  patientLook: () => Promise<States>;
  /** Says why what a device computed cannot be trusted: it is lost, or its memory failed; null where it can. */
  lostBecause: (states: States, device: Device) => PutAway | null;
  /** Waits until nothing is on the devices; those that something stays on get no more work. */
  untilFree: () => Promise<void>;
  /** True when a device of the lease gets no more work. */
  isIll: () => Promise<boolean>;
  /** Keeps work from a device until it is well. */
  putAway: (device: Device, why: PutAway) => Promise<void>;
  sampleEveryMs: number;
}

/** Exclusive right to some devices of this host, while a function runs. */
export class DeviceLease {
  /** Runs on the devices now: those of one evaluation may share them. */
  #running = 0;

  constructor(
    readonly devices: readonly Device[],
    /** Access to the first, to the first two, and so on. */
    private readonly accesses: readonly DeviceAccess[],
    private readonly host: LeaseHost,
  ) {}

  /**
   * A sandbox whose runs that ask for these devices are watched on them.
   * Runs reject with DEVICE_FAULT where a device failed: then nothing is known of the recipe.
   */
  watched(sandbox: Sandbox): Sandbox {
    return {
      get isolation() {
        return sandbox.isolation;
      },
      run: async (request) => {
        if (request.devices === undefined) return sandbox.run(request);
        const timed = new TimedPart(request.warmupS !== undefined);
        const onReady = (): void => {
          timed.begin();
          request.onReady?.();
        };
        const run = () => sandbox.run({ ...request, onReady });
        const { result, deviceUse } = await this.during(request.devices, run, timed);
        return { ...result, deviceUse };
      },
      serve: (request) =>
        request.devices === undefined
          ? sandbox.serve(request)
          : this.#serve(request.devices, () => sandbox.serve(request)),
    };
  }

  /**
   * Watches devices of the lease while some work uses them.
   * @throws AssayError DEVICE_FAULT where a device failed: then nothing is known of the work
   */
  async during<T>(
    used: DeviceAccess,
    work: () => Promise<T>,
    timed = new TimedPart(false),
  ): Promise<{ result: T; deviceUse: DeviceUse[] }> {
    await this.#requireWell();
    return this.#watch(used, work(), timed);
  }

  async #serve(used: DeviceAccess, serve: () => Promise<Served>): Promise<Served> {
    await this.#requireWell();
    const served = await serve();
    const done = this.#watch(used, served.done).then(({ result, deviceUse }) => ({ ...result, deviceUse }));
    // whoever only kills a server does not ask for its end
    done.catch(() => undefined);
    return { ...served, done };
  }

  /** @throws AssayError DEVICE_FAULT when an earlier run of the lease has left a device that gets no more work */
  async #requireWell(): Promise<void> {
    if (await this.host.isIll())
      throw new AssayError('DEVICE_FAULT', `${this.#names()}: a device of the lease was put away`);
  }

  async #watch<T>(
    used: DeviceAccess,
    work: Promise<T>,
    timed = new TimedPart(false),
  ): Promise<{ result: T; deviceUse: DeviceUse[] }> {
    this.#running += 1;
    const over = new AbortController();
    const sampling = this.#sample(used, timed, over.signal);
    try {
      const result = await work;
      over.abort();
      const deviceUse = await sampling;
      await this.#requireTrustworthy();
      return { result, deviceUse };
    } finally {
      over.abort();
      this.#running -= 1;
      await sampling.catch(() => undefined);
      if (this.#running === 0) await this.host.untilFree();
    }
  }

  /** @throws AssayError DEVICE_FAULT when a device was lost or its memory failed meanwhile */
  async #requireTrustworthy(): Promise<void> {
    const states = await this.host.patientLook();
    for (const device of this.devices) {
      const why = this.host.lostBecause(states, device);
      if (why === null) continue;
      await this.host.putAway(device, why);
      throw new AssayError('DEVICE_FAULT', `device ${device.uuid} failed during the run: ${why.reason}`);
    }
  }

  /** Keeps work from devices that slowed themselves down until they do not any more. */
  async coolDown(uuids: readonly string[], reason: string): Promise<void> {
    for (const device of this.devices)
      if (uuids.includes(device.uuid)) await this.host.putAway(device, { reason, throttled: true });
  }

  /** A look that fails is left out: the one after the run decides. */
  async #sample({ uuids }: DeviceAccess, timed: TimedPart, over: AbortSignal): Promise<DeviceUse[]> {
    const began = performance.now();
    const used = this.devices.filter(({ uuid }) => uuids.includes(uuid));
    const recorders = used.map((device) => ({ device, recorder: new UseRecorder(device) }));
    for (;;) {
      // a look that was begun before says nothing of the time after
      const inTime = timed.hasBegun;
      const states = await this.host.look().catch((): States => new Map());
      if (isOver(over)) break;
      for (const { device, recorder } of recorders) {
        const state = states.get(device.uuid);
        if (state !== undefined) recorder.see((performance.now() - began) / 1000, state, inTime);
      }
      await timed.sleep(this.host.sampleEveryMs, over);
    }
    return recorders.map(({ recorder }) => recorder.use());
  }

  /** Gives what a run needs to use the first devices of the lease. */
  accessTo(count: number): DeviceAccess {
    const access = this.accesses[count - 1];
    if (access === undefined) throw new RangeError(`the lease has no ${count} devices`);
    return access;
  }

  readonly #names = (): string => this.devices.map(({ uuid }) => uuid).join(', ');
}

/** The part of a run whose time counts: all of it, or what follows its warm-up. */
class TimedPart {
  readonly #begun = new AbortController();

  constructor(warmsUp: boolean) {
    if (!warmsUp) this.#begun.abort();
  }

  get hasBegun(): boolean {
    return this.#begun.signal.aborted;
  }

  begin(): void {
    this.#begun.abort();
  }

  /** Waits until the next look is due; a part that begins is looked at at once, however short it is. */
  async sleep(ms: number, over: AbortSignal): Promise<void> {
    const signal = this.hasBegun ? over : AbortSignal.any([over, this.#begun.signal]);
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}

/** A function, because whoever waits does not see that the signal changes meanwhile. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;
