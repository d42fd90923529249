import { setTimeout as sleep } from 'node:timers/promises';
import type { StallReason } from '../../analysis/stall/types.js';
import { AssayError, ERRORS, messageOf } from '../../domain/errors.js';
import { probePort } from '../../dev/process/probe-port.js';
import { inspectNotStarted, PROBE_MS } from './inspect-server.js';
import { throughOutage } from './outage.js';
import { say } from '../terminal/terminal.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { CommandContext } from '../context.js';
import type { StartedCampaign } from '../use-cases/start-campaign.js';

/** `assay.not-started/1`: a campaign that was started, and that no worker has taken up, so that the store has nothing of it. */
export interface NotStartedModel {
  schema: 'assay.not-started/1';
  asOf: string;
  campaign: string;
  workflowId: string;
  state: 'preparing';
  stall: StallReason[];
}

/**
 * A campaign that the server runs and the store does not know yet; null once the store knows it.
 * @throws AssayError CAMPAIGN_UNKNOWN when the server does not know it either; CAMPAIGN_INPUT when it failed before
 * it was stored
 */
export async function notStarted(ground: CommandContext, name: string): Promise<NotStartedModel | null> {
  await expectWorkflow(ground, name);
  const examined = await inspectNotStarted(ground, name);
  if (examined === null) return null;
  return {
    schema: 'assay.not-started/1',
    asOf: new Date().toISOString(),
    campaign: name,
    workflowId: name,
    state: 'preparing',
    stall: examined.reasons,
  };
}

/**
 * Makes sure that the server runs a campaign that the store does not know.
 * @param isKnown the server has run it before, so that a port that nobody listens on is an outage
 * @throws AssayError as `notStarted` does; TEMPORAL_UNAVAILABLE
 */
export async function expectWorkflow(
  ground: CommandContext,
  name: string,
  { isKnown = false } = {},
): Promise<void> {
  const { address } = ground.servers.temporal;
  const unknown = new AssayError('CAMPAIGN_UNKNOWN', `there is no campaign "${name}" in this store`);
  if (address === '') throw unknown;
  await probePort(address, PROBE_MS).catch((error: unknown) => {
    throw isKnown ? new AssayError('TEMPORAL_UNAVAILABLE', messageOf(error), { cause: error }) : unknown;
  });
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  const handle = (await ground.client()).workflow.getHandle(name);
  const { status } = await handle.describe().catch((error: unknown) => {
    throw error instanceof WorkflowNotFoundError ? unknown : error;
  });
  if (status.name === 'RUNNING' || (await ground.lineage.campaigns.find(name)) !== null) return;
  const cause = await handle.result().then(
    () => 'it ended before it began',
    (error: unknown) => rootMessage(error),
  );
  // the workflow's own words end with the remedy, which is said again with this error
  const said = cause.replace(ERRORS.CAMPAIGN_INPUT.remedy, '').trimEnd();
  throw new AssayError('CAMPAIGN_INPUT', `campaign "${name}" did not begin: ${said}`);
}

/** Time that a running worker needs to take a campaign up. */
const BEGINS_MS = 3000;

/**
 * Waits a moment for a campaign that was just started to begin, where a worker is there.
 * @throws AssayError CAMPAIGN_INPUT for one that its worker refuses, CAMPAIGN_NAME_TAKEN
 */
export async function waitUntilStarted(
  ground: CommandContext,
  { name, owner }: StartedCampaign,
): Promise<void> {
  const since = performance.now();
  const find = () => ground.lineage.campaigns.find(name);
  for (;;) {
    const stored = await throughOutage(find, { say });
    if (stored !== null) requireOwn(stored, owner);
    if (stored !== null || performance.now() - since > BEGINS_MS) return;
    await throughOutage(() => expectWorkflow(ground, name, { isKnown: true }), { say });
    await sleep(100);
  }
}

/** @throws AssayError CAMPAIGN_NAME_TAKEN when the store has another campaign of that name, which was first */
export function requireOwn({ _id: name, owner, state }: CampaignDocument, expected: string): void {
  if (owner === expected) return;
  throw new AssayError(
    'CAMPAIGN_NAME_TAKEN',
    `another campaign took the name "${name}" at the same moment; it is ${state}`,
  );
}

function rootMessage(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? rootMessage(error.cause) : messageOf(error);
}
