import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { submitUpdate } from '../../../workflows/messages.js';
import { abortable } from '../../dev/process/abortable.js';
import { failureOfTrial } from '../../analysis/read-models/trial-failure.js';
import { trialRecord } from '../../analysis/read-models/trial-record.js';
import { SUBMISSION_RUNS, type Submission } from '../../domain/campaign/campaign.js';
import { textOfReason } from '../../domain/campaign/reasons.js';
import { AssayError, messageOf } from '../../domain/errors.js';
import { START, trialWorkflowId } from '../../domain/keys.js';
import { isEnded } from '../../domain/statuses.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { TaskDocument } from '../../lineage/documents/task.js';
import type { Lineage } from '../../lineage/lineage.js';
import { DETERMINISTIC } from '../../domain/task/task.js';
import { findTask } from '../../tasks/find.js';
import { loadRecipe } from '../../tasks/recipe.js';
import { OwnWorkers } from '../use-cases/own-workers.js';
import { withContext, type CommandContext } from '../context.js';
import { BUNDLED_TASKS } from '../folders.js';
import { endRequest, interruption } from '../terminal/interrupt.js';
import { wholeNumber } from '../terminal/parsing.js';
import { someWorkerPolls } from '../follow/pollers.js';
import { throughOutage } from '../follow/outage.js';
import { renderRecord } from '../render/trial.js';
import { waitUntilStarted, expectWorkflow, requireOwn } from '../follow/not-started.js';
import { requireHere } from '../use-cases/require-here.js';
import { startUnderFreeName, taskReference } from '../use-cases/start-campaign.js';
import { print, printJson, say, type CommonFlags } from '../terminal/terminal.js';

interface Flags extends CommonFlags {
  task?: string;
  profile?: string;
  recipe: string;
  hypothesis: string;
  expectedDelta?: string;
  domain?: string;
  campaign?: string;
  trainSeconds?: string;
  runs?: string;
  wait?: boolean;
}

export async function run(flags: Flags): Promise<void> {
  const alone = aloneInput(flags);
  const signal = endRequest();
  const left = await withContext(
    ['temporal', 'store'],
    (ground) => submit(ground, flags, alone, signal),
    signal,
  );
  if (left !== null) say(`stopped; ${left} is kept and continues where workers run: \`assay dev\``);
}

/** Settings of a trial that has a campaign of its own. */
interface AloneInput {
  trainSeconds?: number;
  submissionRuns?: number;
}

/** @throws AssayError USAGE, also for what a campaign that runs has settled for all its trials */
function aloneInput({ campaign, runs, trainSeconds }: Flags): AloneInput {
  if (campaign !== undefined && runs !== undefined)
    throw new AssayError(
      'USAGE',
      '--runs is for a trial that is submitted alone: in a campaign its rule says how often each is measured',
    );
  if (campaign !== undefined && trainSeconds !== undefined)
    throw new AssayError(
      'USAGE',
      '--train-seconds is for a trial that is submitted alone: a campaign trains all of its trials alike',
    );
  const seconds = numberOf('--train-seconds', trainSeconds);
  return {
    ...(seconds === null ? {} : { trainSeconds: seconds }),
    ...(runs === undefined ? {} : { submissionRuns: wholeNumber('--runs', runs, SUBMISSION_RUNS) }),
  };
}

/** Returns the trial when the wait for it ended early. */
async function submit(
  ground: CommandContext,
  flags: Flags,
  aloneWith: AloneInput,
  signal: AbortSignal,
): Promise<string | null> {
  const { lineage, servers } = ground;
  const client = await abortable(signal, ground.client());
  const task = await taskOf(lineage, flags);
  if (aloneWith.submissionRuns !== undefined && task.spec.replicate.deterministic)
    throw new AssayError(
      'USAGE',
      `--runs: the task "${task.spec.name}" declares ${DETERMINISTIC}: one run of each is all there is`,
    );
  const files = await loadRecipe(task, flags.recipe);
  const submission: Submission = {
    snapshot: await lineage.blobs.putTree(files),
    hypothesis: flags.hypothesis,
    expectedDelta: numberOf('--expected-delta', flags.expectedDelta),
    domain: flags.domain ?? null,
    requestId: randomUUID(),
  };
  const alone = servers.alone || !(await someWorkerPolls(client, servers.temporal.namespace, 'assay'));
  const workers = new OwnWorkers(ground, task.spec.resources.pool, signal);
  if (flags.wait === true) await workers.ensure();
  else if (alone) say('no worker runs here: `assay dev` or `assay worker` has to, for the trial to move');
  let placed: Placed | null = null;
  const input = { task: task._id, trials: 1, submission, ...aloneWith };
  try {
    placed = await abortable(
      signal,
      place(ground, flags, input, (started) => {
        placed = started;
      }),
    );
    if (flags.wait === true)
      await abortable(signal, Promise.race([untilEnded(ground, placed, workers), workers.ended]));
    await answer(lineage, placed, flags);
    return null;
  } catch (error) {
    const early = interruption();
    if (early === null || placed === null) throw error;
    process.exitCode = early.exitCode;
    return trialWorkflowId(placed.campaign, placed.number);
  } finally {
    await workers.drain();
  }
}

interface Placed {
  campaign: string;
  owner: string;
  number: number;
}

async function taskOf(lineage: Lineage, flags: Flags): Promise<TaskDocument> {
  if (flags.campaign !== undefined) {
    const { frozen } = await lineage.campaigns.byName(flags.campaign);
    return lineage.tasks.get(frozen.task.digest);
  }
  if (flags.task === undefined) throw new AssayError('USAGE', 'submit needs --task or --campaign');
  const reference = await taskReference(lineage, flags.task, flags.profile ?? null);
  return findTask({ lineage, bundledTasks: BUNDLED_TASKS }, reference);
}

