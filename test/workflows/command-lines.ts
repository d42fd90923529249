import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { findTemporalProgram } from '../../src/dev/temporal/temporal-program.js';
import { processName } from '../../src/sandbox/host/worker-folders.js';
import { loadTask } from '../../src/tasks/load.js';
import { workOf } from '../faults/run-processes.js';
import { TINY } from '../fixtures/tiny.js';
import { trains, until, type World } from './world.js';

const run = promisify(execFile);
const ASSAY = fileURLToPath(new URL('../../bin/assay.js', import.meta.url));

export interface Typed {
  code: number;
  stdout: string;
  stderr: string;
}

const failed = z.object({ stdout: z.string(), stderr: z.string(), code: z.number() });

async function type(program: string, args: readonly string[], env: Record<string, string>): Promise<Typed> {
  const options = { env: { ...process.env, NO_COLOR: '1', ...env } };
  return run(program, [...args], options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => failed.parse(error),
  );
}

/** Runs `assay …` as a person types it, as its own process. */
export function assay(world: World, ...args: string[]): Promise<Typed> {
  return type(process.execPath, [ASSAY, ...args], world.env);
}

/** Returns the JSON that `assay … --json` prints, also when it fails. */
export async function assayJson(world: World, ...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await assay(world, ...args, '--json');
  if (code !== 0) throw new Error(`assay ${args.join(' ')}: exit ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/**
 * Runs the Temporal CLI as a person types it, which does the same as the Temporal UI. Fails where it fails.
 */
export async function temporal(world: World, ...args: string[]): Promise<string> {
  const { file } = await findTemporalProgram(() => undefined);
  const where = ['--address', world.env.TEMPORAL_ADDRESS ?? '', '--namespace', world.namespace];
  const { code, stdout, stderr } = await type(file, [...args, ...where], {});
  if (code !== 0) throw new Error(`temporal ${args.join(' ')}: exit ${code}: ${stdout}${stderr}`);
  return stdout;
}

/**
 * Stores `patient`: the tiny task with long trainings, and an evaluator that is slow with X = 2.25. Work that a test
 * cuts off must not end by itself on a slow machine.
 */
export async function pushPatientTask({ lineage }: World): Promise<void> {
  const { spec, files } = await loadTask(TINY);
  const { phases } = spec;
  const slow = {
    ...spec,
    name: 'patient',
    phases: { ...phases, train: { ...phases.train, timeout_s: 900 } },
    evaluate: { ...spec.evaluate, timeout_s: 900 },
  };
  const waits = Buffer.from('\nimport time\n\nif x == 2.25:\n    time.sleep(600)\n');
  const slowly = files.map(({ path, bytes }) =>
    path === 'evaluator/evaluate.py' ? { path, bytes: Buffer.concat([bytes, waits]) } : { path, bytes },
  );
  await lineage.tasks.push(slow, slowly, 'person');
}

/** Processes of recipes and evaluators that workers of this process have started and that live. */
export async function liveRuns(): Promise<string[]> {
  return (await workOf(await processName(process.pid))).map(({ run: id }) => id);
}

/** Workflows of a campaign, itself included, that the server runs. */
export async function liveWorkflows(world: World, name: string): Promise<string[]> {
  const { owner, frozen } = await world.campaign(name);
  const { submitted } = await world.lineage.trials.totals(owner);
  const numbers = Array.from({ length: submitted + 1 }, (_, n) => `${name}/t${String(n).padStart(5, '0')}`);
  const live: string[] = [];
  for (const id of [name, ...frozen.lanes.map(({ lane }) => `${name}/${lane}`), ...numbers]) {
    const found = await world.client.workflow
      .getHandle(id)
      .describe()
      .catch(() => null);
    if (found?.status.name === 'RUNNING') live.push(id);
  }
  return live;
}

/** Waits until a training of the trial runs, and gives the campaign as it was then. */
export function training(world: World, name: string, number: number) {
  return until(
    `${name} to train trial ${number}`,
    async () => {
      const campaign = await world.campaign(name).catch(() => null);
      return trains(campaign, number) && (await liveRuns()).length > 0 ? campaign : null;
    },
    200,
  );
}

/** Counts the trainings of a trial that were begun: each reserves its time first. */
export async function begun(world: World, name: string, number: number): Promise<number> {
  const { owner } = await world.campaign(name);
  const ours = ({ what, trial }: { what: string; trial: number | null }): boolean =>
    what === 'train' && trial === number;
  const settled = (await world.lineage.budgets.rows(owner, 1000)).filter(ours);
  const { open } = await world.lineage.budgets.get(owner);
  return settled.length + Object.values(open).filter(ours).length;
}

/** Lists the open trials, claims and reservations that a campaign left at its end. */
export async function leftOpen(world: World, name: string): Promise<unknown> {
  const { owner, active } = await world.campaign(name);
  const { open } = await world.lineage.budgets.get(owner);
  return {
    trials: (await world.lineage.trials.open(owner, 1000)).map(({ number }) => number),
    active: Object.values(active),
    reservations: Object.values(open).map(({ key }) => key),
  };
}

export const NOTHING_OPEN = { trials: [], active: [], reservations: [] };
