import { afterAll, beforeAll, expect, it } from 'vitest';
import { openOwnTemporal, type OwnServer } from '../faults/own-servers.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { replayAll } from './replaying.js';
import { submit, turnKnob } from './script.js';
import { openWorld, type World } from './world.js';

const [START, TWO, THREE] = ['X = 1.0', 'X = 2.0', 'X = 2.5'].map((x) => `${x}  # knob: -10..10`);
/** The events after which the server asks for a continue-as-new; by default 4,096. */
const RENEWAL = 10;

let temporal: OwnServer;
let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  temporal = await openOwnTemporal([
    '--dynamic-config-value',
    `limit.historyCount.suggestContinueAsNew=${RENEWAL}`,
  ]);
  world = await openWorld({ temporalAddress: temporal.address });
  model = await startScriptedServer([
    turnKnob(START ?? '', TWO ?? ''),
    submit('closer'),
    turnKnob(TWO ?? '', THREE ?? ''),
    submit('closer still'),
  ]);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
});
afterAll(async () => {
  await world.stop();
  await model.stop();
  await temporal.stop();
});

it('a lane that continues as new at each turn goes on where it was, and replays', async () => {
  const input = { task: 'tiny', model: 'scripted', specialists: ['solo'], trials: 2 };
  await (await world.start('renewed', input)).result();
  expect((await world.trials('renewed')).map(({ status }) => status)).toEqual(['keep', 'keep']);
  model.assertDone();
  const runs = await replayAll(world, ['renewed'], ['specialist']);
  expect(runs.length).toBeGreaterThan(2);
});
