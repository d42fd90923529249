import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A way to the store that can be shut in front of one chosen write. */
export interface StoreGate {
  /** The store's address by this way. */
  url: string;
  /** Holds the next message that contains all these texts, and everything after it on its connection. */
  holdAt(...texts: string[]): void;
  /** Settles when a message is held. */
  held(): Promise<void>;
  /** Passes the held messages on to the store. */
  open(): void;
  stop(): Promise<void>;
}

/**
 * Stands between one worker and the store. The wire protocol has its length in front of every message and carries
 * names and texts as they are, so a write can be recognised without being understood.
 */
export async function openStoreGate(storeUrl: string): Promise<StoreGate> {
  const target = new URL(storeUrl);
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let wanted: string[] | null = null;
  let seen = false;

  const pass = async (messages: AsyncIterable<Buffer>, to: Socket): Promise<void> => {
    for await (const message of messages) {
      if (wanted?.every((text) => message.includes(text)) === true) {
        wanted = null;
        seen = true;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      to.write(message);
    }
    to.end();
  };
  const server = createServer((from) => {
    const to = connect({ host: target.hostname, port: Number(target.port) });
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        from.destroy();
        to.destroy();
      });
    }
    to.pipe(from);
    pass(messagesOf(from), to).catch(() => to.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gate has no port');
  const query = new URLSearchParams(target.search);
  query.set('directConnection', 'true');
  return {
    url: `mongodb://127.0.0.1:${address.port}/?${query.toString()}`,
    holdAt: (...texts) => {
      wanted = texts;
      seen = false;
    },
    held: async () => {
      while (!seen) await sleep(20);
    },
    open: () => {
      for (const resume of waiting.splice(0)) resume();
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Whole messages, however the network cut them. */
async function* messagesOf(socket: Socket): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of socket) {
    if (!(chunk instanceof Buffer)) continue;
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
    }
  }
}
