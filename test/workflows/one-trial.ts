import { expect } from 'vitest';
import { startScriptedServer, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { begun, leftOpen, NOTHING_OPEN } from './command-lines.js';
import { submit, turnKnob } from './script.js';
import { until, type World } from './world.js';

export const START = 'X = 1.0  # knob: -10..10\nSLEEP = 0.0';
const SLOW = 'X = 2.0  # knob: -10..10\nSLEEP = 35.0';
export const ENDLESS = 'X = 2.0  # knob: -10..10\nSLEEP = 600.0';

/** Runs the body of a test with a fleet whose model is the script; all of the script has to be used. */
export async function withScript(
  world: World,
  script: ScriptStep[],
  run: (model: ScriptedServer) => Promise<void>,
): Promise<void> {
  const model = await startScriptedServer(script);
  const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  try {
    await run(model);
    model.assertDone();
  } finally {
    await fleet.stop();
    await model.stop();
  }
}

/** A session that submits one trial, which trains for a while. */
export const SLOW_TRIAL = [turnKnob(START, SLOW), submit('slow')];

/** A campaign of that one trial. */
export const startOne = (world: World, name: string) =>
  world.start(name, { task: 'patient', model: 'scripted', specialists: ['solo'], trials: 1 });

/** Ended as if nothing had been reset: the one trial under its number, trained so often, every turn paid once. */
export async function endedOnce(
  world: World,
  name: string,
  model: ScriptedServer,
  trainings = 1,
): Promise<void> {
  await until(`${name} to finish`, async () =>
    (await world.campaign(name)).state === 'finished' ? true : null,
  );
  expect(await world.client.workflow.getHandle(name).result()).toMatchObject({
    state: 'finished',
    reason: 'trials (1 of 1)',
    submitted: 1,
    ended: 1,
    frontier: 't00001',
  });
  expect((await world.trials(name)).map(({ number, status }) => [number, status])).toEqual([[1, 'keep']]);
  expect(await begun(world, name, 1)).toBe(trainings);
  expect(model.requests).toHaveLength(SLOW_TRIAL.length);
  const { owner } = await world.campaign(name);
  const rows = await world.lineage.budgets.rows(owner, 100);
  expect(rows.filter(({ what, certainty }) => what === 'model' && certainty !== 'unpaid')).toHaveLength(
    SLOW_TRIAL.length,
  );
  expect(await leftOpen(world, name)).toEqual(NOTHING_OPEN);
}
