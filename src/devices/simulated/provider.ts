import { createConnection } from 'node:net';
import { join } from 'node:path';
import { AssayError, messageOf } from '../../domain/errors.js';
import type { Device, DeviceAccess } from '../../domain/devices/device.js';
import type { DeviceState } from '../../domain/devices/device-state.js';
import type { DeviceProvider } from '../provider.js';
import { CONTROL_SOCKET, deviceSocket, stateAnswerSchema, type SimulatedState } from './protocol.js';

const ANSWERS_WITHIN_MS = 10_000;
const FULL_CLOCK_MHZ = 1000;

/** Devices of a daemon that simulates them, found by its folder. */
export class SimulatedProvider implements DeviceProvider {
  readonly kind = 'simulated';

  constructor(private readonly folder: string) {}

  async discover(): Promise<Device[]> {
    return (await this.#ask()).map(({ uuid, index, name, totalBytes }) => ({
      uuid,
      index,
      name,
      memoryBytes: totalBytes,
      driver: 'simulated',
      computeMode: 'Default',
      divided: false,
    }));
  }

  async look(): Promise<ReadonlyMap<string, DeviceState>> {
    return new Map((await this.#ask()).map((state) => [state.uuid, stateOf(state)]));
  }

  access(devices: readonly Device[]): Promise<DeviceAccess> {
    return Promise.resolve({
      uuids: devices.map(({ uuid }) => uuid),
      nodes: devices.map(({ index }) => join(this.folder, deviceSocket(index))),
      readable: [],
    });
  }

  async #ask(): Promise<SimulatedState[]> {
    try {
      return stateAnswerSchema.parse(JSON.parse(await answerOf(join(this.folder, CONTROL_SOCKET)))).devices;
    } catch (error) {
      throw new AssayError('DEVICE_FAULT', `the simulated devices do not answer: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

function stateOf({ uuid, usedBytes, totalBytes, connections, faults, errors }: SimulatedState): DeviceState {
  const slow = faults.includes('throttle');
  return {
    uuid,
    usedBytes,
    totalBytes,
    holders: Array.from({ length: connections }, () => ({ pid: null, bytes: 0 })),
    utilisation: connections > 0 ? 1 : 0,
    clockMhz: slow ? FULL_CLOCK_MHZ / 2 : FULL_CLOCK_MHZ,
    throttled: slow ? ['hardware thermal slowdown'] : [],
    uncorrected: errors,
  };
}

/** One line of a socket's answer. */
function answerOf(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(path, () => socket.write('state\n'));
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWERS_WITHIN_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', (part: string) => {
      text += part;
      const end = text.indexOf('\n');
      if (end === -1) return;
      resolve(text.slice(0, end));
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
  });
}
