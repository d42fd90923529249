import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TINY } from '../fixtures/tiny.js';
import { openWorld, type World } from '../workflows/world.js';
import { refusal, refusalHere, refused } from './assay.js';
import { expectError, type RowName } from './rows.js';

const NOBODY = 65_534;

let world: World;
let root: string;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'assay-folders-'));
  await chmod(root, 0o755);
  return () => rm(root, { recursive: true, force: true });
});

const pipe = (path: string) => promisify(execFile)('mkfifo', [path]);

describe('a task folder', () => {
  let task: string;
  let yaml: string;
  let text: string;
  beforeEach(async () => {
    task = join(root, 'task');
    yaml = join(task, 'task.yaml');
    await cp(TINY, task, { recursive: true });
    text = await readFile(yaml, 'utf8');
  });

  /** Nothing is asked of a server before the folder is found to be right. */
  const push = (row: RowName) =>
    refusalHere(['task', 'push', task], { ASSAY_MONGODB_URL: 'mongodb://127.0.0.1:1/' }).then((said) => {
      expectError(row, said);
      return said.message;
    });

  it('with a wrong, unknown or missing field is refused with path, line and column', async () => {
    await writeFile(yaml, text.replace('timeout_s: 60', 'timeout_s: soon'));
    await refused('task-field', world.env, ['task', 'push', task], ['start', '--task', task]);
    expect(await push('task-field')).toMatch(/task\.yaml:15:16: phases\.train\.timeout_s: /);
    await writeFile(yaml, text.replace('slots: 1', 'slots: 1, tpus: 2'));
    expect(await push('task-field')).toMatch(/:10:\d+: resources: .*tpus/);
    await writeFile(yaml, text.replace(/^metric:.*$/m, ''));
    expect(await push('task-field')).toMatch(/:1:1: metric: /);
  });

  it('whose task.yaml is no YAML is refused with the place', async () => {
    await writeFile(yaml, text.replace('metric: {', 'metric: ['));
    expect(await push('task-no-yaml')).toMatch(/task\.yaml:4:\d+: /);
    await writeFile(yaml, `${text}name: twice\n`);
    expect(await push('task-no-yaml')).toMatch(/:\d+:1: .*unique/);
  });

  it('whose task.yaml would fill the memory is refused', async () => {
    const levels = Array.from({ length: 12 }, (_, at) =>
      at === 0 ? '&a0 [x]' : `&a${at} [${Array.from({ length: 10 }, () => `*a${at - 1}`).join(', ')}]`,
    );
    await writeFile(yaml, `bomb: [${levels.join(', ')}]\n${text}`);
    await push('task-bomb');
    await writeFile(yaml, `name: ${'['.repeat(100_000)}`);
    expect(await push('task-no-yaml')).toContain('nested too deeply');
    await writeFile(yaml, `${text}# ${'x'.repeat(10 * 1024 * 1024)}`);
    await push('task-huge');
    await writeFile(yaml, text);
    await writeFile(join(task, 'data.bin'), Buffer.alloc(17 * 1024 * 1024));
    expect(await push('task-huge')).toContain('data.bin');
  });

  it('whose task.yaml is not UTF-8 is refused', async () => {
    await writeFile(yaml, Buffer.from(`\ufeff${text}`, 'utf16le'));
    await push('task-encoding');
    await writeFile(yaml, Buffer.from(text.replace('takes', 'f\u00fcr'), 'latin1'));
    await push('task-encoding');
  });

  it('with a link out of it or a pipe is refused without waiting for the pipe', async () => {
    await symlink('/etc/passwd', join(task, 'knowledge.md'));
    expect(await push('task-link')).toContain('knowledge.md');
    await rm(join(task, 'knowledge.md'));
    await rm(yaml);
    await symlink(join(TINY, 'task.yaml'), yaml);
    await push('task-link');
    await rm(yaml);
    await pipe(yaml);
    await push('task-link');
  });

  it('with a gate or score on size is refused when an editable file is not counted', async () => {
    await writeFile(yaml, text.replace("editable: ['train.py']", "editable: ['train.py', '*.txt']"));
    expect(await push('task-uncounted')).toMatch(/task\.yaml:8:12: recipe\.counted: "\*\.txt" may be edited/);
    await writeFile(yaml, text.replace("counted: ['train.py']", 'counted: []'));
    expect(await push('task-uncounted')).toContain('"train.py" may be edited');
  });

  it('without a file that it names, or without a task.yaml, is refused', async () => {
    await rm(join(task, 'specialists/duo.md'));
    expect(await push('task-file-missing')).toContain('specialists/duo.md');
    await rm(yaml);
    await push('task-no-folder');
    task = join(root, 'nowhere');
    await push('task-no-folder');
  });
});

