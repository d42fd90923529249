import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { pauseSignal, resumeSignal, stopSignal } from '../../../workflows/messages.js';
import { raiseCommand, reasonText, shortageText, textOfReason } from '../../domain/campaign/reasons.js';
import { budgetReason, lackingBudget } from '../../domain/money/budget.js';
import { AssayError } from '../../domain/errors.js';
import { isEnded, type RunControl } from '../../domain/statuses.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { CommandContext } from '../context.js';
import { someWorkerPolls } from '../follow/pollers.js';
import { requireHere } from './require-here.js';
import { say } from '../terminal/terminal.js';
import { expectWorkflow } from '../follow/not-started.js';

/** A person's request to a running campaign. */
export type Wish =
  { ask: 'pause'; reason: string | undefined } | { ask: 'resume' } | { ask: 'stop'; mode: 'drain' | 'now' };

/** `assay.control/1`. */
export interface ControlAnswer {
  schema: 'assay.control/1';
  campaign: string;
  asked: Wish['ask'];
  /** True when the store shows it; false where no worker runs that could obey yet. */
  acknowledged: boolean;
  state: CampaignDocument['state'];
  control: RunControl;
  /** Work that was begun before and still ends by itself. */
  stillRunning: { trial: number; stage: string; host: string }[];
}

const LOOK_EVERY_MS = 250;
const WAIT_MS = 60_000;
const SAY_AFTER_MS = 3000;

/**
 * Signals a campaign and waits until the store shows that it was obeyed.
 * @throws AssayError CAMPAIGN_UNKNOWN, CAMPAIGN_ELSEWHERE, CAMPAIGN_ENDED; TEMPORAL_UNAVAILABLE when a worker polls but does not obey
 */
export async function control(ground: CommandContext, name: string, wish: Wish): Promise<ControlAnswer> {
  const { lineage, servers } = ground;
  const before = await lineage.campaigns.find(name);
  if (before === null) return askNotStarted(ground, name, wish);
  refuseUseless(before, wish);
  if (wish.ask === 'resume') await refuseWithoutRoom(ground, before);
  if (isObeyed(before, wish)) return answerOf(before, wish, true);
  const client = await ground.client();
  await requireHere(client, before);
  await signal(client, name, wish);
  const attended = !servers.alone && (await someWorkerPolls(client, servers.temporal.namespace, 'assay'));
  await hold(lineage, before.owner, wish, attended);
  if (!attended) return answerOf(await lineage.campaigns.byName(name), wish, false);
  return answerOf(await obeyed(ground, before, wish), wish, true);
}

/** A campaign that no worker has opened yet keeps the signal and obeys it as soon as one does. */
async function askNotStarted(ground: CommandContext, name: string, wish: Wish): Promise<ControlAnswer> {
  await expectWorkflow(ground, name);
  await signal(await ground.client(), name, wish);
  return {
    schema: 'assay.control/1',
    campaign: name,
    asked: wish.ask,
    acknowledged: false,
    state: 'preparing',
    control: 'running',
    stillRunning: [],
  };
}

function refuseUseless({ _id: name, state, reason, control: now }: CampaignDocument, wish: Wish): void {
  if (isEnded(state))
    throw new AssayError(
      'CAMPAIGN_ENDED',
      `campaign "${name}" has ended: ${state}${reason === null ? '' : ` (${reasonText(reason)})`}`,
    );
  if (wish.ask === 'resume' && (now === 'draining' || now === 'stopping'))
    throw new AssayError(
      'CAMPAIGN_ENDED',
      `campaign "${name}" is ending (${textOfReason(reason) ?? state}) and cannot be resumed`,
    );
  if (wish.ask === 'pause' && now === 'stopping')
    throw new AssayError('CAMPAIGN_ENDED', `campaign "${name}" is stopping and cannot be paused`);
}

/** A campaign that a budget paused would pause again at once: what helps is more of it. */
async function refuseWithoutRoom({ lineage }: CommandContext, campaign: CampaignDocument): Promise<void> {
  if (campaign.control !== 'paused' || campaign.exhausted === null) return;
  const { limits, held } = await lineage.budgets.get(campaign.owner);
  const { needs } = campaign.exhausted;
  const lacking = lackingBudget(limits, held, needs);
  if (lacking === null) return;
  const reason = budgetReason(campaign._id, lacking, { limits, held, needs });
  throw new AssayError(
    'BUDGET_EXHAUSTED',
    `campaign "${campaign._id}" cannot be resumed: ${shortageText(reason)}`,
    { remedy: `\`${raiseCommand(reason)}\` raises it; the campaign then resumes by itself.` },
  );
}

