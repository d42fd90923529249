/**
 * Adopt rules at equal runs, simulated: how much is truly gained, and how much each rule believes. Prints a table on
 * stderr as it goes, and JSON (assay.bench.adopt/2) on stdout.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { summarise, type ScenarioSummary } from './adopt/comparison.js';
import { RepetitionPool } from './adopt/parallel.js';
import { simulatedRuleName } from './adopt/rules/all.js';
import { SCENARIOS } from './adopt/scenarios.js';
import { scenarioText, verdictText } from './adopt/table.js';
import { SUBJECT, verdictOn } from './adopt/verdict.js';

const HELP = `node --import tsx bench/adopt.ts [options]

Simulates campaigns of every adopt rule at equal runs. In one repetition of a scenario all rules meet the same
proposals and the same noise, so that differences are paired; seeds depend on the scenario and the repetition alone.
Gains are printed in 1e-4 of the metric, ± is one standard error.

  --repetitions N   campaigns of each rule in each scenario (150)
  --runs N          runs of each campaign (440)
  --only PART…      scenarios whose names contain one of these; may be given several times
  --rules RULE…     ${simulatedRuleName.options.join(', ')}; may be given several times (all)
  --jobs N          processes (${availableParallelism()}, one a core)
  --strict          exit code 1 where ${SUBJECT} misses a line
  --help

scenarios:
${SCENARIOS.map(({ name }) => `  ${name}`).join('\n')}
`;

const { values } = parseArgs({
  options: {
    repetitions: { type: 'string', default: '150' },
    runs: { type: 'string', default: '440' },
    only: { type: 'string', multiple: true, default: [''] },
    rules: { type: 'string', multiple: true, default: [...simulatedRuleName.options] },
    jobs: { type: 'string', default: String(availableParallelism()) },
    strict: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const countOf = (text: string, least: number): number => z.coerce.number().int().min(least).parse(text);

async function compare(): Promise<void> {
  const repetitions = countOf(values.repetitions, 2);
  // what calibrates its noise needs runs to begin with
  const runs = countOf(values.runs, 20);
  const rules = z.array(simulatedRuleName).parse(values.rules);
  const scenarios = SCENARIOS.filter(({ name }) => values.only.some((part) => name.includes(part)));
  const pool = new RepetitionPool(countOf(values.jobs, 1));
  const summaries: ScenarioSummary[] = [];
  try {
    for (const scenario of scenarios) {
      const inputs = Array.from({ length: repetitions }, (_, repetition) => ({
        scenario,
        repetition,
        runs,
        rules,
      }));
      const summary = summarise(scenario, await pool.run(inputs), SUBJECT);
      process.stderr.write(`${scenarioText(summary)}\n\n`);
      summaries.push(summary);
    }
  } finally {
    pool.stop();
  }
  const verdict = verdictOn(summaries);
  process.stderr.write(`${verdictText(verdict)}\n`);
  process.stdout.write(
    `${JSON.stringify({ schema: 'assay.bench.adopt/2', subject: SUBJECT, repetitions, runs, scenarios: summaries, verdict })}\n`,
  );
  if (values.strict && verdict.some(({ missed }) => missed.length > 0)) process.exitCode = 1;
}

if (values.help) process.stdout.write(HELP);
else await compare();
