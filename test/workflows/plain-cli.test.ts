import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { findTemporalProgram } from '../../src/dev/temporal/temporal-program.js';
import { openWorld, type World } from './world.js';

const run = promisify(execFile);

let world: World;
let program: string;
beforeAll(async () => {
  world = await openWorld();
  await world.fleet();
  program = (await findTemporalProgram(() => undefined)).file;
});
afterAll(() => world.stop());

/** The Temporal CLI as a person would type it. */
async function temporal(...args: string[]): Promise<{ code: number; text: string }> {
  const where = ['--address', world.env.TEMPORAL_ADDRESS ?? '', '--namespace', world.namespace];
  return run(program, [...args, ...where]).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: unknown) => {
      const failed = z.object({ stdout: z.string(), stderr: z.string(), code: z.number() }).parse(error);
      return { code: failed.code, text: failed.stdout + failed.stderr };
    },
  );
}

const start = (name: string, input: unknown): Promise<{ code: number; text: string }> =>
  temporal(
    'workflow',
    'start',
    '--type',
    'campaign',
    '--task-queue',
    'assay',
    '--workflow-id',
    name,
    '--input',
    JSON.stringify(input),
  );

it('runs a campaign started by the plain Temporal CLI to the same end as one of ours, with the offline proposer', async () => {
  expect((await start('plain', { task: 'tiny', trials: 8 })).code).toBe(0);
  const ended = await temporal('workflow', 'result', '--workflow-id', 'plain');
  expect(ended).toMatchObject({ code: 0 });
  const trials = await world.trials('plain');
  expect(trials.map((trial) => trial.number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(trials.every((trial) => trial.status !== null)).toBe(true);
  expect(await world.campaign('plain')).toMatchObject({ state: 'finished', reason: 'trials (8 of 8)' });
  const { owner } = await world.campaign('plain');
  const frontier = await world.lineage.decisions.frontier(owner);
  expect(frontier?.inputs.score).toBeLessThan(4);
}, 240_000);

it('says what is wrong with the input where the Temporal CLI shows it', async () => {
  await start('typo', { task: 'tiny', trails: 4 });
  const ended = await temporal('workflow', 'result', '--workflow-id', 'typo');
  expect(ended.code).not.toBe(0);
  expect(ended.text).toContain('unknown field "trails"');
});
