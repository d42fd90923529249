import { afterAll, beforeAll, expect, it } from 'vitest';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { startScriptedServer, use, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { openWorld, type World } from '../workflows/world.js';
import { BASE, LONG, Person, type Running } from './person.js';

/** Every lane trains a different recipe, slowly. */
let knobs = 0;
const step: ScriptStep = ({ body }) => {
  if (body.messages.length > 1)
    return { blocks: [use('submit_trial', { hypothesis: 'slow', expected_delta: -1 })] };
  knobs += 1;
  const [from, to] = ['X = 1.0  # knob: -10..10\nSLEEP = 0.0', `X = ${1 + knobs / 10}\nSLEEP = 50.0`];
  const edit = { command: 'str_replace', path: 'train.py', old_str: from, new_str: to };
  return { blocks: [use(EDIT_TOOL, edit)] };
};

let world: World;
let model: ScriptedServer;
let person: Person;
let trainer: Running;
beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer(Array.from({ length: 2000 }, () => step));
  person = new Person(world, model);
  void person.worker('host-o', 'orchestrator', 'model', 'evaluator');
  trainer = person.worker('host-t', 'trainer', '--slots', '1');
});
afterAll(async () => {
  await person.stop();
  await world.stop();
  await model.stop();
});

it('says which trials wait for a slot, and who holds it, while one of ten lanes trains', LONG, async () => {
  const specialists = [{ role: 'solo', lanes: 10 }];
  const input = { ...BASE, model: 'scripted', specialists, trainHeartbeatSeconds: 60 };
  await world.start('lanes', input);
  const { status, reason } = await person.told('lanes', 'lease:assay-train-cpu-x1');
  expect(status.state).toBe('running');
  expect(reason.id).toBe('lease:assay-train-cpu-x1');
  expect(reason.text).toMatch(/ wait(?:s)? for a slot of pool cpu, held by t000\d\d on host-t:\d+$/);
  const [holder] = /t\d{5}(?= on host-t)/.exec(reason.text) ?? [];
  expect(reason.about).not.toContain(holder);
});

it('counts down for a killed worker, and says that a stop waits for it', LONG, async () => {
  const pid = trainer.pid ?? 0;
  trainer.kill('SIGKILL');
  await trainer;
  const { reason } = await person.told('lanes', 'lost_worker');
  expect(reason.text).toMatch(
    new RegExp(
      `^t\\d{5}: its worker host-t:${pid} has not been heard of for \\d+ s; the work is free to be taken over when 60 s are over \\(in \\d+ s\\), but no other worker polls assay-train-cpu-x1$`,
    ),
  );
  await world.client.workflow.getHandle('lanes').signal('stop', 'now');
  const { reason: stopping } = await person.told('lanes', `stopping:host-t:${pid}:silent`);
  expect(stopping.text).toMatch(
    new RegExp(
      `^still ending: t\\d{5} on host-t:${pid}, which has not been heard of for \\d+ s; it counts as dead in \\d+ s$`,
    ),
  );
  await world.client.workflow.getHandle('lanes').result();
  const ended = await person.status('lanes');
  expect(ended).toMatchObject({ state: 'stopped', stall: [] });
});
