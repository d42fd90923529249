import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { submitTrial } from '../../src/session/submit-trial.js';
import { conversing, type Conversing } from '../builders/conversing.js';
import { phaseRun, seedCampaign, type Seeded } from '../builders/stored-campaign.js';

let seeded: Seeded;
let talk: Conversing;
/** Sibling trials of a common parent, and one that changes the same line as the first. */
let parent: number;
let wide: number;
let long: number;
let wider: number;

const RECIPE = ['width = 1', 'depth = 1', 'rate = 1', 'steps = 1', ''].join('\n');

/** Submits a recipe on a trial, as a session of its own. */
async function submitted(base: number, text: string): Promise<number> {
  const own = await conversing(seeded, { base });
  const create = { command: 'create', path: 'train.py', file_text: text };
  await own.reply([EDIT_TOOL, create], ['submit_trial', { hypothesis: text, expected_delta: null }]);
  const found = await submitTrial(seeded.lineage, own.at(1));
  if (found.kind !== 'accepted') throw new Error(found.reason);
  return found.number;
}

beforeAll(async () => {
  seeded = await seedCampaign();
  parent = await submitted(0, RECIPE);
  wide = await submitted(parent, RECIPE.replace('width = 1', 'width = 2'));
  long = await submitted(parent, RECIPE.replace('steps = 1', 'steps = 3'));
  wider = await submitted(parent, RECIPE.replace('width = 1', 'width = 4'));
  await measured(wide);
  talk = await conversing(seeded, { base: long });
});
afterAll(() => seeded.lineage.close());

/** Stores a run of a trial with a log and progress, and ends it. */
async function measured(number: number): Promise<void> {
  const { lineage, owner } = seeded;
  const trial = await lineage.trials.require(owner, number);
  const key = await seeded.begin(trial);
  const log = `${Array.from({ length: 100 }, (_, at) => `step ${at}`).join('\n')}\nValueError: no such axis\n`;
  const revealed = { ...(await phaseRun(lineage, 'reveal', 'its inputs\n')), revealMs: 5 };
  await lineage.replicates.publishTrained(key, {
    ...{ fence: 2, failure: null, artifact: null, metrics: {}, margins: [], saved: [] },
    runs: [revealed, { ...(await phaseRun(lineage, 'train', log)), budgetS: 15 }],
    progress: [0.5, 1].map((share) => ({ share, value: 2 - share })),
    ...{ sharesTraining: null, at: new Date() },
  });
  await seeded.fail(trial, unmeasured('crash', 'train: ValueError'));
}

describe('log', () => {
  it('shows the last lines of a phase, or those that match', async () => {
    expect(await talk.ask('log', { trial: wide, lines: 2 })).toBe(
      `log of train of trial ${wide}, last 2 of 101 lines:\nstep 99\nValueError: no such axis`,
    );
    expect(await talk.ask('log', { trial: wide, pattern: 'Error' })).toContain('train:101: ValueError');
    expect((await talk.ask('log', { trial: wide, lines: 400 })).split('\n')).toHaveLength(102);
  });

  it('names the phases that there are, and never shows an evaluation', async () => {
    expect(await talk.ask('log', { trial: wide, phase: 'evaluate' })).toContain('there are reveal, train');
    expect(await talk.ask('log', { trial: long })).toContain('it has none yet');
    expect(await talk.ask('log', { trial: 99 })).toBe('There is no trial 99.');
    expect(await talk.ask('log', { trial: wide, phase: 'reveal', pattern: '.' })).toContain(
      'cannot be searched',
    );
  });
});

it('curve shows the progress of trials as numbers', async () => {
  const rows = (await talk.ask('curve', { trials: [wide] })).split('\n');
  expect(rows[0]).toBe(`share\tseconds\ttrial ${wide}`);
  expect(rows.at(-1)).toBe('1\t15\t1');
  expect(await talk.ask('curve', { trials: [wide, long] })).toBe(`Trial ${long} has reported no progress.`);
  expect(await talk.ask('curve', { trials: [1, 2, 3] })).toContain('malformed');
});

it('diff compares two trials, or a trial and the workspace', async () => {
  expect(await talk.ask('diff', { from: wide, to: long })).toContain('-width = 2\n+width = 1');
  expect(await talk.ask('diff', { from: long })).toBe('the same files');
  expect(await talk.ask('diff', { from: long, to: 99 })).toBe('There is no trial 99.');
});

it('children lists what was built on a trial, newest first', async () => {
  const text = await talk.ask('children', { trial: parent });
  const places = [wider, long, wide].map((number) => text.indexOf(`trial ${number}`));
  expect(places.every((place) => place >= 0)).toBe(true);
  expect([...places].sort((a, b) => a - b)).toEqual(places);
  expect(await talk.ask('children', { trial: wide })).toBe(`nothing was built on trial ${wide}`);
});

it('knowledge lists the files of the task, and shows one from a line on', async () => {
  expect(await talk.ask('knowledge')).toBe('serving.md (14 bytes)');
  expect(await talk.ask('knowledge', { path: 'knowledge/serving.md', line: 2 })).toBe('two\nthree\n');
  expect(await talk.ask('knowledge', { path: '../task.yaml' })).toContain('There is no such file');
});

describe('merge', () => {
  it('brings the change of a sibling into the workspace, which stays on its own trial', async () => {
    const own = await conversing(seeded, { base: long });
    const [merged] = await own.reply(['merge', { trial: wide }]);
    expect(merged).toMatchObject({ isError: false, base: long });
    expect(merged?.text).toContain(`both descend from trial ${parent}\nchanged: train.py`);
    const [file] = await seeded.lineage.blobs.readTree(merged?.snapshot ?? '');
    expect(file?.bytes.toString()).toBe(
      RECIPE.replace('width = 1', 'width = 2').replace('steps = 1', 'steps = 3'),
    );
    // the workspace has the other width by now
    const [refused] = await own.reply(['merge', { trial: wider }]);
    expect(refused).toMatchObject({ isError: true, snapshot: merged?.snapshot });
    expect(refused?.text).toContain('train.py:1: yours "width = 2", theirs "width = 4"');
  });

  it('of a trial that is not there is refused', async () => {
    expect(await talk.ask('merge', { trial: 99 })).toBe('There is no trial 99.');
  });
});
