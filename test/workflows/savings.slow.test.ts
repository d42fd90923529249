import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { sha256 } from '../../src/domain/digest.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { use, type ScriptedAnswer, type ScriptStep } from '../model/scripted-server.js';
import { withScript } from './one-trial.js';
import { submit } from './script.js';
import { openWorld, type World } from './world.js';

// where nothing is taken over, every trial trains
vi.setConfig({ testTimeout: 300_000 });

const change = (path: string, from: string, to: string): ScriptedAnswer => ({
  blocks: [use(EDIT_TOOL, { command: 'str_replace', path, old_str: from, new_str: to })],
});

const { isolation } = await openSandbox();
const held = isolation.fs === 'enforced';
if (!held)
  process.stderr.write(
    `what is used again is not tested here: files are ${isolation.fs} at tier ${isolation.tier}, where nothing is\n`,
  );

describe('compute that is not needed', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.stop());

  const run = async (name: string, trials: number, script: ScriptStep[]): Promise<void> =>
    withScript(world, script, async () => {
      const input = { task: 'parts', model: 'scripted', specialists: ['solo'], trials };
      await (await world.start(name, input)).result();
    });

  it('packs a size miss again from its checkpoint and takes an artifact over, where reads are held to', async () => {
    await run('repack', 3, [
      change('pack.py', 'PAD = 0', 'PAD = 900'),
      submit('a pad'),
      (request) => {
        const said = JSON.stringify(request.body.messages.at(-1));
        expect(said).toContain('missed by');
        expect(said.includes('training need not be repeated when you change only notes.txt, pack.py')).toBe(
          held,
        );
        return change('pack.py', 'PAD = 900', 'PAD = 90');
      },
      submit('a smaller pad'),
      change('notes.txt', 'nothing', 'nobody'),
      submit('a note'),
    ]);
    const [, second, third] = await world.trials('repack');
    const first = await trialRecord(world.lineage, 'repack', 1);
    expect(first.status).toBe('size_blocked');
    expect(first.failure?.limit?.used).toBeGreaterThan(1000);
    const start = await trialRecord(world.lineage, 'repack', 0);
    const shown = await Promise.all([1, 2, 3].map((n) => trialRecord(world.lineage, 'repack', n)));
    const phases = shown.map(({ replicates }) =>
      replicates[0]?.phases
        .filter(({ phase }) => phase !== 'evaluate')
        .map(({ phase, reusedFrom }) => [phase, reusedFrom]),
    );
    if (!held) {
      expect(phases.flat().every((phase) => phase?.[1] === null)).toBe(true);
      return;
    }
    expect(phases).toEqual([
      [
        ['train', 0],
        ['pack', null],
      ],
      [
        ['train', 0],
        ['pack', null],
      ],
      [
        ['train', 0],
        ['pack', 2],
      ],
    ]);
    expect(second?.status).toBe('discard');
    expect(third?.outcome?.score).toBe(start.score);
    const trainedMs = start.replicates[0]?.phases[0]?.wallMs ?? 0;
    const { owner } = await world.campaign('repack');
    const key = (await world.lineage.trials.require(owner, 0)).replicates[0];
    for (const { replicates } of shown) {
      expect(replicates[0]?.sharesTraining).toBe(key);
      expect(replicates[0]?.saved[0]).toEqual({
        ...{ kind: 'reuse', phase: 'train', trial: 0, replicate: key, acceleratorMs: trainedMs },
      });
    }
    const { spending } = await statusModel(world.lineage, 'repack');
    const saved = shown.flatMap(({ replicates }) => replicates.flatMap((one) => one.saved));
    expect(spending.savedMs).toBe(saved.reduce((sum, { acceleratorMs }) => sum + acceleratorMs, 0));
    expect(shown.map(({ savedMs }) => savedMs)).toEqual(
      shown.map(({ replicates }) =>
        replicates.flatMap((one) => one.saved).reduce((sum, { acceleratorMs }) => sum + acceleratorMs, 0),
      ),
    );
    expect(spending.savedMs).toBe(shown.reduce((sum, { savedMs }) => sum + savedMs, 0));
    const rows = await world.lineage.budgets.rows(owner, 100);
    const spent = rows.filter((row) => row.trial !== null && row.trial > 0 && row.what === 'train');
    expect(spent.reduce((sum, row) => sum + row.spent.acceleratorMs, 0)).toBeLessThan(trainedMs);
  });

  it.runIf(held)(
    'packs a size miss again from a training that only its host keeps, with what that saved in the ledger',
    async () => {
      vi.stubEnv('ASSAY_STORED_MB', '0');
      await run('kept', 2, [
        change('train.py', 'X = 1.0', 'X = 2.0'),
        change('pack.py', 'PAD = 0', 'PAD = 900'),
        submit('trained otherwise, and too large'),
        (request) => {
          const said = JSON.stringify(request.body.messages.at(-1));
          expect(said).toMatch(/missed by \d+ \(code is \d+, the artifact \d+\)/);
          expect(said).toContain('training need not be repeated when you change only notes.txt, pack.py');
          return change('pack.py', 'PAD = 900', 'PAD = 0');
        },
        submit('the same without a pad'),
      ]);
      vi.unstubAllEnvs();
      const { owner } = await world.campaign('kept');
      const [large, small] = await Promise.all([1, 2].map((n) => trialRecord(world.lineage, 'kept', n)));
      const [trained, packed] = [large?.replicates[0], small?.replicates[0]];
      expect([large?.status, trained?.phases[0]?.reusedFrom]).toEqual(['size_blocked', null]);
      expect([small?.status, small?.score, packed?.phases[0]?.reusedFrom]).toEqual(['keep', 1, 1]);
      const left = `{"x": 2.0, "seed": "${packed?.seed}"}`;
      expect(await world.lineage.blobs.has(sha256(left))).toBe(false);
      expect(await readFile(join(world.env['ASSAY_HOME'] ?? '', 'kept/content', sha256(left)), 'utf8')).toBe(
        left,
      );
      const wallMs = trained?.phases[0]?.wallMs ?? 0;
      const rows = (await world.lineage.budgets.rows(owner, 100)).filter(({ trial }) => trial === 2);
      const key = (await world.lineage.trials.require(owner, 1)).replicates[0];
      expect(rows.flatMap(({ saved }) => saved ?? [])).toEqual([
        { kind: 'reuse', phase: 'train', trial: 1, replicate: key, acceleratorMs: wallMs },
      ]);
      const spent = rows.reduce((sum, row) => sum + row.spent.acceleratorMs, 0);
      expect(spent).toBeLessThan(wallMs);
    },
  );

  it('holds a training that was taken over through generations against the parent that shares it', async () => {
    const packing = (from: string, to: string) => change('pack.py', `left | ${from}`, `left | ${to}`);
    await run('generations', 2, [
      packing('{"pad"', '{"x": 2.0} | {"pad"'),
      submit('packed otherwise'),
      packing('{"x": 2.0}', '{"x": 2.5}'),
      submit('and otherwise again'),
    ]);
    const { owner } = await world.campaign('generations');
    const [first, second] = await Promise.all([1, 2].map((n) => world.lineage.decisions.of(owner, n)));
    const trial = await world.lineage.trials.require(owner, 2);
    expect([trial.parent, first?.inputs.score, second?.inputs.score]).toEqual([1, 1, 0.25]);
    expect([first?.inputs.shared, second?.inputs.shared]).toEqual(held ? [4, 1] : [null, null]);
  });

  it('ends a run early that its own progress shows hopeless, without a score and with what that saved', async () => {
    await run('hopeless', 1, [change('train.py', 'OFFSET = 0.0', 'OFFSET = 50.0'), submit('worse')]);
    const record = await trialRecord(world.lineage, 'hopeless', 1);
    expect([record.status, record.score]).toEqual(['discard', null]);
    expect(record.failure?.reason).toMatch(/stopped early by its own progress: loss .* s saved/);
    expect(record.replicates[0]?.phases.map(({ phase }) => phase)).toEqual(['train']);
    const [saved] = record.replicates[0]?.saved ?? [];
    expect(saved?.kind).toBe('stop');
    expect(saved?.acceleratorMs).toBeGreaterThan(0);
    const { spending } = await statusModel(world.lineage, 'hopeless');
    expect(spending.savedMs).toBe(saved?.acceleratorMs);
  });
});
