import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { assayProgram } from '../../src/cli/program.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';

const ASSAY = fileURLToPath(new URL('../../bin/assay.js', import.meta.url));

let seeded: Seeded;
beforeAll(async () => {
  seeded = await seedCampaign();
  await seeded.measure(await seeded.submit('better'), 1.5);
});
afterAll(() => seeded.lineage.close());

function assay(args: readonly string[], env: Record<string, string> = {}) {
  return execa(process.execPath, [ASSAY, ...args], {
    reject: false,
    env: {
      ASSAY_MONGODB_URL: inject('storeUrl'),
      ASSAY_MONGODB_DATABASE: seeded.database,
      NO_COLOR: '1',
      ...env,
    },
  });
}

const schemaOf = (text: string): string => z.object({ schema: z.string() }).parse(JSON.parse(text)).schema;

describe('a reading command', () => {
  it('prints nothing but versioned JSON on stdout with --json', async () => {
    const runs = [
      [['status'], 'assay.campaigns/1'],
      [['status', seeded.name], 'assay.status/1'],
      [['trials', seeded.name], 'assay.trials/1'],
      [['show', `${seeded.name}/t00001`], 'assay.trial/1'],
      [['tree', seeded.name], 'assay.tree/1'],
      [['diff', `${seeded.name}/0`, `${seeded.name}/t00001`], 'assay.diff/1'],
      [['costs'], 'assay.costs/1'],
      [['costs', seeded.name], 'assay.costs/1'],
      [['task', 'list'], 'assay.tasks/1'],
    ] as const;
    for (const [args, schema] of runs) {
      const { stdout, exitCode } = await assay([...args, '--json']);
      expect([exitCode, schemaOf(stdout)]).toEqual([0, schema]);
    }
  });

  it('keeps hints off stdout', async () => {
    const { stdout, stderr, exitCode } = await assay(['trials', seeded.name]);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stdout).not.toContain('\u001b');
    expect(stderr).toContain('nothing is claimed');
  });
});

describe('a mistake', () => {
  it('of a name gives one line, the remedy and exit code 2', async () => {
    const { stdout, stderr, exitCode } = await assay(['status', 'nope']);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')).toEqual([
      'error: there is no campaign "nope" in this store',
      '`assay status` lists the campaigns of this store.',
    ]);
  });

  it('of a command or a flag is answered with what was meant', async () => {
    const [command, flag] = await Promise.all([
      assay(['stauts']),
      assay(['trials', seeded.name, '--limt', '3']),
    ]);
    expect([command.exitCode, flag.exitCode]).toEqual([2, 2]);
    expect(command.stderr).toContain('Did you mean status?');
    expect(flag.stderr).toContain('Did you mean --limit?');
  });

  it('shows a stack only with --debug', async () => {
    const { stderr } = await assay(['show', 'x/y/z?', '--debug']);
    expect(stderr).toMatch(/^error: .*\n.*\n(?:.*\n)*? +at /);
  });
});

describe('an environment that lacks something', () => {
  it('ends with exit code 3', async () => {
    const { exitCode, stderr } = await assay(['status'], {
      ASSAY_MONGODB_URL: 'http://127.0.0.1:1',
    });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('ASSAY_MONGODB_URL');
  });
});

describe('watch', () => {
  it('leaves the campaign running on Ctrl-C and ends with 130', async () => {
    const watching = assay(['watch', seeded.name]);
    await once(watching.stderr, 'data');
    watching.kill('SIGINT');
    const { exitCode, stderr } = await watching;
    expect(exitCode).toBe(130);
    expect(stderr).toContain(`campaign ${seeded.name} keeps running`);
    expect((await seeded.lineage.campaigns.byName(seeded.name)).state).toBe('running');
  });

  it('ends with the campaign: 0 when it finished, 1 when it failed', async () => {
    const [finished, failed] = [await seedCampaign(), await seedCampaign()];
    await finished.lineage.campaigns.setState(finished.owner, 'finished', {
      kind: 'limit',
      limit: 'trials',
      at: 1,
      of: 1,
    });
    await failed.lineage.campaigns.setState(failed.owner, 'failed', {
      kind: 'failure',
      text: 'the start recipe crashed',
    });
    const [good, bad] = await Promise.all([
      assay(['watch', finished.name, '--json']),
      assay(['watch', failed.name]),
    ]);
    await Promise.all([finished.lineage.close(), failed.lineage.close()]);
    expect(good.exitCode).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({
      schema: 'assay.event/1',
      event: 'done',
      state: 'finished',
    });
    expect([bad.exitCode, bad.stdout]).toEqual([1, '']);
    expect(bad.stderr).toContain('the start recipe crashed');
  });
});

describe('help', () => {
  it('of every command begins with its usage and ends with examples', () => {
    const visit = (command: Command): void => {
      let shown = '';
      command.configureOutput({ writeOut: (text) => (shown += text) }).outputHelp();
      expect(shown, command.name()).toMatch(/^Usage: [^]*\nExamples:\n(?: {2}\S.*\n?)+$/);
      for (const inner of command.commands) if (inner.name() !== 'keep-store') visit(inner);
    };
    visit(assayProgram());
  });

  it('begins with the usage, names the exit codes, and ends with examples', async () => {
    const [all, one] = await Promise.all([assay(['--help']), assay(['show', '--help'])]);
    expect([all.exitCode, one.exitCode]).toEqual([0, 0]);
    for (const { stdout } of [all, one])
      expect(stdout).toMatch(/^Usage: assay [^]*\nExamples:\n(?: {2}\S.*\n?)+$/);
    expect(one.stdout).toContain('Exit codes: 0 ok, 1 failed, 2 usage, 3 environment');
  });
});
