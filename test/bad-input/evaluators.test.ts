import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { textOfReason } from '../../src/domain/campaign/reasons.js';
import { until } from '../workflows/world.js';
import { runHere } from './assay.js';
import { openLab, type Lab } from './test-task.js';
import { expectFailure, wordsOf, type RowName } from './rows.js';

/** Kinds of failure, each selected by its own x. */
const KINDS: readonly (readonly [RowName, number, string])[] = [
  ['evaluator-crash', 101, 'sys.exit(3)'],
  ['evaluator-hang', 102, 'time.sleep(600)'],
  ['evaluator-rubbish', 103, 'out.write("loss: 0")'],
  ['evaluator-two', 104, 'out.write(\'{"schema": "assay.evaluation/1", "metrics": {"loss": 0}}{}\')'],
  ['evaluator-nan', 105, 'say({"loss": float("nan")})'],
  ['evaluator-string', 106, 'say({"loss": "0.1"})'],
  ['evaluator-string', 107, 'say({"loss": None})'],
  ['evaluator-string', 108, 'say({"loss": [0]})'],
  ['evaluator-infinite', 109, 'out.write(\'{"schema": "assay.evaluation/1", "metrics": {"loss": 1e999}}\')'],
  ['evaluator-nothing', 110, 'pass'],
  ['evaluator-other-metric', 111, 'say({"gain": 0})'],
];
const PRINTS = 112;

const evaluator = (fixed: string): string => `
import json, os, sys, time
if not os.path.exists(${JSON.stringify(fixed)}): sys.exit("a library is missing")
with open(os.path.join(os.environ["ASSAY_ARTIFACT"], "x.json")) as file:
    x = json.load(file)["x"]
out = os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w")
def say(metrics): json.dump({"schema": "assay.evaluation/1", "metrics": metrics}, out)
if x < 100: say({"loss": (x - 3) ** 2})
elif x == ${PRINTS}:
    print('{"schema": "assay.evaluation/1", "metrics": {"loss": 0}}')
    say({"loss": 50})
${KINDS.map(([, x, code]) => `elif x == ${x}: ${code}\n`).join('')}
out.close()
`;

const recipe = (x: number): string => `
import json, os
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump({"x": ${x}}, file)
`;

let lab: Lab;
let folder: string;
let fixed: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-evaluators-'));
  fixed = join(folder, 'fixed');
  lab = await openLab();
  const quick = (yaml: string): string =>
    yaml.replace("evaluate.py', timeout_s: 20", "evaluate.py', timeout_s: 3");
  await lab.task('rude', quick, {
    'evaluator/evaluate.py': evaluator(fixed),
    'recipe/train.py': recipe(1),
  });
});
afterAll(async () => {
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Waits until the campaign is blocked, and returns the reason. */
async function blocked(name: string, before: string | null): Promise<string> {
  return until(`${name} to be blocked`, async () => {
    const campaign = await lab.world.lineage.campaigns.find(name);
    const reason = campaign?.state === 'blocked' ? textOfReason(campaign.reason) : null;
    return reason === before ? null : reason;
  });
}

it('an evaluator that fails on one artifact costs that trial alone, after a bounded number of attempts', async () => {
  await writeFile(fixed, '');
  await lab.open('rude', 'rude');
  const numbers = [];
  for (const [, x] of KINDS) numbers.push(await lab.submit('rude', recipe(x)));
  const printing = await lab.submit('rude', recipe(PRINTS));
  const good = await lab.submit('rude', recipe(2));
  for (const [at, [row]] of KINDS.entries()) {
    const { failure, replicates, score } = await lab.ended('rude', numbers[at] ?? -1);
    expectFailure(row, failure);
    expect(failure?.phase, row).toBe('evaluate');
    expect(score).toBeNull();
    expect(replicates, row).toHaveLength(1);
    // the third failure is the one that the start's artifact decides about
    expect(replicates[0]?.infra, row).toHaveLength(2);
  }
  const printed = await lab.ended('rude', printing);
  expect(printed, 'evaluator-print').toMatchObject({ status: 'discard', score: 50, failure: null });
  expect(await lab.ended('rude', good)).toMatchObject({ status: 'keep', score: 1, failure: null });
  await lab.close('rude');
});

it('an evaluator that fails on the start as well blocks the campaign, and its trials wait until it is fixed', async () => {
  await rm(fixed, { force: true });
  const { world } = lab;
  await world.start('fixing', { task: 'rude', model: 'silent', specialists: ['solo'], trials: 1000 });
  const first = await blocked('fixing', null);
  expect(first).toMatch(wordsOf('evaluator-broken'));
  const { owner, active } = await world.campaign('fixing');
  expect(active).toEqual({});
  expect(await world.lineage.trials.get(owner, 0)).toMatchObject({ status: null });
  await writeFile(fixed, '');
  expect(await runHere(['resume', 'fixing', '--json'], world.env)).toMatchObject({ exitCode: 0 });
  expect(await lab.ended('fixing', 0)).toMatchObject({ status: 'keep', score: 4 });
  await until('the search', async () => (await world.campaign('fixing')).state === 'running' || null);

  await rm(fixed);
  const number = await lab.submit('fixing', recipe(2));
  await blocked('fixing', null);
  expect(await world.lineage.trials.get(owner, number)).toMatchObject({ status: null });
  const trained = (
    await world.lineage.replicates.many((await world.trials('fixing'))[0]?.replicates ?? [])
  )[0];
  await writeFile(fixed, '');
  expect(await runHere(['resume', 'fixing', '--json'], world.env)).toMatchObject({ exitCode: 0 });
  const record = await lab.ended('fixing', number);
  expect(record).toMatchObject({ status: 'keep', score: 1, failure: null });
  const after = (await world.lineage.replicates.many((await world.trials('fixing'))[0]?.replicates ?? []))[0];
  // the finished training was not repeated
  expect(after?.trained).toEqual(trained?.trained);
  await lab.close('fixing');
});
