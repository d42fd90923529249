import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { use, type RecordedRequest, type ScriptStep } from '../model/scripted-server.js';
import { withScript } from './one-trial.js';
import { replayAll } from './replaying.js';
import { submit, turnKnob } from './script.js';
import { openWorld, type World } from './world.js';

vi.setConfig({ testTimeout: 240_000 });

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

const SOLO = { task: 'tiny', model: 'scripted', specialists: ['solo'] };
const START = 'X = 1.0  # knob: -10..10';
const SLEEP = 'SLEEP = 0.0';

const after = (words: RegExp, ...blocks: ReturnType<typeof use>[]): ScriptStep => {
  return (request: RecordedRequest) => {
    expect(JSON.stringify(request.body.messages.at(-1))).toMatch(words);
    return { blocks };
  };
};
const detached = (hypothesis: string) => use('submit_trial', { hypothesis, expected_delta: -1, wait: false });
const edited = (from: string, to: string) =>
  use('str_replace_based_edit_tool', {
    command: 'str_replace',
    path: 'train.py',
    old_str: from,
    new_str: to,
  });

it('a trial whose check fails leaves its place to the next, also where it had the last one', async () => {
  const script: ScriptStep[] = [
    turnKnob(START, 'X = ('),
    submit('it cannot be read'),
    after(/trial 1: preflight_crash[^]*trials left: 1/, edited('X = (', 'X = 2.0')),
    submit('mended'),
  ];
  await withScript(world, script, async () => {
    const handle = await world.start('checked', { ...SOLO, trials: 1 });
    expect(await handle.result()).toMatchObject({
      ...{ state: 'finished', reason: 'trials (1 of 1)', submitted: 2, counted: 1, ended: 2 },
      frontier: 't00002',
    });
  });
});

it('a trial that waits is withdrawn by its session, and leaves its place to the next', async () => {
  const script: ScriptStep[] = [
    after(/./, edited(SLEEP, 'SLEEP = 15.0'), detached('slow')),
    after(/trial 1: queued/, edited(START, 'X = 2.0'), detached('another')),
    after(/trial 2: queued/, use('withdraw', { trial: 2 }), use('withdraw', { trial: 9 })),
    after(
      /trial 2: cancelled[^]*it costs none[^]*Trial 9 is none of this session/,
      edited('SLEEP = 15.0', SLEEP),
      detached('a better one'),
    ),
    after(/trial 3: queued/, use('await_trials')),
  ];
  await withScript(world, script, async () => {
    const handle = await world.start('withdrawn', { ...SOLO, trials: 2 });
    expect(await handle.result()).toMatchObject({ state: 'finished', submitted: 3, counted: 2, ended: 3 });
    const trials = await world.trials('withdrawn');
    expect(trials.map(({ status }) => status)).toEqual(['discard', 'cancelled', 'keep']);
    expect(trials[1]?.outcome?.cancelledBy).toBe('withdrawn by its session');
    expect(await replayAll(world, ['withdrawn'])).toContain('specialist');
  });
});
