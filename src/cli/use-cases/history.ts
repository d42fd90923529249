import { readFile } from 'node:fs/promises';
import { Client, WorkflowNotFoundError, isGrpcServiceError } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type proto from '@temporalio/proto';
import { findServers } from '../../dev/servers.js';
import { openConnection } from '../../dev/temporal/connection.js';
import { AssayError, messageOf } from '../../domain/errors.js';
import { parseTrialRef, trialWorkflowId } from '../../domain/keys.js';
import { homeFolder } from '../folders.js';
import { say } from '../terminal/terminal.js';

export type History = proto.temporal.api.history.v1.IHistory;

/** Reads a history that was kept as a file. @throws AssayError HISTORY_INVALID */
export async function historyFromFile(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new AssayError('HISTORY_INVALID', `${file} cannot be read as JSON: ${messageOf(error)}`);
  }
}

/** The workflow that a person means by a campaign's name, a lane or a trial: `demo`, `demo/opt-1`, `demo/7`. */
export function workflowIdOf(reference: string): string {
  const trial = parseTrialRef(reference);
  return trial === null || trial.campaign === null
    ? reference
    : trialWorkflowId(trial.campaign, trial.number);
}

/**
 * Fetches the history of a workflow's latest run, or of the given one, from the server.
 * @throws AssayError HISTORY_UNKNOWN, TEMPORAL_UNAVAILABLE
 */
export async function historyFromServer(workflowId: string, runId: string | undefined): Promise<unknown> {
  const servers = await findServers({ home: homeFolder(), need: ['temporal'], say });
  const { address, namespace } = servers.temporal;
  try {
    const connection = await openConnection({ address });
    try {
      const history = await fetchHistory(new Client({ connection, namespace }), workflowId, runId);
      return JSON.parse(historyToJSON(history));
    } finally {
      await connection.close();
    }
  } finally {
    await servers.stop();
  }
}

/** @throws AssayError HISTORY_UNKNOWN */
export async function fetchHistory(client: Client, workflowId: string, runId?: string): Promise<History> {
  try {
    return await client.workflow.getHandle(workflowId, runId).fetchHistory();
  } catch (error) {
    if (!isUnknown(error)) throw error;
    throw new AssayError(
      'HISTORY_UNKNOWN',
      `there is no workflow "${workflowId}" in the namespace "${client.options.namespace}"`,
    );
  }
}

/** gRPC's codes of an argument that makes no sense (such as a run id that is none) and of a thing not found. */
const UNKNOWN: readonly number[] = [3, 5];

function isUnknown(error: unknown): boolean {
  return (
    error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && UNKNOWN.includes(error.code))
  );
}
