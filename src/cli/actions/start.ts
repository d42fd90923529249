import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { definedFields } from '../../domain/defined-fields.js';
import { AssayError, messageOf } from '../../domain/errors.js';
import { splitReference } from '../../domain/task/profiles.js';
import { withContext, type CommandContext } from '../context.js';
import {
  checkInput,
  checkName,
  startCampaign,
  startUnderFreeName,
  taskReference,
  type StartedCampaign,
} from '../use-cases/start-campaign.js';
import { endRequest } from '../terminal/interrupt.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';
import { warmStartOf } from '../use-cases/warm-start.js';
import { followOrLeave } from '../follow/follow.js';
import { waitUntilStarted } from '../follow/not-started.js';

interface Flags extends CommonFlags {
  task?: string;
  profile?: string;
  name?: string;
  trials?: string;
  hours?: string;
  dollars?: string;
  model?: string;
  models?: string;
  effort?: string;
  thinking?: string;
  maxTokens?: string;
  sessionTrials?: string;
  trainSeconds?: string;
  rule?: string;
  calibration?: string;
  claimRuns?: string;
  claimAt?: string;
  specialists?: string;
  roles?: string;
  warmStart?: string;
  lineage?: string;
  workbench?: string;
  probes?: string;
  donors?: string;
  priority?: string;
  isolation?: string;
  hostClasses?: string;
  input?: string;
  watch?: boolean;
}

export async function run(flags: Flags): Promise<void> {
  const input = await inputOf(flags);
  checkInput(input);
  if (flags.name !== undefined) checkName(flags.name);
  const signal = flags.watch === true ? endRequest() : undefined;
  await withContext(['temporal', 'store'], (ground) => begin(ground, input, flags), signal);
}

/** Starts it, and follows it where that is asked for. */
async function begin(ground: CommandContext, input: Input, flags: Flags): Promise<void> {
  const { lineage, servers } = ground;
  const task = await taskReference(lineage, input.task, flags.profile ?? null);
  const named = splitReference(task).task;
  const stem = /^[0-9a-f]{64}$/.test(named) ? 'campaign' : named;
  const client = await ground.client();
  const warmStart = flags.warmStart === undefined ? undefined : await warmStartOf(lineage, flags.warmStart);
  const frozen = { ...input, task, ...definedFields({ warmStart }) };
  const begun = async (started: StartedCampaign): Promise<void> => {
    if (!servers.alone) await waitUntilStarted(ground, started);
  };
  const { name, owner } =
    flags.name === undefined
      ? await startUnderFreeName(client, lineage, { stem, input: frozen }, begun)
      : await startCampaign(client, lineage, flags.name, frozen);
  if (flags.watch === true) {
    say(`campaign ${name}`);
    process.exitCode = await followOrLeave(ground, name, { json: flags.json === true, isStarted: true });
    return;
  }
  if (flags.name !== undefined) await begun({ name, owner });
  if (flags.json === true) printJson({ schema: 'assay.started/1', campaign: name, workflowId: name });
  else print(name);
  say(
    servers.alone
      ? `started, but no worker runs here; it begins under \`assay dev\``
      : `started; \`assay watch ${name}\` shows it`,
  );
}

const inputSchema = z.looseObject({ task: z.string() });
type Input = z.infer<typeof inputSchema>;
/** Fields of the claim; options set some and leave the others. */
const claimSchema = z.record(z.string(), z.unknown());

async function inputOf(flags: Flags): Promise<Input> {
  const { task, model, specialists, isolation, rule, donors } = flags;
  const { trials, hours, dollars, trainSeconds, calibration, priority, maxTokens, sessionTrials, probes } =
    flags;
  const input = flags.input === undefined ? {} : parseInput(await textOf(flags.input));
  const claim = claimOf(flags);
  const merged = {
    ...input,
    ...(task === undefined ? {} : { task }),
    ...numbers({
      trials,
      hours,
      dollars,
      trainSeconds,
      calibration,
      priority,
      maxTokens,
      sessionTrials,
      probes,
    }),
    ...(rule === undefined ? {} : { rule }),
    ...(claim === null ? {} : { claim: { ...claimSchema.safeParse(input.claim).data, ...claim } }),
    ...(model === undefined ? {} : { model }),
    ...definedFields({
      isolation,
      hostClasses: flags.hostClasses,
      roles: flags.roles,
      lineage: flags.lineage,
      workbench: flags.workbench,
      donors: donors === 'any' ? donors : donors?.split(','),
      effort: flags.effort,
      thinking: flags.thinking,
      models: flags.models?.split(',').map(modelOf),
    }),
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

/** A model of several as `ID` or `ID=WEIGHT`. */
function modelOf(text: string): { id: string; weight?: number } {
  const [id = '', weight] = text.split('=');
  return weight === undefined ? { id } : { id, ...numbers({ weight }) };
}
