import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  const task = program
    .command('task')
    .description('make, check, push and list tasks')
    .addHelpText(
      'after',
      helpText({
        examples: [
          'assay task new ./my-task                   a small task in Python that runs as it is',
          'assay task check ./my-task                 its start, measured twice on this machine',
          'assay task push ./my-task                  stores it under its name',
          'assay task estimate byte-golf --trials 50  hours and dollars, before anything is spent',
          'assay task list',
        ],
      }),
    );
  task
    .command('list', { isDefault: true })
    .description('list the bundled tasks and those that were pushed')
    .option('--json', 'print JSON: assay.tasks/1')
    .addHelpText(
      'after',
      helpText({
        examples: ['assay task list', 'assay task list --json'],
      }),
    )
    .action(whenRun(() => import('../actions/task-list.js')));
  task
    .command('new')
    .description('write a small task that runs as it is, to be turned into yours')
    .argument('<dir>', 'folder to make; its last part is the name of the task')
    .option('--language <language>', 'of the recipe: python, javascript or c', 'python')
    .option('--served', 'the recipe answers as a server (python only)')
    .option('--timed', 'the recipe is judged by how long it trains (python only)')
    .option('--profiles', 'in two sizes, full and quick')
    .option('--json', 'print JSON: assay.new-task/1')
    .addHelpText(
      'after',
      helpText({
        examples: [
          'assay task new ./my-task',
          'assay task new ./my-task --language c',
          'assay task new ./my-task --served',
          'assay task new ./my-task --timed --profiles',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/task-new.js')));
  task
    .command('check')
    .description('check a task folder and measure its start twice, without servers')
    .argument('<dir>', 'folder with a task.yaml')
    .option('--profile <name>', 'profile to check (default: what stands outside its profiles)')
    .option('--slots <n>', 'slots that the workers here have (default: all cores but one, as theirs)')
    .option('--json', 'print JSON: assay.task-check/1')
    .addHelpText(
      'after',
      helpText({
        notes: `Its data are prepared for this check alone, so that a long preparation takes as long as ever.`,
        examples: [
          'assay task check ./my-task',
          'assay task check ./my-task --profile ci',
          'assay task check ./my-task --json',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/task-check.js')));
  task
    .command('prepare')
    .description('prepare the Python and the data of a task on this host, before its workers do')
    .argument('<task>', 'a task by name or digest, or a task folder (with a slash, as ./my-task)')
    .option('--profile <name>', 'profile to prepare (default: what stands outside its profiles)')
    .option('--json', 'print lines of JSON: assay.prepare-progress/1, then assay.prepared/1')
    .addHelpText(
      'after',
      helpText({
        notes: `Takes as long as it takes; what is cut continues when it is run again. Data belong to the task as it is now: a
changed folder is another task, whose downloads are kept.`,
        examples: ['assay task prepare ./my-task --profile paper', 'assay task prepare byte-golf'],
      }),
    )
    .action(whenRun(() => import('../actions/task-prepare.js')));
  task
    .command('schema')
    .description('print the JSON Schema of task.yaml, for editors')
    .addHelpText(
      'after',
      helpText({
        notes: `docs/task.schema.json is the same; an editor that knows yaml-language-server reads it where the first line of
task.yaml is: # yaml-language-server: $schema=FILE`,
        examples: ['assay task schema > task.schema.json'],
      }),
    )
    .action(whenRun(() => import('../actions/task-schema.js')));
  task
    .command('estimate')
    .description('tell what a campaign would take, by runs that were measured, before anything is spent')
    .argument('<task|folder|campaign>', 'a task, or a campaign whose settings are taken')
    .option('--profile <name>', 'profile of the task (default: what stands outside its profiles)')
    .option('--trials <n>', 'trials of the campaign (default: 24, or those of the campaign)')
    .option('--leases <n>', 'runs that may be under way at the same time', '1')
    .option('--hour-price <usd>', 'price of one accelerator (or slot) for an hour, in dollars')
    .option('--json', 'print JSON: assay.estimate/1')
    .addHelpText(
      'after',
      helpText({
        notes: `Rests on whole runs of the task in this store; where there are none, on the task's limits, as the most it may take.`,
        examples: [
          'assay task estimate byte-golf',
          'assay task estimate cifar10-airbench96 --profile one-gpu --trials 100 --leases 8 --hour-price 2.5',
          'assay task estimate night-1 --trials 200 --json',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/task-estimate.js')));
  task
    .command('source')
    .description('write the files that a task takes from other repositories, to look at them')
    .argument('<dir>', 'folder with a task.yaml')
    .requiredOption('--into <folder>', 'folder to make, or an empty one')
    .option('--upstream', 'as the repositories have them, without the patch')
    .option('--json', 'print JSON: assay.task-source/1')
    .addHelpText(
      'after',
      helpText({
        notes: `Files come from the folder that ASSAY_MIRROR names (OWNER/NAME or NAME in it), else by git, else from the archive
of the commit; after the first time from ASSAY_HOME.`,
        examples: [
          'assay task source ./my-task --into ./assembled',
          'assay task source ./my-task --into ./upstream --upstream',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/task-source.js')));
  task
    .command('push')
    .description('check a task folder and store it under its name')
    .argument('<dir>', 'folder with a task.yaml')
    .option('--profile <name>', 'store this profile alone (default: all of them)')
    .option('--json', 'print JSON: assay.pushed/1')
    .addHelpText(
      'after',
      helpText({
        notes: `A profile that is not the default is stored as NAME@PROFILE, which \`assay start --task\` takes as well.`,
        examples: ['assay task push ./my-task', 'assay task push ./my-task --profile ci'],
      }),
    )
    .action(whenRun(() => import('../actions/task-push.js')));
}