describe('a recipe folder', () => {
  let recipe: string;
  beforeEach(async () => {
    recipe = join(root, 'recipe');
    await mkdir(recipe);
    await writeFile(join(recipe, 'train.py'), 'X = 1.0\n');
  });

  const args = () => ['submit', '--task', 'tiny', '--recipe', recipe, '--hypothesis', 'none'];
  const submit = (row: RowName) =>
    refusalHere(args(), world.env).then((said) => {
      expectError(row, said);
      return said.message;
    });

  it('without the file that the task runs is refused', async () => {
    await rm(join(recipe, 'train.py'));
    await refused('recipe-no-entry', world.env, args());
    await mkdir(join(recipe, 'train.py'));
    await submit('recipe-no-entry');
  });

  it('that is none is refused', async () => {
    const folder = recipe;
    recipe = join(folder, 'train.py');
    await submit('recipe-no-folder');
    recipe = join(folder, 'nowhere');
    await submit('recipe-no-folder');
  });

  it('with a huge file or too many is refused', async () => {
    await writeFile(join(recipe, 'weights.bin'), Buffer.alloc(16 * 1024 * 1024 + 1));
    await submit('recipe-huge');
    await rm(join(recipe, 'weights.bin'));
    for (let at = 0; at < 2001; at += 1) await writeFile(join(recipe, `${at}.txt`), '');
    await submit('recipe-many');
  });

  it('with a link, even to a file of its own, a pipe or a device is refused', async () => {
    const special = join(recipe, 'special');
    const kinds = [
      () => symlink('train.py', special),
      () => symlink('/etc', special),
      () => pipe(special),
      ...(process.getuid?.() === 0 ? [() => promisify(execFile)('mknod', [special, 'c', '1', '5'])] : []),
    ];
    for (const make of kinds) {
      await make();
      expect(await submit('recipe-link')).toContain('special');
      await rm(special);
    }
  });

  it('with a name that agents may not use, or that is no text, is refused', async () => {
    for (const name of ['a\\b', 'a\u202eb', 'a\nb', '.GIT', 'Train.py']) {
      await writeFile(join(recipe, name), '');
      await submit('recipe-name');
      await rm(join(recipe, name));
    }
    await writeFile(Buffer.concat([Buffer.from(`${recipe}/`), Buffer.from([0x66, 0xff, 0xfe])]), '');
    await submit('recipe-encoding');
  });

  it('with a file that may not be read is refused', async () => {
    await writeFile(join(recipe, 'secret.txt'), 'x', { mode: 0o000 });
    const uid = process.getuid?.() === 0 ? NOBODY : undefined;
    const home = join(root, 'home');
    await mkdir(home);
    await chmod(home, 0o777);
    const env = { ...world.env, ASSAY_HOME: home, ASSAY_CACHE: home, HOME: home };
    const said = await refusal(args(), env, uid);
    expectError('recipe-unreadable', said);
    expect(said.message).toContain('secret.txt');
  });

  it('that was refused took no number and started nothing', async () => {
    expect(await world.lineage.campaigns.find('submit')).toBeNull();
    const workflows = world.client.workflow.list({ query: 'WorkflowType = "campaign"' });
    for await (const { workflowId } of workflows) expect(workflowId).toBe('none at all');
  });
});
