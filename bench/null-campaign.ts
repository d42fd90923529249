/**
 * Real campaigns on byte-golf in which nothing can be gained: every proposal is the start with another comment. How many
 * of them claim something all the same? `npx tsx bench/null-campaign.ts --seeds 20` prints a line each on stderr and
 * JSON (assay.bench.null-campaign/1) on stdout.
 */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { campaignHeader } from '../src/analysis/read-models/campaign-header.js';
import { EDIT_TOOL } from '../src/model/tools/workspace.js';
import { startScriptedServer, use, type ScriptStep } from '../test/model/scripted-server.js';
import { openBenchGround } from './ground.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    trials: { type: 'string', default: '8' },
    'train-seconds': { type: 'string', default: '1' },
    'claim-runs': { type: 'string', default: '8' },
    beside: { type: 'string', default: '2' },
  },
});
const seeds = Number(values.seeds);
const say = (line: string): boolean => process.stderr.write(`${line}\n`);

const recipe = await readFile(
  fileURLToPath(new URL('../tasks/byte-golf/recipe/train.py', import.meta.url)),
  'utf8',
);
let comments = 0;
const step: ScriptStep = ({ body }) => {
  if (body.messages.length > 1)
    return { blocks: [use('submit_trial', { hypothesis: 'a comment', expected_delta: -0.01 })] };
  comments += 1;
  const text = `${recipe}\n# comment ${comments}\n`;
  return { blocks: [use(EDIT_TOOL, { command: 'create', path: 'train.py', file_text: text })] };
};

const model = await startScriptedServer(Array.from({ length: 100_000 }, () => step));
const ground = await openBenchGround(model.url, 2, say);
const { lineage, client } = ground;

async function run(seed: number) {
  const name = `null-${seed}`;
  const began = performance.now();
  await client.workflow.execute('campaign', {
    taskQueue: 'assay',
    workflowId: name,
    args: [
      {
        task: 'byte-golf',
        model: 'scripted',
        specialists: ['opt'],
        trials: Number(values.trials),
        trainSeconds: Number(values['train-seconds']),
        claim: { runs: Number(values['claim-runs']) },
      },
    ],
  });
  const { claim, remark, campaign } = await campaignHeader(lineage, name);
  const last = await lineage.decisions.last(campaign.owner);
  const interval = claim.kind === 'interval' ? claim.interval : null;
  const [low, high] = interval ?? [0, 0];
  const row = {
    seed,
    state: claim.state,
    adopted: (last?.frontier.version ?? 1) - 1,
    noise: last?.result.sd ?? null,
    interval,
    /** No claim, or an interval that holds zero. */
    honest: interval === null || (low <= 0 && high >= 0),
    seconds: Math.round((performance.now() - began) / 1000),
  };
  say(`seed ${seed}: ${row.adopted} adopted, ${remark} (${row.seconds} s)`);
  return row;
}

const rows: Awaited<ReturnType<typeof run>>[] = [];
let next = 1;
await Promise.all(
  Array.from({ length: Number(values.beside) }, async () => {
    while (next <= seeds) {
      const seed = next;
      next += 1;
      rows.push(await run(seed));
    }
  }),
);
const honest = rows.filter((row) => row.honest).length;
say(
  `${honest} of ${seeds} null campaigns claim nothing, or have zero in their interval (aim: at least 18 of 20)`,
);
process.stdout.write(
  `${JSON.stringify({ schema: 'assay.bench.null-campaign/1', cores: cpus().length, asked: values, honest, rows })}\n`,
);
await ground.stop();
await model.stop();
