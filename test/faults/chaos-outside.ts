import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { z } from 'zod';
import { trialWorkflowId } from '../../src/domain/keys.js';
import type { TrialDocument } from '../../src/lineage/documents/trial.js';
import { replay } from '../../workers/replaying.js';
import type { ChaosGround } from './chaos-ground.js';
import { survivors } from './chaos-witness.js';
import { isProbe } from './run-processes.js';

/** Counts each word. */
export function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

const eventSchema = z.looseObject({
  eventId: z.string(),
  eventType: z.string(),
  activityTaskScheduledEventAttributes: z
    .looseObject({ activityType: z.looseObject({ name: z.string() }) })
    .optional(),
  activityTaskCompletedEventAttributes: z.looseObject({ scheduledEventId: z.string() }).optional(),
});

/** Every workflow has one run, which is completed and replays; every trial has one, and there is no other. */
export async function serverSide(
  { client }: ChaosGround,
  name: string,
  trials: readonly TrialDocument[],
  lanes: readonly string[],
): Promise<{ violations: string[]; replayed: number }> {
  const violations: string[] = [];
  const found = await closedRuns(client, name);
  const wanted = [name, ...lanes, ...trials.map(({ number }) => trialWorkflowId(name, number))];
  const ids = found.map(({ workflowId }) => workflowId);
  for (const id of wanted) if (!ids.includes(id)) violations.push(`there is no workflow ${id}`);
  for (const id of ids) if (!wanted.includes(id)) violations.push(`workflow ${id} belongs to no trial`);
  let replayed = 0;
  for (const { workflowId, runId, status } of found) {
    if (status !== 'COMPLETED' && status !== 'CONTINUED_AS_NEW')
      violations.push(`workflow ${workflowId} is ${status}`);
    const json: unknown = JSON.parse(
      historyToJSON(await client.workflow.getHandle(workflowId, runId).fetchHistory()),
    );
    const { parted } = await replay(json);
    if (parted === null) replayed += 1;
    else violations.push(`${workflowId} does not replay: ${parted.message}`);
    const trial = trials.find(({ number }) => workflowId === trialWorkflowId(name, number));
    if (trial === undefined) continue;
    const runs = Math.max(1, trial.replicates.length);
    for (const [activity, count] of Object.entries(completions(json)))
      if (count > runs && ['train', 'evaluate', 'decide'].includes(activity))
        violations.push(`${workflowId} has ${count} completed ${activity} for ${runs} runs`);
  }
  if (new Set(found.map(({ workflowId, runId }) => `${workflowId} ${runId}`)).size !== found.length)
    violations.push('a workflow is listed twice');
  const trialRuns = ids.filter((id) => /\/t\d{5}$/.test(id));
  if (new Set(trialRuns).size !== trialRuns.length) violations.push('a trial has more than one run');
  return { violations, replayed };
}

/** Lists the campaign's workflow runs once all are closed: the server's list lags behind. */
async function closedRuns(
  client: ChaosGround['client'],
  name: string,
): Promise<{ workflowId: string; runId: string; status: string }[]> {
  for (let tries = 0; ; tries += 1) {
    const found: { workflowId: string; runId: string; status: string }[] = [];
    for await (const { workflowId, runId, status } of client.workflow.list())
      if (workflowId === name || workflowId.startsWith(`${name}/`))
        found.push({ workflowId, runId, status: status.name });
    if (tries >= 20 || found.every(({ status }) => status !== 'RUNNING')) return found;
    await sleep(500);
  }
}

function completions(json: unknown): Record<string, number> {
  const { events } = z.looseObject({ events: z.array(eventSchema) }).parse(json);
  const names = new Map(
    events.map(({ eventId, activityTaskScheduledEventAttributes: of }) => [eventId, of?.activityType.name]),
  );
  return tally(
    events.flatMap(({ activityTaskCompletedEventAttributes: of }) =>
      of === undefined ? [] : [names.get(of.scheduledEventId) ?? 'unknown'],
    ),
  );
}

const reportSchema = z.object({
  findings: z.array(z.looseObject({ what: z.string(), key: z.string(), did: z.string() })),
});

/** No process of a phase is left, no folder of a dead worker, and nothing that reconciling would have to settle. */
export async function hostSide(ground: ChaosGround): Promise<string[]> {
  const { workers } = ground;
  const names = workers.flatMap((worker) => worker.names);
  const living = workers.flatMap((worker) => worker.names.slice(-1));
  const dead = names.filter((name) => !living.includes(name));
  const working = survivors(living, []).filter((found) => !isProbe(found));
  const violations = [...survivors(dead, []), ...working];
  for (const worker of workers) {
    for (const folder of await readdir(worker.work).catch(() => []))
      if (!living.includes(folder))
        violations.push(`${worker.host} has the folder of a dead worker: ${folder}`);
    await worker.end('SIGTERM');
    const json: unknown = JSON.parse(await ground.assay(worker, ['reconcile', '--json']));
    for (const { what, key, did } of reportSchema.parse(json).findings)
      violations.push(`reconciling still finds ${what} ${key}: ${did}`);
    for (const folder of await readdir(worker.work).catch(() => []))
      violations.push(`${worker.host} still has ${folder} after reconciling`);
  }
  return [...violations, ...survivors(names, [])];
}
