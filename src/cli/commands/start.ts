import type { Command } from 'commander';
import { helpText } from './help-text.js';
import { whenRun } from './when-run.js';

export function register(program: Command): void {
  program
    .command('start')
    .description('start a campaign')
    .option('--task <name|folder>', 'a task by name or digest, or a task folder of yours, which is uploaded')
    .option('--profile <name>', 'profile of the task (default: what stands outside its profiles)')
    .option('--name <name>', 'name of the campaign (default: the task and a number)')
    .option('--trials <n>', 'end after this many trials')
    .option('--hours <h>', 'end after this many hours')
    .option('--dollars <usd>', 'pause when this much money is spent')
    .option(
      '--model <id>',
      'model of the specialists (default: Claude with a key, else the offline proposer)',
    )
    .option(
      '--models <id=weight,…>',
      'several models; each session draws its own by weight (default weight: 1)',
    )
    .option('--effort <effort>', 'low, medium, high, xhigh or max (default: the provider’s)')
    .option('--thinking <adaptive|off>', 'off: models are not asked to think (default: adaptive)')
    .option('--max-tokens <n>', 'tokens of one reply; one that is cut off doubles it (default 32000)')
    .option('--session-trials <n>', 'trials after which a session ends with a note (default 4)')
    .option('--train-seconds <s>', 'training budget instead of the task’s')
    .option(
      '--rule <rule>',
      'decision rule: posterior (default), threshold, greedy, or posterior@1 (its first version)',
    )
    .option('--calibration <n>', 'runs of the start recipe before the search (default: the task’s)')
    .option(
      '--claim-runs <n>',
      'fresh runs of the start and of the best recipe at the end, for what is claimed (default 8, and 1 in a deterministic task); 0: claim nothing',
    )
    .option('--claim-at <n,…>', 'also claim the frontier when this many trials have ended, such as 50,100')
    .option('--specialists <roles>', 'comma-separated; ROLE or ROLE:LANES')
    .option(
      '--roles <who>',
      'specialists (default), single (one generalist), or generic:N (N lanes with the same prompt)',
    )
    .option(
      '--lineage <on|off>',
      'off: a control arm, in which no conversation sees an outcome of a trial that it did not submit (default: on)',
    )
    .option(
      '--workbench <auto|on|off>',
      'commands of sessions on a copy of their workspace (default auto: on hosts that isolate them, tiers A to C)',
    )
    .option('--probes <n>', 'charged runs on training data that one session may make (default 6; 0: none)')
    .option(
      '--donors <domains>',
      'comma-separated domains that sessions may search and fetch from through the provider, or any (default: none)',
    )
    .option(
      '--warm-start <name[:n]>',
      'measure the frontier of another campaign first, or the newest N steps of it, as trials of this one',
    )
    .option('--priority <1..5>', 'its work comes before that of campaigns with a higher number (default 3)')
    .option(
      '--isolation <tier>',
      'weakest isolation tier, A to E, that its recipes may run under (default: C for a task with accelerators, else any)',
    )
    .option(
      '--host-classes <one|any>',
      'any: hosts unlike the first measure the start before they take trials (default: one class only)',
    )
    .option('--input <json|@file>', 'the whole input as one JSON object; other options override its fields')
    .option('--watch', 'stay and follow it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      helpText({
        notes: `Fields of the input: task, trials, submissions, hours, hoursWithoutGain, dollars, acceleratorSeconds,
trainSeconds, rule, calibration, claim, specialists, roles, lineage,
workbench, probes, donors, warmStart, model, turns, maxTokens, trainHeartbeatSeconds, priority, isolation,
hostClasses.
A worker has to run: \`assay dev\` on one machine, \`assay worker\` elsewhere.`,
        examples: [
          'assay start --task byte-golf --trials 24 --watch',
          'assay start --task ./my-task --profile one-gpu --trials 8',
          'assay start --task ./my-task --name night-1 --hours 8 --dollars 40',
          'assay start --input @campaign.json',
        ],
      }),
    )
    .action(whenRun(() => import('../actions/start.js')));
}
