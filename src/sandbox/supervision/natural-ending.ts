import { constants } from 'node:os';
import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';
import { diskUse } from '../host/disk-use.js';
import { diedWithThisProcess } from '../process/kill-on-exit.js';
import { largestFile } from '../process/shell.js';
import type { Ending } from '../run.js';
import type { Plan } from './start-program.js';

/** Ending of the first process: what the event `exit` carries. */
export const exitSchema = z
  .tuple([z.number().nullable(), z.string().nullable()])
  .transform(([code, signal]) => ({ code, signal }));
export type Exit = z.infer<typeof exitSchema>;

/** What is known of a program that has ended. */
export interface Ended {
  exit: Exit;
  /** Moment of its start, by the monotonic clock. */
  began: number;
  /** Exit code that its wrapper reported; null where it reported none. */
  reported: number | null;
  /** Reads what its wrapper complained of. */
  complaint: () => string;
}

/**
 * The ending of a program that was not ended by the harness: what it was refused, or wrote too much of, counts as well.
 * @throws AssayError HOST_FAULT where it is the host's, or the sandbox's
 */
export async function naturalEnding({ launch, request }: Plan, of: Ended): Promise<Ending> {
  const { exit, began, reported, complaint } = of;
  const { code, signal } = exit;
  if (signal !== null && diedWithThisProcess(signal, began))
    throw new AssayError('HOST_FAULT', `it was ended by the ${signal} that ends its worker`);
  if (launch.reports && reported === null && signal === null) {
    const words = complaint().trim();
    throw new AssayError(
      'HOST_FAULT',
      `the sandbox could not be set up: ${words || `exit code ${code ?? '?'}`}`,
    );
  }
  const ending = endingOf(code, signal);
  const well = ending.kind === 'exited' && ending.code === 0;
  const refused = launch.hold?.refused() ?? null;
  // a program that was refused something and still did what it should has kept its limit
  if (refused !== null && !well) return refused;
  const { diskBytes: allowed } = request.limits;
  if (request.writable.length === 0) return ending;
  const { bytes, largest } = await diskUse(request.writable);
  const tooMuch = bytes > allowed || largest >= largestFile(request.limits);
  if (!tooMuch && !(ending.kind === 'signalled' && ending.signal === 'SIGXFSZ')) return ending;
  return { kind: 'limit', limit: 'disk', used: Math.max(bytes, largest), allowed };
}

/** A shell, and bubblewrap, report a death by signal n as exit code 128 + n; it is named as what it is. */
function endingOf(code: number | null, signal: string | null): Ending {
  if (signal !== null) return { kind: 'signalled', signal };
  const name = Object.entries(constants.signals).find(([, value]) => value + 128 === code)?.[0];
  return name === undefined ? { kind: 'exited', code: code ?? 1 } : { kind: 'signalled', signal: name };
}
