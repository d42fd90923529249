import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AssayError } from '../domain/errors.js';
import type { Wheel } from '../domain/task/schema/environment.js';
import { downloadFile } from './download.js';

/**
 * Brings wheels, each once a host; returns their files, whose names are those of their addresses, as pip needs them.
 * @throws AssayError PYTHON_UNAVAILABLE
 */
export async function bringWheels(
  cache: string,
  wheels: readonly Wheel[],
  signal: AbortSignal,
): Promise<string[]> {
  const files: string[] = [];
  for (const wheel of wheels) files.push(await bringWheel(cache, wheel, signal));
  return files;
}

/** The name by which pip knows what a wheel is of. @throws AssayError PYTHON_UNAVAILABLE */
function wheelName(url: string, address: string): string {
  const last = basename(new URL(address).pathname).replaceAll(/%2B/gi, '+');
  if (/^[\w.+-]+\.whl$/.test(last)) return last;
  throw new AssayError('PYTHON_UNAVAILABLE', `${url} does not end with the name of a wheel`, {
    remedy: 'Name the file of the wheel itself, as in torch-2.9.1-cp312-cp312-manylinux_2_28_x86_64.whl.',
  });
}

/** What is there is kept where it is whole; what an interrupted download has left is continued. */
async function bringWheel(
  cache: string,
  { url, sha256: digest }: Wheel,
  signal: AbortSignal,
): Promise<string> {
  const address = url.startsWith('/') ? pathToFileURL(url).href : url;
  const file = join(cache, 'wheels', digest, wheelName(url, address));
  const failure = await downloadFile({ url: address, to: file, sha256: digest }, signal);
  if (failure === null) return file;
  throw new AssayError('PYTHON_UNAVAILABLE', `the wheel ${url} cannot be used: ${failure}`, {
    remedy:
      'Correct its address and SHA-256 in task.yaml, connect this host to the network, or put the wheel into the folder that ASSAY_MIRROR names.',
  });
}
