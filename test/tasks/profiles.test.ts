import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256, treeDigest } from '../../src/domain/digest.js';
import { evaluatorEnvironment, recipeEnvironment } from '../../src/domain/task/phase-environment.js';
import { resolveProfile } from '../../src/domain/task/profiles.js';
import { loadTask, parseProfile, type LoadedTask } from '../../src/tasks/load.js';
import { TINY } from '../fixtures/tiny.js';

const PROFILES = `
env: { STEPS: '100', MODE: full }
default_profile: paper
profiles:
  ci:
    title: The tiny task in no time
    env: { STEPS: '2', MODE: null }
    phases: { train: { timeout_s: 7 } }
    gates: []
  large: { resources: { memory_mb: 4096 } }
`;

describe('a profile', () => {
  let folder: string;
  let text: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-profiles-'));
    await cp(TINY, folder, { recursive: true });
    text = (await readFile(join(TINY, 'task.yaml'), 'utf8')) + PROFILES;
    await writeFile(join(folder, 'task.yaml'), text);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const load = (profile: string | null): Promise<LoadedTask> => loadTask(folder, { profile });
  const digestOf = ({ files }: LoadedTask): string =>
    treeDigest(files.map(({ path, bytes }) => ({ path, sha256: sha256(bytes) })));

  it('is merged over what stands outside, and has a name, a reference and an environment', async () => {
    const [usual, ci] = [await load(null), await load('ci')];
    expect([usual.spec.profile, usual.reference, usual.profiles]).toEqual([
      'paper',
      'tiny',
      ['paper', 'ci', 'large'],
    ]);
    expect(ci.reference).toBe('tiny@ci');
    expect(ci.spec).toEqual({
      ...usual.spec,
      profile: 'ci',
      title: 'The tiny task in no time',
      env: { STEPS: '2' },
      phases: { ...usual.spec.phases, train: { ...usual.spec.phases.train, timeout_s: 7 } },
      gates: [],
    });
    expect(recipeEnvironment(ci.spec)).toEqual({ STEPS: '2', ASSAY_PROFILE: 'ci' });
    expect(evaluatorEnvironment(usual.spec)).toEqual({ ASSAY_PROFILE: 'paper' });
  });

  it('has a digest of its own, which nothing of another profile changes', async () => {
    const [paper, ci, large] = [
      digestOf(await load('paper')),
      digestOf(await load('ci')),
      digestOf(await load('large')),
    ];
    expect(new Set([paper, ci, large]).size).toBe(3);
    expect(digestOf(await load(null))).toBe(paper);
    await writeFile(join(folder, 'task.yaml'), text.replace('memory_mb: 4096', 'memory_mb: 8192'));
    expect([digestOf(await load('paper')), digestOf(await load('ci'))]).toEqual([paper, ci]);
    expect(digestOf(await load('large'))).not.toBe(large);
  });

  it('is stored as a task.yaml that reads back as itself', async () => {
    const { spec, files } = await load('ci');
    const stored = files.find(({ path }) => path === 'task.yaml')?.bytes.toString() ?? '';
    expect(
      resolveProfile(await import('yaml').then(({ parse }) => parse(stored) as unknown), null).content,
    ).toMatchObject({
      profile: 'ci',
      title: spec.title,
    });
    expect(stored).not.toContain('large');
  });

  it('that does not exist is told with those that do', async () => {
    await expect(load('huge')).rejects.toMatchObject({
      code: 'PROFILE_UNKNOWN',
      message: expect.stringContaining('no profile "huge": it has paper, ci, large') as unknown,
    });
    await expect(loadTask(TINY, { profile: 'ci' })).rejects.toThrow(/no profile "ci": it has no profiles/);
  });
});

describe('task.yaml with profiles', () => {
  const parse =
    (profiles: string, profile: string | null = null) =>
    async () => {
      const text = await readFile(join(TINY, 'task.yaml'), 'utf8');
      return parseProfile(`${text}${profiles}`, 't.yaml', profile);
    };
  it.each([
    ['profiles:\n  ci: { resources: { tpus: 1 } }\n', /^t\.yaml:\d+:22: profile "ci": resources: .*tpus/],
    ['profiles:\n  ci: { phases: { train: { timeout_s: -1 } } }\n', /profile "ci": phases\.train\.timeout_s/],
    ['profiles:\n  ci: { metric: null }\n', /profile "ci": metric/],
    ['profiles:\n  ci: { scoring: served }\n', /profiles\.ci\.scoring: a profile cannot change scoring/],
    ['profiles:\n  CI: {}\n', /profiles\.CI/],
    ['default_profile: paper\n', /default_profile: names what stands outside `profiles`, and there are none/],
    ['default_profile: ci\nprofiles: { ci: {} }\n', /default_profile: "ci" is also one of/],
    ['profile: ci\n', /profile: is set by assay/],
    ["env: { ASSAY_SEED: '1' }\n", /env\.ASSAY_SEED: .*begin with ASSAY_/],
    ['env: { PATH: /bin }\n', /env\.PATH: /],
  ])('%j is refused with its place, whichever profile is asked for', async (profiles, message) => {
    await expect(parse(profiles)()).rejects.toThrow(message);
  });
});

it('resolving leaves what a profile does not name as it was', () => {
  const value = fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer()));
  const map = fc.dictionary(
    fc.stringMatching(/^[a-d]$/),
    fc.oneof(value, fc.dictionary(fc.stringMatching(/^[a-d]$/), value)),
  );
  fc.assert(
    fc.property(map, map, (base, part) => {
      const { content } = resolveProfile({ ...base, profiles: { ci: part } }, 'ci');
      for (const [key, own] of Object.entries(base))
        if (!(key in part)) expect(content).toHaveProperty([key], own);
      for (const [key, own] of Object.entries(part))
        if (Array.isArray(own)) expect(content).toHaveProperty([key], own);
      expect(content).not.toHaveProperty('profiles');
    }),
  );
});
