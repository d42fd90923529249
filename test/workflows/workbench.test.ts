import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { latestNotes } from '../../src/lineage/sessions/notes.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import {
  startScriptedServer,
  use,
  type RecordedRequest,
  type ScriptedAnswer,
  type ScriptedServer,
} from '../model/scripted-server.js';
import { replayAll } from './replaying.js';
import { openWorld, type World } from './world.js';

vi.setConfig({ testTimeout: 240_000 });

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer(Array.from({ length: MOST_REQUESTS }, () => answer));
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

const MOST_REQUESTS = 40;
const NOTE = 'a padded artifact misses the size gate; every key that train.py reads has to exist';

/** Answer to the calls of the reply before, as the model is sent them. */
const lastOf = (request: RecordedRequest): string => JSON.stringify(request.body.messages.at(-1));

const write = (change: { x: string; pad?: number; end?: string }) => {
  const text = [
    'import json',
    'import os',
    '',
    `X = ${change.x}`,
    `PAD = "p" * ${change.pad ?? 0}`,
    '',
    'with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:',
    '    json.dump({"x": X, "pad": PAD}, file)',
    `print("artifact of", ${change.pad ?? 0}, "bytes and more")`,
    change.end ?? '# the end',
    '',
  ].join('\n');
  return use(EDIT_TOOL, { command: 'create', path: 'train.py', file_text: text });
};
const submit = (hypothesis: string, wait = true) =>
  use('submit_trial', { hypothesis, expected_delta: -1, wait });

let noted: () => void = () => undefined;
const untilNoted = new Promise<void>((resolve) => (noted = resolve));

type Step = (request: RecordedRequest) => ScriptedAnswer | Promise<ScriptedAnswer>;

/** A capable engineer: sizes, mends, merges, and writes down what was learned. */
const SOLO: Step[] = [
  () => ({ blocks: [write({ x: '2.0', pad: 2500 }), submit('more of it')] }),
  (request) => {
    expect(lastOf(request)).toMatch(/trial 1: size_blocked[^]*OVER[^]*code is \d+, the artifact \d+/);
    return { blocks: [write({ x: '2.0' }), submit('without the padding')] };
  },
  (request) => {
    expect(lastOf(request)).toContain('trial 2: keep');
    return { blocks: [write({ x: '{"a": 1}["lost"]' }), submit('a value from a table')] };
  },
  (request) => {
    expect(lastOf(request)).toContain('trial 3: crash');
    return { blocks: [use('log', { trial: 3, pattern: 'Error' }), use('diff', { from: 2, to: 3 })] };
  },
  (request) => {
    expect(lastOf(request)).toMatch(/KeyError: 'lost'[^]*-X = 2\.0/);
    return { blocks: [use('rebase', { trial: 2 }), write({ x: '2.5' }), submit('nearer', false)] };
  },
  (request) => {
    expect(lastOf(request)).toContain('trial 4: queued');
    const other = [use('rebase', { trial: 2 }), write({ x: '2.0', end: '# another end' })];
    return { blocks: [...other, submit('an end', false), use('await_trials')] };
  },
  (request) => {
    expect(lastOf(request)).toMatch(/trial 5: queued[^]*trial 4: keep[^]*trial 5: discard/);
    return { blocks: [use('merge', { trial: 4 }), use('children', { trial: 2 }), submit('both')] };
  },
  (request) => {
    expect(lastOf(request)).toMatch(/merged trial 4 into the workspace[^]*changed: train\.py/);
    expect(lastOf(request)).toMatch(/trial 6: \w+/);
    return { blocks: [use('note', { text: NOTE })] };
  },
  () => {
    noted();
    return { blocks: [use('finish', { note: 'try 3.0 next' })] };
  },
];

/** Another role, which begins when that is written down. */
const DUO: Step[] = [
  async () => {
    await untilNoted;
    return { blocks: [use('notes', { role: 'solo' })] };
  },
  (request) => {
    expect(lastOf(request)).toContain(NOTE);
    return { blocks: [use('finish')] };
  },
];

const failures: unknown[] = [];

/** Answers by role; a lane whose script has ended finishes its sessions. */
async function answer(request: RecordedRequest): Promise<ScriptedAnswer> {
  const step = (isOf(request, 'duo') ? DUO : SOLO).shift();
  if (step === undefined) return { blocks: [use('finish')] };
  try {
    return await step(request);
  } catch (error) {
    failures.push(error);
    noted();
    return { blocks: [use('finish')] };
  }
}

const isOf = ({ body }: RecordedRequest, role: string): boolean =>
  JSON.stringify(body.messages[0]).includes(`/${role}-1/`);

it('a session repairs what it reads of its trials, merges siblings, and leaves notes for others', async () => {
  const handle = await world.start('bench', {
    ...{ task: 'tiny', model: 'scripted', specialists: ['solo', 'duo'], trials: 20 },
  });
  expect(await handle.result()).toMatchObject({ state: 'finished' });
  expect(failures).toEqual([]);
  expect([SOLO.length, DUO.length]).toEqual([0, 0]);

  const trials = await world.trials('bench');
  expect(trials.map(({ status, parent }) => [status, parent])).toEqual([
    ['size_blocked', 0],
    ['keep', 1],
    ['crash', 2],
    ['keep', 2],
    ['discard', 2],
    [expect.any(String), 2],
  ]);
  const { owner } = await world.campaign('bench');
  const [, , , , , both] = trials;
  const [merged] = await world.lineage.blobs.readTree(both?.snapshot ?? '');
  expect(merged?.bytes.toString()).toMatch(/X = 2\.5[^]*# another end/);
  const notes = await latestNotes(world.lineage.sessions, { owner, role: 'solo' }, 10);
  expect(notes.map(({ text }) => text)).toEqual(['try 3.0 next', NOTE]);
  expect(await replayAll(world, ['bench'])).toContain('specialist');
});
