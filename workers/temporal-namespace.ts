import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { TemporalNamespace } from '../src/domain/campaign/whereabouts.js';
import { AssayError } from '../src/domain/errors.js';

/** The namespace of a client. Its id is asked for each time: another server may answer at the same address by now. */
export function temporalNamespace(client: Client): TemporalNamespace {
  const { namespace: name } = client.options;
  return {
    name,
    id: async () => {
      const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace: name });
      const id = namespaceInfo?.id;
      if (id == null || id === '')
        throw new AssayError(
          'TEMPORAL_UNAVAILABLE',
          `the server does not say the id of its namespace "${name}"`,
        );
      return id;
    },
    knowsRun: async (workflowId, firstExecutionRunId) =>
      (await firstRunOf(client, workflowId)) === firstExecutionRunId ||
      (await firstRunOf(client, workflowId, firstExecutionRunId)) !== null,
  };
}

/** Returns the first run of an execution, by its latest run or a given one; null if the server does not know it. */
async function firstRunOf(client: Client, workflowId: string, runId?: string): Promise<string | null> {
  try {
    const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
    return raw.workflowExecutionInfo?.firstRunId ?? '';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
