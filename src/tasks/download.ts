import { join } from 'node:path';
import { AssayError, messageOf } from '../domain/errors.js';
import { networkVariables } from '../domain/network.js';
import { withoutPasswords } from '../domain/text/redaction.js';
import { endedWell, runTrusted } from '../sandbox/process/trusted-command.js';
import { activePython } from './active-python.js';
import { mirrorFolder } from './home.js';
import { KIT_SOURCE, PREPARE_KIT } from './kit.js';

const SECONDS = 3600;

/** A file to be brought. */
export interface Download {
  url: string;
  to: string;
  /** SHA-256 in hexadecimal; null where only the connection vouches for it. */
  sha256: string | null;
}

/**
 * Brings a file as preparations do: by the proxies of the environment, from ASSAY_MIRROR where that has it, resumed
 * where it was cut. Returns null, or in words why it could not.
 */
export async function downloadFile(
  { url, to, sha256 }: Download,
  signal: AbortSignal,
): Promise<string | null> {
  const { interpreter } = await activePython(signal);
  const { HOME: home } = process.env;
  const mirror = mirrorFolder();
  const env = {
    ...networkVariables(process.env),
    ...(mirror === null ? {} : { ASSAY_MIRROR: mirror }),
    ...(home === undefined ? {} : { HOME: home }),
    LANG: 'C.UTF-8',
  };
  const program = join(KIT_SOURCE, PREPARE_KIT);
  const argv = [interpreter.executable, program, url, to, ...(sha256 === null ? [] : [sha256])];
  try {
    const result = await runTrusted(argv, { cwd: '/', env, timeoutS: SECONDS, signal });
    return endedWell(result) ? null : withoutPasswords(env, result.log).trim().slice(-600) || 'no answer';
  } catch (error) {
    if (error instanceof AssayError) return messageOf(error);
    throw error;
  }
}
