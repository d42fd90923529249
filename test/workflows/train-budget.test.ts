import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSlow } from '../../src/domain/trial/host-use.js';
import { openLab, pushTask, type Lab } from '../bad-input/test-task.js';
import { withScript } from './one-trial.js';
import type { ScriptStep } from '../model/scripted-server.js';
import { edit, submit, turnKnob } from './script.js';
import { openWorld, type World } from './world.js';

/** `training`, `packing`: lines of the recipe in each phase. */
const recipe = (training: string, packing = 'pass'): string => `
import json, os, shutil, sys, time
X = 1.0  # knob: -10..10
out = os.environ["ASSAY_OUTPUT"]
if "--pack" in sys.argv:
    ${packing}
    shutil.copy(os.path.join(os.environ["ASSAY_INPUT"], "x.json"), out)
else:
    with open(os.path.join(out, "x.json"), "w") as file: json.dump({"x": X}, file)
    ${training}
`;
const BUSY = 'end = time.monotonic() + 13.75\n    while time.monotonic() < end: sum(range(1000))';

/** Training may take 10 s and no more than 11, packing 8. */
const clocked = (yaml: string): string =>
  yaml
    .replace(/^ +check:.*\n/m, '')
    .replace('output: out/', 'clock: { from: data_visible, budget_s: 10 }\n    output: out/')
    .replace(
      '\nscoring:',
      "\n  pack: { run: 'python train.py --pack', timeout_s: 60, budget_s: 2, tolerance_s: 6, output: artifact/, reads: ['train.py', out/] }\nscoring:",
    );

describe('a budget', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab();
    await lab.task('clocked', clocked, { 'recipe/train.py': recipe('pass') });
    await lab.open('budgets', 'clocked');
  });
  afterAll(() => lab.stop());

  it.each([
    ['trains for 13.75 s of 10', BUSY, 'pass', 'train', 'trained', 10, 1],
    ['sleeps past it', 'time.sleep(60)', 'pass', 'train', 'trained', 10, 1],
    ['trains on while it packs', 'pass', 'time.sleep(60)', 'pack', 'packed', 2, 6],
  ])('binds what %s', async (_what, training, packing, phase, verb, budget, tolerance) => {
    const number = await lab.submit('budgets', recipe(training, packing));
    const { status, failure, replicates } = await lab.ended('budgets', number);
    expect(status).toBe('train_budget_overrun');
    expect(failure).toMatchObject({
      phase,
      limit: { name: 'budget', allowed: budget + tolerance, unit: 's' },
    });
    expect(failure?.limit?.used).toBeGreaterThanOrEqual(budget + tolerance);
    expect(failure?.reason).toContain(
      `${verb} for more than ${budget} s and its tolerance of ${tolerance} s`,
    );
    const [replicate] = replicates;
    expect(replicate).toMatchObject({ attempts: 1, artifact: null, infra: [] });
    const runs = replicate?.phases.filter((run) => run.phase === phase) ?? [];
    expect(runs.map(({ budgetS }) => budgetS)).toEqual(runs.map(() => budget));
    // on a busy machine it runs once more, and the first run is recorded as repeated
    const again = runs.slice(0, 1).map((run) => isSlow(run));
    expect(runs.map(({ repeated }) => repeated)).toEqual(again[0] === true ? [true, false] : [false]);
  });

  it('lets a recipe stop in time by the clock that began before it', async () => {
    const waits =
      'print("left", float(os.environ["ASSAY_TRAIN_SECONDS"]) - (time.monotonic() - float(os.environ["ASSAY_TRAIN_BEGAN"])) > 0)';
    const number = await lab.submit('budgets', recipe(waits));
    const record = await lab.ended('budgets', number);
    expect(record.failure).toBeNull();
    const { owner } = await lab.world.campaign('budgets');
    const { replicates } = await lab.world.lineage.trials.require(owner, number);
    const [replicate] = await lab.world.lineage.replicates.many(replicates);
    expect(await lab.world.lineage.blobs.text(replicate?.trained?.runs[0]?.log ?? '')).toContain('left True');
  });
});

describe('a session', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
    await pushTask(world, 'clocked', clocked, { 'recipe/train.py': recipe('pass') });
  });
  afterAll(() => world.stop());

  it('is told how much of its budget training used', async () => {
    let told = '';
    const turns: ScriptStep[] = [
      turnKnob('X = 1.0  # knob: -10..10', 'X = 2.0  # knob: -10..10'),
      submit('nearer'),
      (request) => {
        told = JSON.stringify(request.body.messages.at(-1));
        return edit('X = 2.0  # knob: -10..10', 'X = 2.5  # knob: -10..10');
      },
      submit('nearer still'),
    ];
    await withScript(world, turns, async () => {
      const input = { task: 'clocked', model: 'scripted', specialists: ['solo'], trials: 2 };
      const handle = await world.start('told', input);
      await handle.result();
    });
    expect(told).toMatch(/train [\d.]+ of 10 /);
  });
});
