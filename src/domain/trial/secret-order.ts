import { createCipheriv, createHmac } from 'node:crypto';

const WORD = 4;
/** Words that are drawn at a time. */
const BATCH = 16_384;

/**
 * The secret order in which one process is shown the rows of a file: row i of what it sees is row `order[i]` of the
 * file. It is derived from the campaign's secret and the process's seed, so that the process cannot know it and the
 * evaluator, on whatever host, is told the same one.
 */
export function secretOrder(secret: string, seed: number, rows: number): Uint32Array {
  const draw = uniform(createHmac('sha256', secret).update(`order\0${seed}`).digest());
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  for (let last = rows - 1; last > 0; last -= 1) {
    const other = draw(last + 1);
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return order;
}

/** The order as an evaluator reads it: 32 bits a row, the lowest byte first. */
export function orderBytes(order: Uint32Array): Buffer {
  const bytes = Buffer.alloc(order.length * WORD);
  order.forEach((row, at) => bytes.writeUInt32LE(row, at * WORD));
  return bytes;
}

/** Numbers below a bound, all equally likely, from the key stream of a cipher. */
function uniform(key: Buffer): (below: number) => number {
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  let words = Buffer.alloc(0);
  let at = 0;
  const next = (): number => {
    if (at === words.length) [words, at] = [cipher.update(Buffer.alloc(BATCH * WORD)), 0];
    const word = words.readUInt32LE(at);
    at += WORD;
    return word;
  };
  return (below) => {
    const bound = 2 ** 32 - (2 ** 32 % below);
    for (;;) {
      const word = next();
      if (word < bound) return word % below;
    }
  };
}
