import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { startScriptedServer, use, type RecordedRequest, type ScriptStep } from '../model/scripted-server.js';
import { finish, submit } from '../workflows/script.js';
import { openWorld, type World } from '../workflows/world.js';
import { pushTask } from './test-task.js';
import { wordsOf, type RowName } from './rows.js';

let world: World;
let outside: string;
beforeAll(async () => {
  world = await openWorld();
  outside = await mkdtemp(join(tmpdir(), 'assay-outside-'));
});
afterAll(async () => {
  await world.stop();
  await rm(outside, { recursive: true, force: true });
});

const create = (path: string) => use(EDIT_TOOL, { command: 'create', path, file_text: 'kept' });
const replace = (path: string, from: string, to: string) =>
  use(EDIT_TOOL, { command: 'str_replace', path, old_str: from, new_str: to });

const TRICKS: readonly (readonly [RowName, string])[] = [
  ['edit-path', '../x.py'],
  ['edit-path', 'lib/../../x.py'],
  ['edit-path', '/etc/passwd'],
  ['edit-path', 'C:/x.py'],
  ['edit-path', 'lib\\x.py'],
  ['edit-path', 'lib/a\0b.py'],
  ['edit-path', 'lib/a\u202eb.py'],
  ['edit-path', '.git/config'],
  ['edit-path', 'lib/.GIT/hooks/post-commit'],
  ['edit-path', 'lib/.\uff47it/config'],
  ['edit-case', 'Train.py'],
  ['edit-case', '\uff54rain.py'],
  ['edit-foreign', 'notes.md'],
  ['edit-foreign', 'task.yaml'],
];

const resultSchema = z.object({ is_error: z.boolean(), content: z.string() });

/** Answers of the tools of the last turn. */
function answersIn({ body }: RecordedRequest): z.infer<typeof resultSchema>[] {
  return z.array(resultSchema).parse(body.messages.at(-1)?.content);
}

/** Expects that a refused edit is reported to the model in the words of its row, and changes nothing. */
function expectRefused(request: RecordedRequest, rows: readonly RowName[]): void {
  const answers = answersIn(request);
  expect(answers).toHaveLength(rows.length);
  for (const [at, row] of rows.entries()) {
    expect(answers[at], row).toMatchObject({ is_error: true });
    expect(answers[at]?.content).toMatch(wordsOf(row));
  }
}

const SLEEP = 'time.sleep(SLEEP)';

it('no edit of an agent leaves its recipe, whatever path it names, and links do not outlive their phase', async () => {
  const linking = `os.makedirs("lib"); os.symlink(${JSON.stringify(outside)}, "lib/out")`;
  const script: ScriptStep[] = [
    { blocks: TRICKS.map(([, path]) => create(path)) },
    (request) => {
      expectRefused(
        request,
        TRICKS.map(([row]) => row),
      );
      return { blocks: [replace('train.py', SLEEP, linking), use('submit_trial', { hypothesis: 'a link' })] };
    },
    { blocks: [replace('lib/out/passwd', 'root', 'toor')] },
    (request) => {
      expectRefused(request, ['edit-link']);
      const found = 'assert not os.path.islink("lib/out") and open("lib/out/note.py").read() == "kept"';
      return { blocks: [create('lib/out/note.py'), replace('train.py', linking, found)] };
    },
    submit('no link is left'),
    finish,
  ];
  await pushTask(
    world,
    'open',
    (yaml) =>
      yaml
        .replace("editable: ['train.py']", "editable: ['*.py', 'lib/**', '.git/**']")
        .replace("counted: ['train.py']", "counted: ['**']")
        .replace("reads: ['train.py']", "reads: ['**']"),
    {},
  );
  const model = await startScriptedServer(script);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  const handle = await world.start('tricks', {
    task: 'open',
    model: 'scripted',
    specialists: ['solo'],
    trials: 2,
  });
  await handle.result();
  const [first, second] = await world.trials('tricks');
  expect([first?.status, second?.status]).toEqual(['discard', 'discard']);
  const paths = async (snapshot = '') => (await world.lineage.blobs.tree(snapshot)).map(({ path }) => path);
  expect(await paths(first?.snapshot)).toEqual(['train.py']);
  expect(await paths(second?.snapshot)).toEqual(['lib/out/note.py', 'train.py']);
  expect(await readdir(outside)).toEqual([]);
  await model.stop();
});
