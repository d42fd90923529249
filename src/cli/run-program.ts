import { isGrpcServiceError } from '@temporalio/client';
import { CommanderError, type Command } from 'commander';
import { z } from 'zod';
import { AssayError, ERRORS, messageOf } from '../domain/errors.js';
import { isStoreOutage } from '../lineage/lineage.js';
import { endAtFirstSignal, endRequest, interruption } from './terminal/interrupt.js';
import { assayProgram } from './program.js';
import { printError, report, say } from './terminal/terminal.js';

const USAGE = 2;

/** `start --watch` follows as `watch` does. */
const watchSchema = z.looseObject({ watch: z.boolean().default(false) });

/** Commands that drain or take their leave when they are interrupted; the others end at once. */
const ENDS_IN_ORDER = new Set(['demo', 'dev', 'worker', 'watch', 'submit']);

/** Runs one command line (without program names) and returns its exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const flags = { json: args.includes('--json'), debug: args.includes('--debug') };
  if (args.includes('--no-color')) process.env['NO_COLOR'] = '1';
  const program = await assayProgram(args);
  program.hook('preAction', (_, action) => listenFor(action));
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const early = interruption();
    if (early !== null) {
      if (error !== early) report(known(error), flags);
      say('stopped before it began; the same command begins again');
      return early.exitCode;
    }
    if (error instanceof CommanderError) return usage(error, flags.json);
    return report(known(error), flags);
  }
}

/** Commander has said what is wrong, or printed the help that was asked for. */
function usage({ exitCode, message }: CommanderError, json: boolean): number {
  if (exitCode === 0) return 0;
  if (json) printError('USAGE', message.replace(/^error: /, ''), ERRORS.USAGE.remedy);
  return USAGE;
}

/** Servers that the command started are killed as this process exits. */
function listenFor(action: Command): void {
  const { watch } = watchSchema.parse(action.opts());
  if (watch || ENDS_IN_ORDER.has(action.name())) endRequest();
  else endAtFirstSignal();
}

/** Workers retry by themselves; a command has ended. */
const RUN_AGAIN = 'Check the store that `assay doctor` names, then run the command again.';

/** Maps what a server's client throws for an unreachable server to the error registry. */
function known(error: unknown): unknown {
  if (isStoreOutage(error))
    return new AssayError('STORE_UNREACHABLE', `the store does not answer: ${messageOf(error)}`, {
      cause: error,
      remedy: RUN_AGAIN,
    });
  if (error instanceof AssayError && error.code === 'STORE_UNREACHABLE')
    return new AssayError(error.code, error.message, { cause: error.cause, remedy: RUN_AGAIN });
  if (error instanceof AssayError) return error;
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
