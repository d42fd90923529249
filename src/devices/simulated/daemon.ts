import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  CONTROL_SOCKET,
  deviceSocket,
  type Connection,
  type Fault,
  type SimulatedState,
} from './protocol.js';

/** Devices to simulate. */
export interface SimulatedHost {
  /** Folder of the sockets: its path has to be short, since a socket's name has at most about 100 bytes. */
  folder: string;
  count: number;
  memoryBytes: number;
  name?: string;
  /** Beginning of the devices' uuids, which differ between hosts; default: SIM. */
  prefix?: string;
}

interface SimulatedDevice {
  uuid: string;
  index: number;
  used: number;
  leaked: number;
  errors: number;
  faults: Set<Fault>;
  sockets: Set<Socket>;
}

/** A line of a process on a device: who it is, and how many bytes it takes. */
const LINE = /^(hello|hold) (.+)$/;
const LONGEST_LINE = 4096;

/**
 * Simulates the accelerators of one host: each is a socket. A process that connects says `hello NAME` and `hold BYTES`,
 * is answered with `ok` a line, and holds that memory until it disconnects. Every connection is logged.
 */
export class SimulatedDevices {
  readonly log: Connection[] = [];
  readonly #devices: SimulatedDevice[];
  readonly #servers: Server[] = [];
  readonly #began = performance.now();

  private constructor(private readonly host: SimulatedHost) {
    this.#devices = Array.from({ length: host.count }, (_, index) => ({
      uuid: `${host.prefix ?? 'SIM'}-${index}`,
      index,
      used: 0,
      leaked: 0,
      errors: 0,
      faults: new Set<Fault>(),
      sockets: new Set<Socket>(),
    }));
  }

  static async start(host: SimulatedHost): Promise<SimulatedDevices> {
    const daemon = new SimulatedDevices(host);
    await mkdir(host.folder, { recursive: true });
    await daemon.#listen(CONTROL_SOCKET, (socket) => daemon.#control(socket));
    for (const device of daemon.#devices)
      await daemon.#listen(deviceSocket(device.index), (socket) => daemon.#serve(device, socket));
    return daemon;
  }

  async stop(): Promise<void> {
    for (const { sockets } of this.#devices) for (const socket of sockets) socket.destroy();
    await Promise.all(
      this.#servers.map((server) => new Promise((resolve) => server.close(() => resolve(undefined)))),
    );
    await rm(this.host.folder, { recursive: true, force: true });
  }

  /** Gives a device a fault, or takes it away again; what leaked is freed with the fault. */
  set(index: number, fault: Fault, on: boolean): void {
    const device = this.#devices[index];
    if (device === undefined) throw new RangeError(`there is no simulated device ${index}`);
    if (on) device.faults.add(fault);
    else device.faults.delete(fault);
    if (fault === 'leak' && !on) {
      device.used -= device.leaked;
      device.leaked = 0;
    }
    if (fault === 'memory_errors') device.errors = on ? device.errors + 1 : 0;
    if (fault === 'lost' && on) for (const socket of device.sockets) socket.destroy();
  }

  states(): SimulatedState[] {
    return this.#devices
      .filter(({ faults }) => !faults.has('lost'))
      .map(({ uuid, index, used, faults, errors, sockets }) => ({
        uuid,
        index,
        name: this.host.name ?? 'simulated device',
        usedBytes: used,
        totalBytes: this.host.memoryBytes,
        connections: sockets.size,
        faults: [...faults],
        errors,
      }));
  }

  async #listen(file: string, serve: (socket: Socket) => void): Promise<void> {
    const path = join(this.host.folder, file);
    const server = createServer((socket) => {
      // a process that dies leaves its connection reset
      socket.on('error', () => socket.destroy());
      serve(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject);
      server.listen(path, resolve);
    });
    // the processes of a run are another user's
    await chmod(path, 0o666);
    this.#servers.push(server);
  }

  /** Answers every line with the state of all devices. */
  #control(socket: Socket): void {
    eachLine(socket, () => socket.write(`${JSON.stringify({ devices: this.states() })}\n`));
  }

  #serve(device: SimulatedDevice, socket: Socket): void {
    if (device.faults.has('lost')) {
      socket.destroy();
      return;
    }
    const entry: Connection = { uuid: device.uuid, who: '', from: this.#now(), to: null };
    let held = 0;
    this.log.push(entry);
    device.sockets.add(socket);
    eachLine(socket, (line) => {
      const [, word, value = ''] = LINE.exec(line) ?? [];
      if (word === 'hello') entry.who = value;
      const bytes = word === 'hold' && /^\d{1,15}$/.test(value) ? Number(value) : 0;
      held += bytes;
      device.used += bytes;
      socket.write('ok\n');
    });
    socket.on('close', () => {
      entry.to = this.#now();
      device.sockets.delete(socket);
      if (device.faults.has('leak')) device.leaked += held;
      else device.used -= held;
    });
  }

  #now(): number {
    return performance.now() - this.#began;
  }
}

/** Calls for every line; a peer that sends none within a few KiB is cut off. */
function eachLine(socket: Socket, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
    if (rest.length > LONGEST_LINE) socket.destroy();
  });
}
