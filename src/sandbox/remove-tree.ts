import { rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { AssayError } from '../domain/errors.js';
import { endedWell, runTrusted } from './process/trusted-command.js';

const SECONDS = 120;

/**
 * Removes a folder that a hostile program has filled, whatever it holds: folders nested deeper than the longest path
 * that can be named, files that root may not remove, millions of files. One that does not exist is no error.
 * @throws AssayError HOST_FAULT when it cannot be removed
 */
export async function removeTree(folder: string): Promise<void> {
  const simple = await rm(folder, { recursive: true, force: true }).then(
    () => true,
    () => false,
  );
  if (simple) return;
  // attributes that keep even root from removing a file
  if (process.platform === 'linux')
    await run(['chattr', '-R', '-f', '-i', '-a', folder]).catch(() => undefined);
  // a sealed folder, or one that a program closed, lets only root remove what it holds
  if (process.getuid?.() !== 0) await run(['chmod', '-R', '-f', 'u+rwX', folder]).catch(() => undefined);
  // it goes from folder to folder instead of naming each from the top
  const result = await run(['rm', '-rf', '--', folder]);
  if (!endedWell(result))
    throw new AssayError('HOST_FAULT', `${folder} cannot be removed: ${result.log.slice(-300)}`);
}

function run(argv: readonly string[]) {
  return runTrusted(argv, {
    cwd: '/',
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    timeoutS: SECONDS,
    signal: new AbortController().signal,
    id: `remove-${randomUUID()}`,
  });
}
