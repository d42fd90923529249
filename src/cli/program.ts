import { Command } from 'commander';
import { register as demo } from './commands/demo.js';
import { register as dev } from './commands/dev.js';
import { register as doctor } from './commands/doctor.js';
import { register as log } from './commands/log.js';
import { register as pause } from './commands/pause.js';
import { register as resume } from './commands/resume.js';
import { register as show } from './commands/show.js';
import { register as start } from './commands/start.js';
import { register as status } from './commands/status.js';
import { register as stop } from './commands/stop.js';
import { register as submit } from './commands/submit.js';
import { register as task } from './commands/task.js';
import { register as trials } from './commands/trials.js';
import { register as watch } from './commands/watch.js';
import { register as worker } from './commands/worker.js';
import { packageVersion } from './version.js';

const GROUPS: [string, ((program: Command) => void)[]][] = [
  ['Begin:', [demo, doctor]],
  ['Run:', [dev, worker, start, submit, task]],
  ['Read:', [status, watch, trials, show, log]],
  ['Control:', [pause, resume, stop]],
];

const EXAMPLES = `Examples:
  assay demo                                          a small campaign on this machine, no key needed
  assay dev                                           servers and workers, until Ctrl-C
  assay start --task byte-golf --trials 24 --watch    a campaign, in another terminal
  assay status night-1                                what it does, what it has spent
  assay show night-1/t00007                           one trial, with its diff
`;

const EVERYWHERE = `
Data goes to stdout, everything else to stderr; NO_COLOR is obeyed.
Exit codes: 0 ok, 1 failed, 2 usage, 3 environment (assay doctor), 4 budget, 130 Ctrl-C.`;

/** The whole command line. Commander's own endings come out as exceptions. */
export function assayProgram(): Command {
  const program = new Command('assay');
  program
    .description('Auto research as a durable application: specialists propose, a program that the recipe cannot touch measures.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .showHelpAfterError('`--help` shows what is possible.')
    .addHelpText('before', EXAMPLES)
    .addHelpText('afterAll', EVERYWHERE);
  for (const [title, commands] of GROUPS) {
    program.commandsGroup(title);
    for (const register of commands) register(program);
  }
  for (const command of program.commands) addCommonFlags(command);
  return program;
}

function addCommonFlags(command: Command): void {
  command.option('--debug', 'show the stack of an error').option('--no-color', 'no colours');
  for (const inner of command.commands) addCommonFlags(inner);
}
