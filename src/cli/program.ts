import { Command } from 'commander';
import { packageVersion } from './version.js';

interface CommandModule {
  register(program: Command): void;
}

/** Every command and the part of the help it stands in. Loaded on demand: workers and servers are heavy. */
const COMMANDS: Record<string, { group: string; load: () => Promise<CommandModule> }> = {
  demo: { group: 'Begin:', load: () => import('./commands/demo.js') },
  doctor: { group: 'Begin:', load: () => import('./commands/doctor.js') },
  dev: { group: 'Run:', load: () => import('./commands/dev.js') },
  worker: { group: 'Run:', load: () => import('./commands/worker.js') },
  start: { group: 'Run:', load: () => import('./commands/start.js') },
  submit: { group: 'Run:', load: () => import('./commands/submit.js') },
  task: { group: 'Run:', load: () => import('./commands/task.js') },
  status: { group: 'Read:', load: () => import('./commands/status.js') },
  watch: { group: 'Read:', load: () => import('./commands/watch.js') },
  trials: { group: 'Read:', load: () => import('./commands/trials.js') },
  show: { group: 'Read:', load: () => import('./commands/show.js') },
  log: { group: 'Read:', load: () => import('./commands/log.js') },
  costs: { group: 'Read:', load: () => import('./commands/costs.js') },
  audit: { group: 'Read:', load: () => import('./commands/audit.js') },
  replay: { group: 'Read:', load: () => import('./commands/replay.js') },
  pause: { group: 'Control:', load: () => import('./commands/pause.js') },
  resume: { group: 'Control:', load: () => import('./commands/resume.js') },
  stop: { group: 'Control:', load: () => import('./commands/stop.js') },
  cancel: { group: 'Control:', load: () => import('./commands/cancel.js') },
  terminate: { group: 'Control:', load: () => import('./commands/terminate.js') },
  reset: { group: 'Control:', load: () => import('./commands/reset.js') },
  budget: { group: 'Control:', load: () => import('./commands/budget.js') },
  reconcile: { group: 'Control:', load: () => import('./commands/reconcile.js') },
};

const EXAMPLES = `Examples:
  assay demo                                          a small campaign on this machine, no key needed
  assay dev                                           servers and workers, until Ctrl-C
  assay start --task byte-golf --trials 24 --watch    a campaign, in another terminal
  assay status night-1                                what it does, what it has spent
  assay show night-1/t00007                           one trial, with its diff
`;

const EVERYWHERE = `
Data goes to stdout, everything else to stderr; NO_COLOR is obeyed.
Exit codes: 0 ok, 1 failed, 2 usage, 3 environment (assay doctor), 4 budget, 130 Ctrl-C, 143 SIGTERM.`;

/**
 * The command line for these arguments: the one command they name, or all of them where help or a suggestion may
 * need them. Commander's own endings come out as exceptions.
 */
export async function assayProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('assay');
  program
    .description(
      'Auto research as a durable application: specialists propose, a program that the recipe cannot touch measures.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .showHelpAfterError('`--help` shows what is possible.')
    .addHelpText('before', EXAMPLES)
    .addHelpText('afterAll', EVERYWHERE);
  for (const { group, load } of neededBy(args)) {
    program.commandsGroup(group);
    (await load()).register(program);
  }
  for (const command of program.commands) finish(command, 'assay');
  return program;
}

function neededBy(args: readonly string[]): (typeof COMMANDS)[string][] {
  const named = COMMANDS[args.find((arg) => !arg.startsWith('-')) ?? ''];
  if (named !== undefined) return [named];
  return args[0] === '-V' || args[0] === '--version' ? [] : Object.values(COMMANDS);
}

/** Adds the options that every command has; `before` are the words in front of its name. */
function finish(command: Command, before: string): void {
  const name = `${before} ${command.name()}`;
  command
    .option('--debug', 'show the stack of an error')
    .option('--no-color', 'no colours')
    .showHelpAfterError(`\`${name} --help\` shows what is possible.`);
  for (const inner of command.commands) finish(inner, name);
}
