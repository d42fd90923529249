import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { AssayError, messageOf } from '../../domain/errors.js';
import { withContext, type CommandContext } from '../context.js';
import {
  checkInput,
  checkName,
  startCampaign,
  startUnderFreeName,
  taskReference,
} from '../use-cases/start-campaign.js';
import { endRequest } from '../terminal/interrupt.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { followOrLeave } from '../follow/follow.js';
import { waitUntilStarted } from '../follow/not-started.js';

interface Flags extends CommonFlags {
  task?: string;
  name?: string;
  trials?: string;
  hours?: string;
  dollars?: string;
  model?: string;
  trainSeconds?: string;
  rule?: string;
  calibration?: string;
  claimRuns?: string;
  claimAt?: string;
  specialists?: string;
  isolation?: string;
  input?: string;
  watch?: boolean;
}

export function register(program: Command): void {
  program
    .command('start')
    .description('start a campaign')
    .option('--task <name|folder>', 'a task by name or digest, or a task folder of yours, which is uploaded')
    .option('--name <name>', 'name of the campaign (default: the task and a number)')
    .option('--trials <n>', 'end after this many trials')
    .option('--hours <h>', 'end after this many hours')
    .option('--dollars <usd>', 'pause when this much money is spent')
    .option(
      '--model <id>',
      'model of the specialists (default: Claude with a key, else the offline proposer)',
    )
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
    .option('--isolation <tier>', 'weakest isolation tier, A to E, that its recipes may run under')
    .option('--input <json|@file>', 'the whole input as one JSON object; other options override its fields')
    .option('--watch', 'stay and follow it')
    .option('--json', 'print JSON')
    .addHelpText(
      'before',
      `
Examples:
  assay start --task byte-golf --trials 24 --watch
  assay start --task ./my-task --name night-1 --hours 8 --dollars 40
  assay start --input @campaign.json

Fields of the input: task, trials, submissions, hours, hoursWithoutGain, dollars, acceleratorSeconds,
trainSeconds, rule, calibration, claim, specialists, model, turns, maxTokens, trainHeartbeatSeconds, isolation.
A worker has to run: \`assay dev\` on one machine, \`assay worker\` elsewhere.`,
    )
    .action(async (flags: Flags) => {
      const input = await inputOf(flags);
      checkInput(input);
      if (flags.name !== undefined) checkName(flags.name);
      const signal = flags.watch === true ? endRequest() : undefined;
      await withContext(['temporal', 'store'], (ground) => begin(ground, input, flags), signal);
    });
}

/** Starts it, and follows it where that is asked for. */
async function begin(ground: CommandContext, input: Input, flags: Flags): Promise<void> {
  const { lineage, servers } = ground;
  const task = await taskReference(lineage, input.task);
  const stem = /^[0-9a-f]{64}$/.test(task) ? 'campaign' : task;
  const client = await ground.client();
  const frozen = { ...input, task };
  const name = flags.name ?? (await startUnderFreeName(client, lineage, stem, frozen));
  if (flags.name !== undefined) await startCampaign(client, lineage, name, frozen);
  if (flags.watch === true) {
    say(`campaign ${name}`);
    process.exitCode = await followOrLeave(ground, name, flags.json === true);
    return;
  }
  if (!servers.owned) await waitUntilStarted(ground, name);
  if (flags.json === true) printJson({ schema: 'assay.started/1', campaign: name, workflowId: name });
  else print(name);
  say(
    servers.owned
      ? `started, but no worker runs here; it begins under \`assay dev\``
      : `started; \`assay watch ${name}\` shows it`,
  );
}

const inputSchema = z.looseObject({ task: z.string() });
type Input = z.infer<typeof inputSchema>;
/** Fields of the claim; options set some and leave the others. */
const claimSchema = z.record(z.string(), z.unknown());

async function inputOf(flags: Flags): Promise<Input> {
  const { task, model, specialists, isolation, rule, trials, hours, dollars, trainSeconds, calibration } =
    flags;
  const input = flags.input === undefined ? {} : parseInput(await textOf(flags.input));
  const claim = claimOf(flags);
  const merged = {
    ...input,
    ...(task === undefined ? {} : { task }),
    ...numbers({ trials, hours, dollars, trainSeconds, calibration }),
    ...(rule === undefined ? {} : { rule }),
    ...(claim === null ? {} : { claim: { ...claimSchema.safeParse(input.claim).data, ...claim } }),
    ...(model === undefined ? {} : { model }),
    ...(isolation === undefined ? {} : { isolation }),
    ...(specialists === undefined ? {} : { specialists: specialists.split(',').map(specialistOf) }),
  };
  const parsed = inputSchema.safeParse(merged);
  if (parsed.success) return parsed.data;
  throw new AssayError('USAGE', 'a campaign needs a task: --task NAME or FOLDER');
}

/** Reads the options about claims; null where there are none. */
function claimOf({ claimRuns, claimAt }: Flags): { runs?: number; at?: number[] } | null {
  const { claimRuns: runs } = numbers({ claimRuns });
  const at = claimAt?.split(',').map((text) => numbers({ claimAt: text }).claimAt ?? 0);
  if (runs === undefined && at === undefined) return null;
  return { ...(runs === undefined ? {} : { runs }), ...(at === undefined ? {} : { at }) };
}

async function textOf(text: string): Promise<string> {
  if (!text.startsWith('@')) return text;
  return readFile(text.slice(1), 'utf8').catch((error: unknown) => {
    throw new AssayError('USAGE', `--input: ${messageOf(error)}`);
  });
}

function parseInput(text: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    throw new AssayError('USAGE', '--input is not one JSON object');
  }
}

function numbers(flags: Record<string, string | undefined>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(flags).flatMap(([name, text]) => {
      if (text === undefined) return [];
      const value = Number(text);
      if (text.trim() !== '' && Number.isFinite(value)) return [[name, value] as const];
      const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      throw new AssayError('USAGE', `--${flag} takes a number, not "${text}"`);
    }),
  );
}

function specialistOf(text: string): string | { role: string; lanes: number } {
  const [role = '', lanes] = text.split(':');
  return lanes === undefined ? role : { role, lanes: Number(lanes) };
}
