import { createServer, type Socket } from 'node:net';
import { BSON } from 'mongodb';
import { z } from 'zod';

const HEADER = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

export interface StandIn {
  /** host:port */
  address: string;
  /** The names of the commands that came in. */
  seen: string[];
  stop(): Promise<void>;
}

type Answer = Record<string, unknown>;

const HELLO = {
  ismaster: true,
  minWireVersion: 0,
  maxBsonObjectSize: 16 * 1024 * 1024,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  readOnly: false,
  ok: 1,
};

/**
 * Speaks as much of MongoDB's protocol as a driver needs to be refused: a mongod of another version, or one with
 * logins, is not available everywhere.
 */
export async function startStandIn(
  wireVersion: number,
  answer: (command: string) => Answer,
  /** Further fields of its answer to a handshake. */
  more: (address: string) => Answer = () => ({}),
): Promise<StandIn> {
  const seen: string[] = [];
  let address = '';
  const reply = (asked: BSON.Document): Answer => {
    const name = Object.keys(asked)[0] ?? '';
    seen.push(name);
    if (/^(hello|ismaster)$/i.test(name)) return { ...HELLO, maxWireVersion: wireVersion, ...more(address) };
    return answer(name);
  };
  const server = await listen((socket) => {
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= HEADER && pending.length >= pending.readInt32LE(0)) {
        const message = pending.subarray(0, pending.readInt32LE(0));
        pending = pending.subarray(message.length);
        socket.write(answered(message, reply));
      }
    });
  }, seen);
  address = server.address;
  return server;
}

function answered(message: Buffer, reply: (asked: BSON.Document) => Answer): Buffer {
  const [id, opcode] = [message.readInt32LE(4), message.readInt32LE(12)];
  if (opcode !== OP_QUERY && opcode !== OP_MSG) throw new Error(`an unknown message: ${opcode}`);
  const from = opcode === OP_MSG ? HEADER + 5 : message.indexOf(0, HEADER + 4) + 9;
  const document = message.subarray(from, from + message.readInt32LE(from));
  const body = BSON.serialize(reply(BSON.deserialize(document)));
  const before = Buffer.alloc(opcode === OP_MSG ? 5 : 20);
  if (opcode === OP_QUERY) before.writeInt32LE(1, 16);
  const header = Buffer.alloc(HEADER);
  header.writeInt32LE(HEADER + before.length + body.length, 0);
  header.writeInt32LE(id, 8);
  header.writeInt32LE(opcode === OP_MSG ? OP_MSG : OP_REPLY, 12);
  return Buffer.concat([header, before, body]);
}

/** A server on a free port, whose connections end with it. */
export async function listen(serve: (socket: Socket) => void, seen: string[] = []): Promise<StandIn> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    address: `127.0.0.1:${port}`,
    seen,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
