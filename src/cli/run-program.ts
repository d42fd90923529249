import { isGrpcServiceError } from '@temporalio/client';
import { CommanderError, type Command } from 'commander';
import { AssayError, messageOf } from '../domain/errors.js';
import { isStoreOutage } from '../lineage/lineage.js';
import { INTERRUPTED } from './interrupt.js';
import { assayProgram } from './program.js';
import { report } from './terminal.js';

const USAGE = 2;

/** Commands that end at once on Ctrl-C; the others drain or take their leave by themselves. */
const ENDS_AT_ONCE = new Set([
  'status',
  'trials',
  'show',
  'log',
  'doctor',
  'task',
  'pause',
  'resume',
  'stop',
  'replay',
  'start',
]);

/** Runs one command line (without program names) and returns its exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const debug = args.includes('--debug');
  if (args.includes('--no-color')) process.env['NO_COLOR'] = '1';
  const program = await assayProgram(args);
  program.hook('preAction', (_, action) => endOnInterrupt(action));
  program.hook('preAction', (_, action) => endOnInterrupt(action));
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    return report(known(error), debug);
  }
}

/** Servers that the command started are told to end as this process exits. */
function endOnInterrupt(action: Command): void {
  const names = [action.name(), action.parent?.name() ?? ''];
  if (names.some((name) => ENDS_AT_ONCE.has(name))) process.once('SIGINT', () => process.exit(INTERRUPTED));
}

/** What a server's client throws when the server is away, in the words of the registry. */
function known(error: unknown): unknown {
  if (error instanceof AssayError) return error;
  if (isStoreOutage(error))
    return new AssayError('STORE_UNREACHABLE', `the store does not answer: ${messageOf(error)}`, {
      cause: error,
    });
  if (isGrpcServiceError(error))
    return new AssayError(
      'TEMPORAL_UNAVAILABLE',
      `Temporal does not answer: ${error.details || error.message}`,
      {
        cause: error,
      },
    );
  return error;
}
