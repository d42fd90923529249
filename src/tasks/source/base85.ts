const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ALPHABET = `0123456789${LETTERS}${LETTERS.toLowerCase()}!#$%&()*+-;<=>?@^_\`{|}~`;
const DIGITS = new Map(Array.from(ALPHABET, (digit, value) => [digit, value]));
const HIGHEST = '~';
const [GROUP, BYTES] = [5, 4];

/** Decodes base 85 as Python's `base64.b85encode` writes it; null where a text is none. */
export function decodeBase85(text: string): Uint8Array | null {
  const missing = (GROUP - (text.length % GROUP)) % GROUP;
  const padded = text + HIGHEST.repeat(missing);
  const bytes = new Uint8Array((padded.length / GROUP) * BYTES);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < padded.length; at += GROUP) {
    let value = 0;
    for (const digit of padded.slice(at, at + GROUP)) value = value * 85 + (DIGITS.get(digit) ?? NaN);
    if (!(value < 2 ** 32)) return null;
    view.setUint32((at / GROUP) * BYTES, value);
  }
  return bytes.subarray(0, bytes.length - missing);
}
