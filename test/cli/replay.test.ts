import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findTemporalProgram } from '../../src/dev/temporal/temporal-program.js';
import { assay, runHere, type Ended } from '../bad-input/assay.js';
import { RECORDED } from '../workflows/replaying.js';
import { openWorld, type World } from '../workflows/world.js';

/** `assay replay` in this process. */
async function replay(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { stdout, ...ended } = await runHere(['replay', ...args], env);
  return { stdout: stdout.replace(/\n$/, ''), ...ended };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-replay-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A recorded history with something in it replaced, as a file. */
async function altered(name: string, from: string, to: string): Promise<string> {
  const text = await readFile(join(RECORDED, name), 'utf8');
  expect(text).toContain(from);
  const file = join(folder, `${to.replace(/\W/g, '')}.json`);
  await writeFile(file, text.replaceAll(from, to));
  return file;
}

const recorded = z.object({ events: z.array(z.unknown()) });

describe('assay replay with a file', () => {
  const kinds = ['campaign', 'specialist', 'trial'];

  it.each(kinds)('says that a recorded history of a %s replays', async (kind) => {
    const name = readdirSync(RECORDED).find((file) => file.startsWith(kind)) ?? kind;
    const { exitCode, stdout, stderr } = await replay([join(RECORDED, name)]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^replays: \d+ events$/)]);
    expect(stderr).toContain(kind);
  });

  it('names the first event that the present code would not have made', async () => {
    const file = await altered('trial-solo-t00001.json', '"name": "evaluate"', '"name": "appraise"');
    // as its own process, because the SDK would write to its stderr
    const { exitCode, stdout, stderr } = await assay(['replay', file], {});
    const [place, message, ...more] = stdout.split('\n');
    expect([exitCode, more]).toEqual([1, []]);
    const { events } = recorded.parse(JSON.parse(await readFile(file, 'utf8')));
    const at = events.findIndex((event) => JSON.stringify(event).includes('"appraise"')) + 1;
    expect(place).toBe(`parts at event ${at} of ${events.length}, ActivityTaskScheduled appraise`);
    expect(message).toMatch(/'appraise' does not match activity type of activity command 'evaluate'/);
    expect(stderr).not.toContain('WARN');
  });

  it('gives the same as versioned JSON', async () => {
    const file = await altered('campaign-solo.json', '"name": "specialist"', '"name": "sculptor"');
    const { exitCode, stdout } = await replay([file, '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'assay.replay/1',
      workflowType: 'campaign',
      workflowId: 'solo',
      replays: false,
      parted: {
        event: { type: 'StartChildWorkflowExecutionInitiated', about: 'sculptor' },
        kind: 'nondeterminism',
      },
    });
  });

  it('says of a workflow type that the code does not have that the code fails, in its first task', async () => {
    const file = await altered('trial-solo-t00002.json', '"name": "trial"', '"name": "ordeal"');
    const { exitCode, stdout } = await replay([file]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^parts at event 4 of \d+, WorkflowTaskCompleted\n.*'ordeal'/);
  });

  it.each([
    ['{}', 'no history'],
    ['{"events": [', 'JSON'],
    ['{"events": [{"eventId": "1", "eventType": "EVENT_TYPE_TIMER_FIRED"}]}', 'does not begin'],
  ])('refuses %s as a mistake of its reader', async (text, reason) => {
    const file = join(folder, 'wrong.json');
    await writeFile(file, text);
    const { exitCode, stdout, stderr } = await replay([file]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
  });
});

describe('assay replay with a name', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
    await world.fleet();
    await (await world.start('misspelt', { task: 'tiny', trails: 3 })).result().catch(() => undefined);
  });
  afterAll(() => world.stop());

  it('fetches the history from the server, also of a workflow that failed', async () => {
    const { exitCode, stdout } = await replay(['misspelt', '--json'], world.env);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ workflowId: 'misspelt', replays: true, parted: null });
  });

  it('reads what the Temporal CLI shows as JSON', async () => {
    const { file: temporal } = await findTemporalProgram(() => undefined);
    const where = ['--address', world.env['TEMPORAL_ADDRESS'] ?? '', '--namespace', world.namespace];
    const shown = await execa(temporal, ['workflow', 'show', '-w', 'misspelt', '--output', 'json', ...where]);
    const file = join(folder, 'shown.json');
    await writeFile(file, shown.stdout);
    const { exitCode, stdout } = await replay([file]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^replays/);
  });

  it('names what is not there', async () => {
    const { exitCode, stderr } = await replay(['misspelt/7'], world.env);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('no workflow "misspelt/t00007"');
  });
});
