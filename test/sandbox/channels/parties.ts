import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Runtime, Sandbox, Served } from '../../../src/sandbox/run.js';
import type { Python } from '../../../src/tasks/python.js';
import { runtimeOf } from '../../../src/tasks/runtime.js';

const PARTY = fileURLToPath(new URL('party.py', import.meta.url));

/** One end of a channel, in its own sandbox. */
export class Party {
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;

  private constructor(readonly served: Served) {
    this.#lines = createInterface({ input: served.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /**
   * `own`: with its own root, like a server that sees held-out data; else with the host's, like a training.
   */
  static async start(sandbox: Sandbox, python: Python, work: string, own: boolean): Promise<Party> {
    const folder = await mkdtemp(join(work, 'party-'));
    const home = join(folder, 'home');
    await mkdir(home);
    const runtime: Runtime = runtimeOf({ spec: {}, python });
    const served = await sandbox.serve({
      id: `party-${randomBytes(6).toString('hex')}`,
      command: `exec python ${PARTY}`,
      cwd: home,
      writable: [home],
      readable: own ? [PARTY] : [PARTY, ...runtime.folders],
      env: { ...python.env, HOME: home },
      limits: {
        wallS: 300,
        memoryBytes: 2 ** 29,
        diskBytes: 2 ** 30,
        logBytes: 65_536,
        processes: 8,
        cpus: 1,
      },
      signal: new AbortController().signal,
      ...(own ? { runtime } : {}),
    });
    served.stdin.on('error', () => undefined);
    return new Party(served);
  }

  async ask(line: string): Promise<string> {
    this.served.stdin.write(`${line}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error(`the party ended: ${(await this.served.done).log}`);
    return answer.value;
  }

  async end(): Promise<void> {
    this.#lines.close();
    await this.served.kill();
  }
}

/** A sender and a receiver; the flags say whether each has its own root. */
export async function pairOf(
  python: Python,
  work: string,
  [from, sends]: [Sandbox, boolean],
  [to, receives]: [Sandbox, boolean],
): Promise<[Party, Party]> {
  return [await Party.start(from, python, work, sends), await Party.start(to, python, work, receives)];
}

/** Message of a step, and the bits of it that the channel can carry. */
export interface Channel {
  name: string;
  bytes: number;
  mask: number;
}

/** Sends bytes from one to the other; returns the part of the steps that arrived as they were sent. */
export async function arrived(
  { name, bytes, mask }: Channel,
  sender: Party,
  receiver: Party,
  message: Buffer,
): Promise<number> {
  const channel = name.replaceAll(' ', '_');
  let [equal, steps] = [0, 0];
  for (let at = 0; at + bytes <= message.length; at += bytes, steps += 1) {
    const part = message.subarray(at, at + bytes);
    await sender.ask(`${channel} clear`);
    await receiver.ask(`${channel} arm`);
    await sender.ask(`${channel} send ${part.toString('hex')}`);
    const got = Buffer.from(await readable(receiver, channel, bytes), 'hex');
    if (got.length === bytes && part.every((byte, index) => (byte & mask) === ((got[index] ?? 0) & mask)))
      equal += 1;
  }
  return equal / steps;
}

async function readable(receiver: Party, channel: string, bytes: number): Promise<string> {
  const said = await receiver.ask(`${channel} receive ${bytes}`);
  return said.startsWith('refused') ? '' : said;
}

/** Creates a message in which every step differs from silence. */
export function message(bytes: number, { mask }: Channel): Buffer {
  const content = randomBytes(bytes);
  for (let at = 0; at < bytes; at += 1) {
    while (((content[at] ?? 0) & mask) === 0) content[at] = randomBytes(1)[0] ?? 0;
  }
  return content;
}
