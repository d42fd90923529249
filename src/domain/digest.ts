import { createHash, createHmac } from 'node:crypto';

/** SHA-256 in hex. */
export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The digest of a tree: its paths and content digests, independent of their order. */
export function treeDigest(files: readonly { path: string; sha256: string }[]): string {
  const lines = files.map((file) => `${file.path}\0${file.sha256}\n`).sort();
  return sha256(lines.join(''));
}

/**
 * The seed of one replicate, in 0 … 2³¹−1, by HMAC from the campaign's secret, so that a recipe cannot know it
 * beforehand and an edit that leaves what training reads unchanged measures under the same seed.
 */
export function seedOf(secret: string, purpose: string, reads: string, index: number): number {
  const mac = createHmac('sha256', secret).update(`${purpose}\0${reads}\0${index}`).digest();
  return mac.readUInt32BE(0) >>> 1;
}
