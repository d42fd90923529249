import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { installLogger } from '../../workers/logging.js';
import { workflowBundle } from '../../workers/roles.js';
import type { World } from './world.js';

export const RECORDED = fileURLToPath(new URL('../replay', import.meta.url));

/**
 * Replays every workflow of some campaigns from its history as JSON and returns their types. With ASSAY_RECORD set,
 * the histories are also written to test/replay, to be committed and replayed by later versions.
 */
export async function replayAll(world: World, campaigns: string[]): Promise<string[]> {
  installLogger();
  const types: string[] = [];
  for await (const { workflowId, runId, type, status } of world.client.workflow.list()) {
    const campaign = workflowId.split('/')[0] ?? '';
    if (!campaigns.includes(campaign) || status.name !== 'COMPLETED') continue;
    const history = await world.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const text = historyToJSON(history);
    if (process.env.ASSAY_RECORD !== undefined)
      await record(`${type}-${workflowId.replaceAll('/', '-')}.json`, text);
    const parsed: unknown = JSON.parse(text);
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle(), replayName: workflowId }, parsed);
    types.push(type);
  }
  return types;
}

async function record(name: string, text: string): Promise<void> {
  await mkdir(RECORDED, { recursive: true });
  await writeFile(join(RECORDED, name), text);
}
