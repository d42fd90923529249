import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { LimitsAnswer } from '../../../activities/limits.js';
import { limitsUpdate } from '../../../workflows/messages.js';
import { limitChangeSchema, type LimitChange } from '../../domain/money/budget.js';
import { textOfReason } from '../../domain/campaign/reasons.js';
import { AssayError, ERRORS, type ErrorCode } from '../../domain/errors.js';
import { explain } from '../../domain/text/explain.js';
import { isEnded } from '../../domain/statuses.js';
import type { CommandContext } from '../context.js';
import { someWorkerPolls } from '../follow/pollers.js';
import { requireHere } from './require-here.js';
import { say } from '../terminal/terminal.js';

const WAIT_MS = 60_000;
const LOOK_EVERY_MS = 250;
const SAY_AFTER_MS = 2000;

/**
 * Asks a running campaign to change its limits, and returns when the store has them and a campaign that resumes
 * because of it runs.
 * @throws AssayError CAMPAIGN_UNKNOWN, CAMPAIGN_ELSEWHERE, CAMPAIGN_ENDED, CAMPAIGN_INPUT; TEMPORAL_UNAVAILABLE where no worker runs
 */
export async function changeLimits(
  ground: CommandContext,
  name: string,
  asked: LimitChange,
): Promise<LimitsAnswer> {
  const change = limitChangeSchema.safeParse({ ...whoAsks(), ...asked });
  if (!change.success) throw new AssayError('USAGE', explain(change.error));
  const campaign = await ground.lineage.campaigns.byName(name);
  const { state, reason } = campaign;
  if (isEnded(state))
    throw new AssayError(
      'CAMPAIGN_ENDED',
      `campaign "${name}" has ended: ${state} (${textOfReason(reason) ?? 'done'})`,
    );
  const client = await ground.client();
  await requireHere(client, campaign);
  const attended = await someWorkerPolls(client, ground.servers.temporal.namespace, 'assay');
  if (ground.servers.alone || !attended)
    throw new AssayError('TEMPORAL_UNAVAILABLE', `no worker runs that could change "${name}"`, {
      remedy: '`assay dev` runs workers on this machine; nothing was changed, so ask again then.',
    });
  const answer = await client.workflow
    .getHandle(name)
    .executeUpdate(limitsUpdate, { args: [change.data], updateId: `limits-${randomUUID()}` })
    .catch((error: unknown) => {
      throw readable(error, name);
    });
  if (answer.goesOn) await untilGoingOn(ground, name);
  return answer;
}

/** A container may have no name for its user. */
function whoAsks(): { by?: string } {
  try {
    return { by: userInfo().username };
  } catch {
    return {};
  }
}

function readable(error: unknown, name: string): unknown {
  if (error instanceof WorkflowNotFoundError)
    return new AssayError('CAMPAIGN_UNKNOWN', `this Temporal server runs no campaign "${name}"`, {
      cause: error,
      remedy: 'TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE have to name the server that it was started on.',
    });
  if (!(error instanceof WorkflowUpdateFailedError)) return error;
  const { cause } = error;
  const type = cause instanceof ApplicationFailure ? (cause.type ?? '') : '';
  const code = isErrorCode(type) ? type : 'CAMPAIGN_INPUT';
  const message = (cause?.message ?? error.message).replace(`. ${ERRORS[code].remedy}`, '');
  return new AssayError(code, message, { cause: error });
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/** The campaign's watch notices the room within seconds. */
async function untilGoingOn({ lineage }: CommandContext, name: string): Promise<void> {
  const since = performance.now();
  for (let told = false; performance.now() - since < WAIT_MS;) {
    if ((await lineage.campaigns.byName(name)).control !== 'paused') return;
    if (!told && performance.now() - since > SAY_AFTER_MS) {
      say(`changed; waiting for ${name} to resume …`);
      told = true;
    }
    await sleep(LOOK_EVERY_MS);
  }
}
