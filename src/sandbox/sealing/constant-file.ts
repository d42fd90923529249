import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../domain/digest.js';

/** Descriptors of unnamed files, by the digest of what they hold. */
const held = new Map<string, number>();

/**
 * Opens a read-only descriptor, at its beginning, of a file with this content. The file has no name, so that nothing is
 * left of it when this process dies. Linux only. The caller closes it.
 */
export function openConstant(content: string | Uint8Array): number {
  const key = sha256(content);
  const descriptor = held.get(key) ?? unnamed(content);
  held.set(key, descriptor);
  return openSync(`/proc/self/fd/${descriptor}`, 'r');
}

function unnamed(content: string | Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'assay-constant-'));
  const path = join(folder, 'content');
  const descriptor = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
