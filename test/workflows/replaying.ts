import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { installLogger } from '../../workers/logging.js';
import { workflowBundle } from '../../workers/workflow-bundle.js';
import type { World } from './world.js';

export const RECORDED = fileURLToPath(new URL('../replay', import.meta.url));

/** A run that was cancelled or that continued-as-new has to replay as well. */
const CLOSED: readonly string[] = ['COMPLETED', 'CANCELLED', 'CONTINUED_AS_NEW'];

/**
 * Replays every workflow of some campaigns from its history as JSON and returns their types. With ASSAY_RECORD set,
 * the histories are also written to test/replay, to be committed and replayed by later versions.
 */
export async function replayAll(
  world: World,
  campaigns: readonly string[],
  kinds: readonly string[] = ['campaign', 'specialist', 'trial'],
): Promise<string[]> {
  installLogger();
  const types: string[] = [];
  for await (const { workflowId, runId, type, status } of world.client.workflow.list()) {
    const campaign = workflowId.split('/')[0] ?? '';
    if (!campaigns.includes(campaign) || !CLOSED.includes(status.name) || !kinds.includes(type)) continue;
    const history = await world.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const text = historyToJSON(history);
    if (process.env.ASSAY_RECORD !== undefined)
      await record(`${type}-${workflowId.replaceAll('/', '-')}${SUFFIX[status.name] ?? ''}.json`, text);
    const parsed: unknown = JSON.parse(text);
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle(), replayName: workflowId }, parsed);
    types.push(type);
  }
  return types;
}

/** Runs of one workflow that would otherwise have the same name. */
const SUFFIX: Record<string, string> = { CONTINUED_AS_NEW: '-continued' };

async function record(name: string, text: string): Promise<void> {
  await mkdir(RECORDED, { recursive: true });
  await writeFile(join(RECORDED, name), `${JSON.stringify(JSON.parse(text))}\n`);
}