/** Hands the trial over: to a running campaign, or to one of its own, which is told before it has begun. */
async function place(
  ground: CommandContext,
  flags: Flags,
  input: AloneInput & { task: string; trials: number; submission: Submission },
  started: (placed: Placed) => void,
): Promise<Placed> {
  const { lineage } = ground;
  const { submission, submissionRuns } = input;
  const client = await ground.client();
  if (flags.campaign === undefined) {
    const { name, owner } = await startUnderFreeName(
      client,
      lineage,
      { stem: 'submit', input: { ...input } },
      (campaign) => {
        started({ campaign: campaign.name, owner: campaign.owner, number: 1 });
        return waitUntilStarted(ground, campaign);
      },
    );
    const times = submissionRuns === undefined ? '' : ` ${submissionRuns} times`;
    say(`campaign ${name}: the start is measured${times}, then your trial${times}`);
    return { campaign: name, owner, number: 1 };
  }
  const campaign = await lineage.campaigns.byName(flags.campaign);
  const { state } = campaign;
  await requireHere(client, campaign);
  if (isEnded(state))
    throw new AssayError(
      'CAMPAIGN_ENDED',
      `campaign "${flags.campaign}" is ${state} and takes no more trials`,
    );
  try {
    const handle = client.workflow.getHandle(flags.campaign);
    const placed = await handle.executeUpdate(submitUpdate, { args: [submission] });
    if (placed.number !== null)
      return { campaign: flags.campaign, owner: campaign.owner, number: placed.number };
    throw new AssayError('RECIPE_INVALID', `refused: ${placed.refused ?? 'no reason given'}`);
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    throw new AssayError('CAMPAIGN_ENDED', `refused: ${messageOf(error.cause ?? error)}`);
  }
}

const POLL_MS = 500;

/**
 * @throws AssayError CAMPAIGN_BLOCKED, TRIAL_PARKED; CAMPAIGN_INPUT, CAMPAIGN_NAME_TAKEN when it was refused before it
 * began; when the campaign ended without the trial, RECIPE_INVALID or what was wrong with the start
 */
async function untilEnded(
  ground: CommandContext,
  { campaign: name, owner, number }: Placed,
  workers: OwnWorkers,
): Promise<void> {
  const { lineage } = ground;
  const look = async () => {
    const campaign = await lineage.campaigns.find(name);
    if (campaign !== null) requireOwn(campaign, owner);
    return { campaign, trial: campaign === null ? null : await lineage.trials.get(campaign.owner, number) };
  };
  for (;;) {
    await throughOutage(() => workers.ensure(), { say });
    const { campaign, trial } = await throughOutage(look, { say });
    if (campaign === null)
      await throughOutage(() => expectWorkflow(ground, name, { isKnown: true }), { say });
    if (trial?.status != null) return;
    if (trial?.parked != null) throw parkedError(name, number, trial.parked.reason);
    if (campaign?.state === 'blocked')
      throw new AssayError(
        'CAMPAIGN_BLOCKED',
        `"${name}" is blocked: ${textOfReason(campaign.reason) ?? ''}`,
      );
    if (campaign !== null && isEnded(campaign.state) && trial === null)
      throw new AssayError(
        await faultOf(lineage, campaign),
        `nothing was measured: ${textOfReason(campaign.reason) ?? campaign.state}`,
        { detail: await tailOfStart(lineage, campaign) },
      );
    await sleep(POLL_MS);
  }
}

/** The error of a campaign that ended without its only trial: the recipe is to blame only where it was refused. */
async function faultOf(
  lineage: Lineage,
  { owner, reason }: CampaignDocument,
): Promise<'RECIPE_INVALID' | 'START_RECIPE_FAILED' | 'START_ON_BUSY_HOST' | 'CAMPAIGN_ENDED'> {
  const start = await lineage.trials.get(owner, START);
  const failure = start?.outcome?.failure;
  if (failure != null) return failure.busyHost === true ? 'START_ON_BUSY_HOST' : 'START_RECIPE_FAILED';
  return start?.outcome != null && reason?.kind === 'failure' ? 'RECIPE_INVALID' : 'CAMPAIGN_ENDED';
}

/** The end of the log of a start that could not be measured. */
async function tailOfStart(lineage: Lineage, { owner }: CampaignDocument): Promise<string> {
  const start = await lineage.trials.get(owner, START);
  return start === null ? '' : (failureOfTrial(start)?.tail ?? '');
}

function parkedError(campaign: string, number: number, reason: string): AssayError {
  const id = trialWorkflowId(campaign, number);
  return new AssayError('TRIAL_PARKED', `${id} is parked: ${reason}`, {
    remedy: `\`assay resume ${id}\` retries it, \`assay cancel ${id}\` ends it.`,
  });
}

async function answer(lineage: Lineage, { campaign, number }: Placed, flags: Flags): Promise<void> {
  const id = trialWorkflowId(campaign, number);
  if (flags.wait === true) {
    const record = await trialRecord(lineage, campaign, number);
    if (flags.json === true) printJson(record);
    else print(renderRecord(record));
    return;
  }
  if (flags.json === true) printJson({ schema: 'assay.submitted/1', campaign, trial: id, number });
  else print(id);
  say(`submitted; \`assay show ${id}\` shows it`);
}

function numberOf(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new AssayError('USAGE', `${flag} takes a number, not "${text}"`);
}
