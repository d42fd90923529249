/**
 * Real campaigns in which a scripted model makes one large gain and then many small ones of known size, between as
 * many edits that do nothing: how many does a rule adopt, how many runs does it take, and how far is what it believes
 * from the truth? `node --import tsx bench/large-gain.ts --repetitions 5` prints a line each and a table on stderr,
 * and JSON (assay.bench.large-gain/1) on stdout. The noise of each campaign is drawn from a secret of its own.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { ruleNameSchema } from '../src/domain/decision/records/record.js';
import { loadTask } from '../src/tasks/load.js';
import { LOOKUP } from '../test/fixtures/tiny.js';
import { lookupTable, shuffledEdits, startLookupModel, LARGE } from '../test/model/lookup-model.js';
import { lookupOutcome, type LookupOutcome } from '../test/workflows/lookup-outcome.js';
import { openBenchGround } from './ground.js';

const { values } = parseArgs({
  options: {
    repetitions: { type: 'string', default: '5' },
    rules: { type: 'string', default: ruleNameSchema.options.join(',') },
    beside: { type: 'string', default: '2' },
  },
});
const repetitions = Number(values.repetitions);
const rules = values.rules.split(',');
const say = (line: string): boolean => process.stderr.write(`${line}\n`);

const table = await lookupTable();
const quiet = table.edits[LARGE]?.sd ?? table.start.sd;
const seedOf = (campaign: string): number => Number(campaign.split('-').at(-1));
const model = await startLookupModel((campaign) => shuffledEdits(table, seedOf(campaign)));
const ground = await openBenchGround(model.url, Number(values.beside), say);
const { lineage, client } = ground;
const { spec, files } = await loadTask(LOOKUP);
await lineage.tasks.push(spec, files, 'person');

interface Row extends LookupOutcome {
  rule: string;
  repetition: number;
  /** Believed less true score of the frontier, in standard deviations of its runs. */
  off: number;
  seconds: number;
}

async function run(rule: string, repetition: number): Promise<Row> {
  const name = `${rule.replaceAll('@', '-v')}-${repetition}`;
  const began = performance.now();
  const trials = Object.keys(table.edits).length;
  const input = {
    task: 'lookup',
    model: 'scripted',
    specialists: ['solo'],
    trials,
    rule,
    claim: { runs: 0 },
  };
  await client.workflow.execute('campaign', { taskQueue: 'assay', workflowId: name, args: [input] });
  const outcome = await lookupOutcome(lineage, table, name);
  const sd = outcome.adopted.large ? quiet : table.start.sd;
  const off = (outcome.believed - outcome.truth) / sd;
  const seconds = Math.round((performance.now() - began) / 1000);
  const { adopted, runs, believed, truth, noise } = outcome;
  say(
    `${name}: ${adopted.large ? 'the large gain' : 'not the large gain'}, ${adopted.gains} small ones, ${adopted.nothing} that do nothing; ` +
      `${runs} runs; believed ${believed.toFixed(4)}, true ${truth.toFixed(4)} (${off.toFixed(1)} sd); noise ${noise?.toPrecision(3) ?? '-'}; ${seconds} s`,
  );
  return { rule, repetition, ...outcome, off, seconds };
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

const queue = Array.from({ length: repetitions }, (_, i) => i + 1).flatMap((repetition) =>
  rules.map((rule) => ({ rule, repetition })),
);
const rows: Row[] = [];
await Promise.all(
  Array.from({ length: Number(values.beside) }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      rows.push(await run(next.rule, next.repetition));
  }),
);

const summary = rules.map((rule) => {
  const of = rows.filter((row) => row.rule === rule);
  const meanOf = (figure: (row: Row) => number): number => mean(of.map(figure));
  return {
    rule,
    gains: meanOf(({ adopted }) => adopted.gains),
    nothing: meanOf(({ adopted }) => adopted.nothing),
    runs: meanOf(({ runs }) => runs),
    believed: meanOf(({ believed }) => believed),
    truth: meanOf(({ truth }) => truth),
    off: meanOf(({ off }) => off),
    noise: of.some(({ noise }) => noise === null) ? null : meanOf(({ noise }) => noise ?? 0),
  };
});
say('RULE         GAINS  NOTHING   RUNS  BELIEVED    TRUE  OFF (sd)    NOISE');
for (const { rule, gains, nothing, runs, believed, truth, off, noise } of summary)
  say(
    `${rule.padEnd(11)} ${gains.toFixed(1).padStart(6)} ${nothing.toFixed(1).padStart(8)} ${runs.toFixed(1).padStart(6)} ` +
      `${believed.toFixed(4).padStart(9)} ${truth.toFixed(4).padStart(7)} ${off.toFixed(2).padStart(9)} ${(noise?.toFixed(5) ?? '-').padStart(8)}`,
  );
process.stdout.write(
  `${JSON.stringify({ schema: 'assay.bench.large-gain/1', cores: cpus().length, asked: values, summary, rows })}\n`,
);
await ground.stop();
await model.stop();
