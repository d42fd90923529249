import { CommanderError, type Command } from 'commander';
import { ERRORS } from '../domain/errors.js';
import { endAtFirstSignal, endRequest, interruption } from './terminal/interrupt.js';
import { assayProgram } from './program.js';
import { printError, report, say } from './terminal/terminal.js';

const USAGE = 2;

/** Commands that drain or take their leave when they are interrupted; the others end at once. */
const ENDS_IN_ORDER = new Set(['demo', 'dev', 'worker', 'watch', 'submit']);

/** Runs one command line (without program names) and returns its exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const flags = { json: args.includes('--json'), debug: args.includes('--debug') };
  if (args.includes('--no-color')) process.env['NO_COLOR'] = '1';
  const program = assayProgram();
  program.hook('preAction', (_, action) => listenFor(action));
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const early = interruption();
    if (early !== null) {
      if (error !== early) report(await known(error), flags);
      say('stopped before it began; the same command begins again');
      return early.exitCode;
    }
    if (error instanceof CommanderError) return usage(error, flags.json);
    return report(await known(error), flags);
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
  // `start --watch` follows as `watch` does
  if (action.getOptionValue('watch') === true || ENDS_IN_ORDER.has(action.name())) endRequest();
  else endAtFirstSignal();
}

/** Loads the clients of the servers, which are heavy, only to map an error of theirs. */
async function known(error: unknown): Promise<unknown> {
  try {
    return (await import('./client-error.js')).knownError(error);
  } catch {
    return error;
  }
}
