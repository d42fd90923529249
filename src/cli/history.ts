import { readFile } from 'node:fs/promises';
import { Client, Connection, WorkflowNotFoundError, isGrpcServiceError } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { findServers } from '../dev/servers.js';
import { AssayError, messageOf } from '../domain/errors.js';
import { parseTrialRef, trialWorkflowId } from '../domain/keys.js';
import { homeFolder } from './ground.js';
import { say } from './terminal.js';

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
    const connection = await Connection.connect({ address });
    try {
      const client = new Client({ connection, namespace });
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      return JSON.parse(historyToJSON(history));
    } catch (error) {
      if (!isUnknown(error)) throw error;
      throw new AssayError(
        'HISTORY_UNKNOWN',
        `there is no workflow "${workflowId}" in the namespace "${namespace}"`,
      );
    } finally {
      await connection.close();
    }
  } finally {
    await servers.stop();
  }
}

/** gRPC's codes of an argument that makes no sense (such as a run id that is none) and of a thing not found. */
const UNKNOWN: readonly number[] = [3, 5];

function isUnknown(error: unknown): boolean {
  return (
    error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && UNKNOWN.includes(error.code))
  );
}
