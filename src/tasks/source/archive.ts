import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from '../../domain/task/schema/source.js';
import { endedWell, runTrusted } from '../../sandbox/process/trusted-command.js';
import { downloadFile } from '../download.js';
import { unavailable } from './unavailable.js';

/**
 * Brings the archive of a commit, as the usual hosts of repositories offer it, and unpacks it; returns its folder.
 * @throws AssayError SOURCE_UNAVAILABLE
 */
export async function unpackCommit(
  pin: Pick<Source, 'repository' | 'commit'>,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const file = join(folder, 'commit.tar.gz');
  const address = `${pin.repository.replace(/\.git$/, '')}/archive/${pin.commit}.tar.gz`;
  const failure = await downloadFile({ url: address, to: file, sha256: null }, signal);
  if (failure !== null) throw unavailable(pin, failure);
  const into = join(folder, 'commit');
  await mkdir(into);
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  const unpacked = await runTrusted(['tar', '-xzf', file, '-C', into], {
    cwd: folder,
    env,
    timeoutS: 600,
    signal,
  });
  if (!endedWell(unpacked)) throw unavailable(pin, `its archive cannot be unpacked: ${unpacked.log}`);
  const [root = ''] = await readdir(into);
  return join(into, root);
}
