/**
 * Measures the cost of a campaign of many trials that do nothing: time, events of the campaign's history, and whether
 * any trial was cancelled or lost. `npx tsx bench/many-trials.ts --trials 10000 --lanes 10` prints progress and a
 * table on stderr, and JSON (assay.bench.many-trials/1) on stdout. `--minutes` stops the campaign by draining it, and
 * what it reached is reported.
 */
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import type { Lineage } from '../src/lineage/lineage.js';
import { loadTask } from '../src/tasks/load.js';
import { startEndlessModel } from '../test/faults/endless-model.js';
import { NOOP } from '../test/fixtures/tiny.js';
import { openBenchGround } from './ground.js';

const NAME = 'many';
const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '1000' },
    lanes: { type: 'string', default: '10' },
    minutes: { type: 'string', default: '600' },
  },
});
const [trials, lanes, minutes] = [Number(values.trials), Number(values.lanes), Number(values.minutes)];
const say = (line: string): boolean => process.stderr.write(`${line}\n`);

interface Reached {
  atS: number;
  ended: number;
  campaignEvents: number;
}

/** Looks twice a minute until the campaign has ended, which is at the latest after its minutes. */
async function follow(handle: WorkflowHandle, lineage: Lineage): Promise<Reached[]> {
  const began = performance.now();
  const seen: Reached[] = [];
  let drained = false;
  const ended = handle.result().then(
    () => true,
    () => true,
  );
  for (;;) {
    const over = await Promise.race([ended, sleep(30_000, false)]);
    const atS = Math.round((performance.now() - began) / 1000);
    const { historyLength } = await handle.describe();
    const reached = { atS, ended: await endedOf(lineage), campaignEvents: historyLength };
    seen.push(reached);
    say(`${atS} s: ${reached.ended} trials ended, ${historyLength} events of the campaign`);
    if (over) return seen;
    if (atS < minutes * 60 || drained) continue;
    drained = true;
    await handle.signal('stop', 'drain');
  }
}

async function endedOf(lineage: Lineage): Promise<number> {
  const campaign = await lineage.campaigns.find(NAME);
  if (campaign === null) return 0;
  const { submitted } = await lineage.trials.totals(campaign.owner);
  const counts = await lineage.leaderboards.counts(campaign.owner, submitted);
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const model = await startEndlessModel();
const ground = await openBenchGround(model.url, 1, say);
const { lineage, client } = ground;
const { spec, files } = await loadTask(NOOP);
await lineage.tasks.push(spec, files, 'person');
const handle = await client.workflow.start('campaign', {
  taskQueue: 'assay',
  workflowId: NAME,
  args: [
    {
      task: 'noop',
      model: 'endless',
      trials,
      rule: 'greedy',
      claim: { runs: 0 },
      specialists: [{ role: 'solo', lanes }],
    },
  ],
});
const seen = await follow(handle, lineage);

const { owner, state, reason } = await lineage.campaigns.byName(NAME);
const { submitted, counted } = await lineage.trials.totals(owner);
const counts = await lineage.leaderboards.counts(owner, submitted);
const open = await lineage.trials.open(owner, submitted + 1);
const budget = await lineage.budgets.get(owner);
const last = seen.at(-1) ?? { atS: 0, ended: 0, campaignEvents: 0 };
const renewed = await client.workflow.count('ExecutionStatus="ContinuedAsNew"');
const cancelled = await client.workflow.count('ExecutionStatus IN ("Canceled", "Terminated", "Failed")');
const result = {
  schema: 'assay.bench.many-trials/1',
  cores: cpus().length,
  store: ground.store,
  asked: { trials, lanes, minutes },
  state,
  reason,
  submitted,
  counted,
  ended: last.ended,
  statuses: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
  withoutStatus: open.length,
  openReservations: Object.keys(budget.open).length,
  campaignEvents: last.campaignEvents,
  eventsATrial: Number((last.campaignEvents / Math.max(1, last.ended)).toFixed(4)),
  lanesRenewed: renewed.count,
  workflowsCancelledOrFailed: cancelled.count,
  modelRequests: model.asked(),
  seconds: last.atS,
  secondsATrial: Number((last.atS / Math.max(1, last.ended)).toFixed(3)),
  course: seen,
};
say(
  [
    `trials ended             ${result.ended} of ${trials} asked, ${lanes} lanes, ${result.state} (${result.reason ?? ''})`,
    `without a status         ${result.withoutStatus} (aim: 0)`,
    `open reservations        ${result.openReservations} (aim: 0)`,
    `events of the campaign   ${result.campaignEvents} (aim: below 4,096)`,
    `lanes continued-as-new   ${result.lanesRenewed} times`,
    `cancelled or failed      ${result.workflowsCancelledOrFailed} workflows (aim: 0)`,
    `time                     ${result.seconds} s, ${result.secondsATrial} s a trial`,
  ].join('\n'),
);
process.stdout.write(`${JSON.stringify(result)}\n`);
await ground.stop();
await model.stop();
