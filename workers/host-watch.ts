import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { AssayError, messageOf, type ErrorCode } from '../src/domain/errors.js';
import type { DeviceReport, HostDevices } from '../src/devices/host-devices.js';
import type { HostDevice } from '../src/lineage/documents/host.js';
import type { TierName } from '../src/domain/task/isolation.js';
import type { Machine } from '../src/domain/devices/host-class.js';
import type { Hosts } from '../src/lineage/hosts.js';
import type { HostHealth } from '../src/sandbox/host/host-health.js';
import type { Gate } from './gate.js';

const EVERY_MS = 15_000;
/** A healthy host says so less often. */
const REPORT_MS = 60_000;

/** Identity of the reporting worker. */
export interface HostReporter {
  host: string;
  pool: string;
  roles: string[];
  /** Accelerators that it leases; null where it has none. */
  devices: Pick<HostDevices, 'reexamine' | 'report'> | null;
  machine: Machine;
  /** Isolation tier that it holds. */
  tier: TierName;
  /** Id of the folder in which the host keeps what is too large for the store. */
  kept: string | null;
}

/** Looks at the health of this host and lets its workers poll only while it is well. */
export class HostWatch {
  readonly #id: string;
  #since = new Date();
  #reportedAt = -Infinity;
  #looking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly health: HostHealth,
    private readonly gate: Gate,
    private readonly hosts: Pick<Hosts, 'report' | 'leave'>,
    private readonly reporter: HostReporter,
    private readonly say: (line: string) => void,
  ) {
    this.#id = `${reporter.host}/${reporter.pool}/${reporter.roles.join('+')}`;
  }

  /** The first look, before anything is polled; then one every 15 s. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.hosts.leave(this.#id).catch(() => undefined);
  }

  /** Looks now; a look that is under way is waited for instead. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const why = await this.health.look();
    const changed = (why === null) !== (this.gate.closed === null);
    this.gate.set(why);
    if (changed) {
      this.#since = new Date();
      this.say(
        why === null
          ? 'this host is healthy again and takes work'
          : `this host takes no more work until it is healthy again: ${why}`,
      );
    }
    await this.#reexamine();
    const { devices } = this.reporter;
    // who has a device changes faster than the health of a host
    const due = devices !== null || performance.now() - this.#reportedAt >= REPORT_MS;
    // the store may be unreachable; the next look reports again
    if (changed || due) void this.#report(why).catch(() => undefined);
  }

  /** Gives accelerators work again that are well. One that cannot be asked for now is asked for at the next look. */
  async #reexamine(): Promise<void> {
    const well = (await this.reporter.devices?.reexamine().catch(() => [])) ?? [];
    for (const { uuid } of well) this.say(`device ${uuid} is well again and gets work`);
  }

  async #report(why: string | null): Promise<void> {
    const { devices: own, ...reporter } = this.reporter;
    const devices = ((await own?.report().catch(() => [])) ?? []).map(reported);
    const said = {
      ...reporter,
      healthy: why === null,
      why,
      since: this.#since,
      devices,
      at: new Date(),
    };
    await this.hosts.report({ _id: this.#id, ...said });
    this.#reportedAt = performance.now();
  }

  /** Refuses what an earlier poll still brings while the gate is closed, and looks again after every fault of the host. */
  interceptor(): () => { inbound: ActivityInboundCallsInterceptor } {
    return () => ({
      inbound: {
        execute: async (input, next) => {
          const { closed } = this.gate;
          if (closed !== null) throw refusal(closed);
          try {
            return await next(input);
          } catch (error) {
            const fault = hostFaultIn(error);
            if (fault === null) throw error;
            await this.look();
            throw fault;
          }
        },
      },
    });
  }
}

const reported = ({ state, quarantined, ...device }: DeviceReport): HostDevice => ({
  uuid: device.uuid,
  index: device.index,
  name: device.name,
  memoryBytes: device.memoryBytes,
  driver: device.driver,
  present: state !== null,
  usedBytes: state?.usedBytes ?? null,
  utilisation: state?.utilisation ?? null,
  throttled: [...(state?.throttled ?? [])],
  heldFor: device.heldFor,
  unfit: quarantined === null ? null : { reason: quarantined.reason, since: quarantined.since },
});

/** Another host may take it at once. */
function refusal(why: string): ApplicationFailure {
  return ApplicationFailure.create({
    message: `this host takes no work: ${why}`,
    type: 'HOST_FAULT',
    nextRetryDelay: 1000,
  });
}

/** Error codes of the system for a disk or a table of the host that is used up. */
const HOST_CODES = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE']);

/** Errors of ours that can mean that this host is not well. */
const HOST_ERRORS: ReadonlySet<ErrorCode> = new Set(['HOST_FAULT', 'DEVICE_FAULT']);

function hostFaultIn(error: unknown): AssayError | null {
  if (error instanceof AssayError) return HOST_ERRORS.has(error.code) ? error : null;
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (typeof code !== 'string' || !HOST_CODES.has(code)) return null;
  return new AssayError('HOST_FAULT', messageOf(error), { cause: error });
}
