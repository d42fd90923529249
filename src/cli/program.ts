import { Command } from 'commander';
import { ASSAY_VERSION } from '../lineage/assay-version.js';
import { register as artifact } from './commands/artifact.js';
import { register as audit } from './commands/audit.js';
import { register as best } from './commands/best.js';
import { register as budget } from './commands/budget.js';
import { register as cancel } from './commands/cancel.js';
import { register as checkout } from './commands/checkout.js';
import { register as costs } from './commands/costs.js';
import { register as demo } from './commands/demo.js';
import { register as dev } from './commands/dev.js';
import { register as devices } from './commands/devices.js';
import { register as diff } from './commands/diff.js';
import { register as doctor } from './commands/doctor.js';
import { register as exportCampaign } from './commands/export.js';
import { register as gc } from './commands/gc.js';
import { helpText } from './commands/help-text.js';
import { register as importCampaign } from './commands/import.js';
import { register as keepStore } from './commands/keep-store.js';
import { register as log } from './commands/log.js';
import { register as pause } from './commands/pause.js';
import { register as reconcile } from './commands/reconcile.js';
import { register as replay } from './commands/replay.js';
import { register as report } from './commands/report.js';
import { register as reset } from './commands/reset.js';
import { register as resume } from './commands/resume.js';
import { register as session } from './commands/session.js';
import { register as show } from './commands/show.js';
import { register as start } from './commands/start.js';
import { register as status } from './commands/status.js';
import { register as stop } from './commands/stop.js';
import { register as submit } from './commands/submit.js';
import { register as task } from './commands/task.js';
import { register as terminate } from './commands/terminate.js';
import { register as tree } from './commands/tree.js';
import { register as trials } from './commands/trials.js';
import { register as watch } from './commands/watch.js';
import { register as worker } from './commands/worker.js';

/** Every command, by the part of the help it stands in. */
const COMMANDS: Readonly<Record<string, readonly ((program: Command) => void)[]>> = {
  'Begin:': [demo, doctor],
  'Run:': [dev, worker, start, submit, task, keepStore],
  'Read:': [status, watch, trials, tree, show, diff, session, log, costs, report, devices, audit, replay],
  'Take out and in:': [best, checkout, artifact, exportCampaign, importCampaign],
  'Control:': [pause, resume, stop, cancel, terminate, reset, budget, reconcile, gc],
};

const EXAMPLES = [
  'assay demo                                          a small campaign on this machine, no key needed',
  'assay dev                                           servers and workers, until Ctrl-C',
  'assay start --task byte-golf --trials 24 --watch    a campaign, in another terminal',
  'assay status night-1                                what it does, what it has spent',
  'assay show night-1/t00007                           one trial, with its diff',
  'assay best night-1 ./best                           the best recipe, with what is claimed of it',
];

/** The whole command line: light, since what a command does is loaded when it runs. Endings come out as exceptions. */
export function assayProgram(): Command {
  const program = new Command('assay');
  program
    .description(
      'Auto research as a durable application: specialists propose, a program that the recipe cannot touch measures.',
    )
    .version(ASSAY_VERSION, '-V, --version', 'print the version')
    .exitOverride()
    .showHelpAfterError('`--help` shows what is possible.')
    .addHelpText('after', helpText({ examples: EXAMPLES }));
  for (const [group, commands] of Object.entries(COMMANDS)) {
    program.commandsGroup(group);
    for (const register of commands) register(program);
  }
  for (const command of program.commands) finish(command, 'assay');
  return program;
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
