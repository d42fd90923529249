import { readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { AssayError } from '../domain/errors.js';
import type { Device, DeviceAccess } from '../domain/devices/device.js';
import type { DeviceState } from '../domain/devices/device-state.js';
import { unlessMissing } from '../sandbox/process/missing.js';
import type { DeviceProvider } from './provider.js';
import { devicesIn, FIELDS, holdersIn, STATE_FIELDS, statesIn } from './nvidia-smi.js';

const ANSWERS_WITHIN_MS = 20_000;
const FORMAT = '--format=csv,noheader,nounits';

/** Nodes of the driver itself, which every program that computes opens; those that exist are given. */
const CONTROL = ['/dev/nvidiactl', '/dev/nvidia-uvm', '/dev/nvidia-uvm-tools'];
/** Nodes that several devices talk to each other by, on boards that have them. */
const LINKS = ['/dev/nvidia-nvlink', '/dev/nvidia-nvswitchctl', '/dev/nvidia-caps-imex-channels'];
/** Parts of /sys that the driver's libraries read: which devices there are, and near which memory they lie. */
const SYSTEM = ['/sys/devices', '/sys/bus/pci', '/sys/module/nvidia', '/sys/module/nvidia_uvm'];

const exitSchema = z.looseObject({ code: z.string().optional(), shortMessage: z.string().optional() });

/** Folder in which the driver tells of itself. */
const DRIVER = '/proc/driver/nvidia';
/** Files there that the driver's libraries read, besides the folders of devices. */
const OF_THE_DRIVER = ['params', 'version'];

/** A device as the driver has it. */
interface Card {
  /** Number of its node: on some hosts they are not those that nvidia-smi counts by. */
  minor: number;
  /** Folder in which the driver tells of it; null where it does not. */
  folder: string | null;
}

/** Devices of NVIDIA, by its program nvidia-smi. */
export class NvidiaDevices implements DeviceProvider {
  readonly kind = 'nvidia';

  /** @param driver folder in which the driver tells of itself */
  constructor(private readonly driver = DRIVER) {}

  async discover(): Promise<Device[]> {
    return devicesIn(await ask(`--query-gpu=${FIELDS}`, FORMAT));
  }

  async look(): Promise<ReadonlyMap<string, DeviceState>> {
    const [states, holders] = await Promise.all([
      ask(`--query-gpu=${STATE_FIELDS}`, FORMAT),
      ask('--query-compute-apps=gpu_uuid,pid,used_gpu_memory', FORMAT),
    ]);
    return statesIn(states, holdersIn(holders));
  }

  async access(devices: readonly Device[]): Promise<DeviceAccess> {
    const cards = await this.#cards();
    const held = devices.map(({ uuid, index }) => cards.get(uuid) ?? { minor: index, folder: null });
    const own = held.map(({ minor }) => `/dev/nvidia${minor}`);
    const shared = [...CONTROL, ...(devices.length > 1 ? LINKS : [])].filter((path) => existsSync(path));
    return {
      uuids: devices.map(({ uuid }) => uuid),
      nodes: [...own, ...shared],
      readable: [
        ...[...SYSTEM, ...OF_THE_DRIVER.map((name) => join(this.driver, name))].filter((path) =>
          existsSync(path),
        ),
        ...held.flatMap(({ folder }) => folder ?? []),
      ],
    };
  }

  /** Finds the devices by uuid as the driver has them. */
  async #cards(): Promise<Map<string, Card>> {
    const cards = new Map<string, Card>();
    const all = join(this.driver, 'gpus');
    for (const card of (await unlessMissing(readdir(all))) ?? []) {
      const folder = join(all, card);
      const text = (await unlessMissing(readFile(join(folder, 'information'), 'utf8'))) ?? '';
      const uuid = /^GPU UUID:\s*(\S+)/m.exec(text)?.[1];
      const minor = /^Device Minor:\s*(\d+)/m.exec(text)?.[1];
      if (uuid !== undefined && minor !== undefined) cards.set(uuid, { minor: Number(minor), folder });
    }
    return cards;
  }
}

/**
 * Asks nvidia-smi.
 * @throws AssayError DEVICE_FAULT when it does not answer
 */
async function ask(...args: string[]): Promise<string> {
  const answer = await execa('nvidia-smi', args, { reject: false, timeout: ANSWERS_WITHIN_MS });
  if (!answer.failed) return answer.stdout;
  const { code, shortMessage } = exitSchema.parse(answer);
  const why =
    code === 'ENOENT' ? 'there is no nvidia-smi on this host' : (shortMessage ?? 'nvidia-smi failed');
  throw new AssayError('DEVICE_FAULT', why);
}
