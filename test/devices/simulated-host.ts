import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostDevices } from '../../src/devices/host-devices.js';
import { SimulatedDevices } from '../../src/devices/simulated/daemon.js';
import { deviceSocket } from '../../src/devices/simulated/protocol.js';
import { SimulatedProvider } from '../../src/devices/simulated/provider.js';

export const GIB = 1024 ** 3;

/** A host with simulated devices, and its leases. */
export interface SimulatedTestHost {
  daemon: SimulatedDevices;
  /** Folder of the devices' sockets. */
  sockets: string;
  host: HostDevices;
  /** The same devices as another worker of the host sees them. */
  again: () => Promise<HostDevices>;
  stop: () => Promise<void>;
}

export async function simulatedHost(count: number, backWithinMs = 1500): Promise<SimulatedTestHost> {
  const folder = await mkdtemp(join(tmpdir(), 'devices-'));
  const sockets = join(folder, 's');
  const daemon = await SimulatedDevices.start({ folder: sockets, count, memoryBytes: GIB });
  const again = () =>
    HostDevices.open(new SimulatedProvider(sockets), {
      pool: 'gpu',
      folder: join(folder, 'leases'),
      backWithinMs,
    });
  const stop = async (): Promise<void> => {
    await daemon.stop();
    await rm(folder, { recursive: true });
  };
  return { daemon, sockets, host: await again(), again, stop };
}

/** A process on a simulated device, as a program of this test. */
export async function occupy(sockets: string, index: number, who: string, bytes: number): Promise<Socket> {
  const socket = createConnection(join(sockets, deviceSocket(index)));
  const answered = new Promise<void>((resolve, reject) => {
    let lines = 0;
    socket.on('error', reject);
    socket.on('data', (text) => {
      lines += text.toString().split('\n').length - 1;
      if (lines >= 2) resolve();
    });
  });
  socket.write(`hello ${who}\nhold ${bytes}\n`);
  await answered;
  return socket;
}