/** Returns true when the campaign is as it was asked to be. */
export function isObeyed(
  { control: now, state }: Pick<CampaignDocument, 'control' | 'state'>,
  wish: Wish,
): boolean {
  if (wish.ask === 'pause') return now === 'paused' && state === 'paused';
  if (wish.ask === 'resume') return now === 'running' || now === 'draining';
  if (isEnded(state)) return true;
  // the store may hold the control before the campaign has heard of it; the state is the campaign's own word
  return state === 'draining' && (now === 'stopping' || (wish.mode === 'drain' && now === 'draining'));
}

async function signal(client: Client, name: string, wish: Wish): Promise<void> {
  const handle = client.workflow.getHandle(name);
  try {
    if (wish.ask === 'resume') await handle.signal(resumeSignal);
    else if (wish.ask === 'stop') await handle.signal(stopSignal, wish.mode);
    else if (wish.reason === undefined) await handle.signal(pauseSignal);
    else await handle.signal(pauseSignal, wish.reason);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new AssayError('CAMPAIGN_UNKNOWN', `this Temporal server runs no campaign "${name}"`, {
      cause: error,
      remedy: 'TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE have to name the server that it was started on.',
    });
  }
}

/**
 * Writes to the store that nothing may start, so that a worker that comes later and finds work in its queues starts
 * none before the campaign has read its signal. A pause could be overtaken by a resume, so it is left to the campaign
 * where a worker attends to it.
 */
async function hold(lineage: Lineage, owner: string, wish: Wish, attended: boolean): Promise<void> {
  const { campaigns } = lineage;
  if (wish.ask === 'stop' && wish.mode === 'now')
    await campaigns.windDown(owner, 'stopping', { kind: 'stopping', mode: 'now' });
  else if (wish.ask === 'stop')
    await campaigns.windDown(owner, 'draining', { kind: 'stopping', mode: 'drain' });
  else if (wish.ask === 'pause' && !attended)
    await campaigns.pauseIfRunning(owner, { kind: 'pause', said: wish.reason ?? null });
}

/** True when a campaign that was held back went on and is held back again since: by what comes up again at once. */
export function wasResumed(
  before: Pick<CampaignDocument, 'pausedSince'>,
  now: Pick<CampaignDocument, 'pausedSince'>,
): boolean {
  return before.pausedSince !== null && before.pausedSince.getTime() !== now.pausedSince?.getTime();
}

async function obeyed(
  { lineage }: CommandContext,
  before: CampaignDocument,
  wish: Wish,
): Promise<CampaignDocument> {
  const { _id: name } = before;
  const since = performance.now();
  let told = false;
  for (;;) {
    const campaign = await lineage.campaigns.byName(name);
    if (isObeyed(campaign, wish) || isEnded(campaign.state)) return campaign;
    if (wish.ask === 'resume' && wasResumed(before, campaign)) return campaign;
    const waited = performance.now() - since;
    if (waited > WAIT_MS) {
      await hold(lineage, campaign.owner, wish, false);
      throw new AssayError(
        'TEMPORAL_UNAVAILABLE',
        `${wish.ask} was sent, but "${name}" did not obey within ${WAIT_MS / 1000} s`,
        {
          remedy: `The signal is kept and will be obeyed once a worker takes it; \`assay status ${name}\` shows it.`,
        },
      );
    }
    if (!told && waited > SAY_AFTER_MS) {
      say(`sent; waiting for ${name} to obey …`);
      told = true;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

function answerOf(campaign: CampaignDocument, wish: Wish, acknowledged: boolean): ControlAnswer {
  return {
    schema: 'assay.control/1',
    campaign: campaign._id,
    asked: wish.ask,
    acknowledged,
    state: campaign.state,
    control: campaign.control,
    stillRunning: Object.values(campaign.active).map(({ trial, stage, host }) => ({ trial, stage, host })),
  };
}
