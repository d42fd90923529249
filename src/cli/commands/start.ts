import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { AssayError, messageOf } from '../../domain/errors.js';
import { withGround } from '../ground.js';
import { checkInput, checkName, freeName, startCampaign, taskReference } from '../start-campaign.js';
import { print, printJson, say, type CommonFlags } from '../terminal.js';
import { followToEnd } from '../ending.js';

interface Flags extends CommonFlags {
  task?: string;
  name?: string;
  trials?: string;
  hours?: string;
  dollars?: string;
  model?: string;
  trainSeconds?: string;
  specialists?: string;
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
    .option('--train-seconds <s>', 'training budget instead of the one of the task')
    .option('--specialists <roles>', 'comma-separated; ROLE or ROLE:LANES')
    .option('--input <json|@file>', 'the whole input as one JSON object; other options win over its fields')
    .option('--watch', 'stay and show what happens')
    .option('--json', 'print JSON')
    .addHelpText(
      'before',
      `
Examples:
  assay start --task byte-golf --trials 24 --watch
  assay start --task ./my-task --name night-1 --hours 8 --dollars 40
  assay start --input @campaign.json

Fields of the input: task, trials, submissions, hours, hoursWithoutGain, dollars, acceleratorSeconds,
trainSeconds, calibration, specialists, model, turns, maxTokens, trainHeartbeatSeconds.
A worker has to run: \`assay dev\` on one machine, \`assay worker\` elsewhere.`,
    )
    .action(async (flags: Flags) => {
      const input = await inputOf(flags);
      checkInput(input);
      if (flags.name !== undefined) checkName(flags.name);
      await withGround(['temporal', 'store'], async (ground) => {
        const { lineage } = ground;
        const task = await taskReference(lineage, input.task);
        const stem = /^[0-9a-f]{64}$/.test(task) ? 'campaign' : task;
        const name = flags.name ?? (await freeName(lineage, stem));
        await startCampaign(await ground.client(), lineage, name, { ...input, task });
        if (flags.watch === true) {
          process.exitCode = await followToEnd(ground, name, flags.json === true);
          return;
        }
        if (flags.json === true) printJson({ schema: 'assay.started/1', campaign: name, workflowId: name });
        else print(name);
        say(
          ground.servers.owned
            ? `started, but no worker runs here; it begins under \`assay dev\``
            : `started; \`assay watch ${name}\` shows it`,
        );
      });
    });
}

const inputSchema = z.looseObject({ task: z.string() });

async function inputOf(flags: Flags): Promise<z.infer<typeof inputSchema>> {
  const { task, model, specialists, trials, hours, dollars, trainSeconds } = flags;
  const merged = {
    ...(flags.input === undefined ? {} : parseInput(await textOf(flags.input))),
    ...(task === undefined ? {} : { task }),
    ...numbers({ trials, hours, dollars, trainSeconds }),
    ...(model === undefined ? {} : { model }),
    ...(specialists === undefined ? {} : { specialists: specialists.split(',').map(specialistOf) }),
  };
  const parsed = inputSchema.safeParse(merged);
  if (parsed.success) return parsed.data;
  throw new AssayError('USAGE', 'a campaign needs a task: --task NAME or FOLDER');
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
