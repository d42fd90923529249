/**
 * Campaigns of short trials while server, store and worker are killed with -9 at random, one a seed, each on servers
 * and a folder of its own. `node --import tsx bench/chaos.ts --seeds 1..10` prints a row a seed on stderr and JSON
 * (assay.bench.chaos/1) on stdout; exit code 1 when a promise was broken.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { runChaos, type ChaosRow } from '../test/faults/chaos.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1..10' },
    trials: { type: 'string', default: '40' },
    kills: { type: 'string', default: '12' },
    hosts: { type: 'string', default: '2' },
    'train-seconds': { type: 'string', default: '0.3' },
    keep: { type: 'boolean', default: false },
  },
});

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

function rowText({ seed, kills, durationS, counts, violations, home }: ChaosRow): string {
  const { submitted, counted, statuses, exposed, lost, replayed, seen } = counts;
  const said = Object.entries(statuses).map(([status, count]) => `${count} ${status}`);
  return [
    `seed ${seed}: ${violations.length === 0 ? 'kept' : 'BROKEN'} in ${durationS} s`,
    `kills ${kills.server} server, ${kills.store} store, ${kills.worker} worker`,
    `${counted} counted of ${submitted} trials (${said.join(', ')})`,
    `${lost} phases cut off and begun again, ${exposed} model requests exposed`,
    `${seen} runs seen, ${replayed} histories replayed`,
    ...violations.map((violation) => `\n  ${violation}`),
    ...(home === null ? [] : [`\n  kept in ${home}`]),
  ].join('; ');
}

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => interrupt.abort(new Error(`interrupted by ${signal}`)));

const [first = 1, last = first] = values.seeds.split('..').map(Number);
const rows: ChaosRow[] = [];
for (let seed = first; seed <= last && !interrupt.signal.aborted; seed += 1) {
  const row = await runChaos({
    seed,
    trials: Number(values.trials),
    kills: Number(values.kills),
    hosts: Number(values.hosts),
    trainSeconds: Number(values['train-seconds']),
    limitSeconds: 1200,
    keep: values.keep,
    say,
    signal: interrupt.signal,
  });
  say(rowText(row));
  rows.push(row);
}
process.stdout.write(`${JSON.stringify({ schema: 'assay.bench.chaos/1', cores: cpus().length, rows })}\n`);
process.exitCode = rows.every(({ violations }) => violations.length === 0) ? 0 : 1;
