import { randomUUID } from 'node:crypto';
import { appendFile, cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { audit, type Outside } from '../../src/analysis/audit/audit.js';
import { storedTrajectory } from '../../src/analysis/trajectory/from-store.js';
import { readArchive } from '../../src/cli/use-cases/read-archive.js';
import { exportCampaign } from '../../src/cli/use-cases/export-campaign.js';
import { importCampaign } from '../../src/cli/use-cases/import-campaign.js';
import { writeRepository } from '../../src/cli/use-cases/write-repository.js';
import { requireHere } from '../../src/cli/use-cases/require-here.js';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { runGit } from '../../src/tasks/source/git.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';
import { storedSession, storedTurn } from '../builders/stored-turn.js';

let seeded: Seeded;
let folder: string;
let archive: string;
const opened: Lineage[] = [];
const quiet = (): void => undefined;

/** Another store. */
async function elsewhere(): Promise<Lineage> {
  const database = `elsewhere_${randomUUID().slice(0, 8)}`;
  const lineage = await openLineage({ url: inject('storeUrl'), database }, { say: quiet });
  opened.push(lineage);
  return lineage;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-'));
  archive = join(folder, 'archive');
  seeded = await seedCampaign();
  const { lineage, owner, name } = seeded;
  const better = await seeded.submit('a "better" one\u2028with\ttabs\nand lines');
  await seeded.measure(better, 1.5, { accuracy: 0.5 });
  await seeded.measure(await seeded.submit('a worse one', 'arch'), 1.9);
  await seeded.fail(await seeded.submit('a crash'), { ...unmeasured('crash', 'it broke') });
  const session = await storedSession(seeded);
  await storedTurn(seeded, session, 0, [['lineage', { limit: 5 }]]);
  await lineage.sessions.close(session, 'finished');
  await lineage.campaigns.setState(owner, 'finished', null);
  await exportCampaign(lineage, await lineage.campaigns.byName(name), archive, quiet);
});
afterAll(async () => {
  for (const lineage of [seeded.lineage, ...opened]) await lineage.close();
  await rm(folder, { recursive: true });
});

const NOWHERE: Outside = {
  server: () => Promise.resolve('not asked'),
  host: () => Promise.resolve('not asked'),
  kept: () => Promise.resolve(null),
};

/** A copy of the archive, changed. */
async function changed(change: (copy: string) => Promise<void>): Promise<string> {
  const copy = join(folder, randomUUID());
  await cp(archive, copy, { recursive: true });
  await change(copy);
  return copy;
}

describe('an archive', () => {
  it('brings a campaign into another store with the same analyses and the same audit', async () => {
    const { lineage, name } = seeded;
    const there = await elsewhere();
    await importCampaign(there, archive, undefined, quiet);
    expect(await storedTrajectory(there, name)).toEqual(await storedTrajectory(lineage, name));
    expect(await auditOf(there, name)).toEqual(await auditOf(lineage, name));
  });

  it('may have another name there', async () => {
    const there = await elsewhere();
    await importCampaign(there, archive, 'theirs', quiet);
    const { name } = seeded;
    expect(await there.campaigns.byName('theirs')).toMatchObject({
      foreign: { name },
      frozen: { name: 'theirs' },
    });
    expect((await storedTrajectory(there, 'theirs')).trials).toHaveLength(3);
  });

  it('is read again without harm, and is continued where it was cut off', async () => {
    const there = await elsewhere();
    const cut = await changed(async (copy) => {
      await rm(join(copy, 'documents', 'campaigns.ndjson'));
    });
    await expect(importCampaign(there, cut, undefined, quiet)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
    });
    expect(await there.campaigns.list(10)).toEqual([]);
    await importCampaign(there, archive, undefined, quiet);
    await expect(importCampaign(there, archive, 'again', quiet)).rejects.toMatchObject({
      code: 'CAMPAIGN_NAME_TAKEN',
    });
  });

  it('holds no secret', async () => {
    const { lineage, name } = seeded;
    const { secret, frozen } = await lineage.campaigns.byName(name);
    const { dataSecret } = await lineage.tasks.get(frozen.task.digest);
    for (const file of await readdir(join(archive, 'documents'))) {
      const text = await readFile(join(archive, 'documents', file), 'utf8');
      expect(text).not.toContain(secret);
      expect(text).not.toContain(dataSecret);
    }
    const there = await elsewhere();
    await importCampaign(there, archive, undefined, quiet);
    expect((await there.tasks.get(frozen.task.digest)).dataSecret).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has a table that is read back as the same search', async () => {
    const [read] = await readArchive(archive, undefined);
    const own = await storedTrajectory(seeded.lineage, seeded.name);
    const told = (trials: typeof own.trials) =>
      trials.map(({ id, ending, score, parent, hypothesis, role }) => [
        id,
        ending,
        score,
        parent,
        hypothesis,
        role,
      ]);
    expect(told(read?.run.trajectory.trials ?? [])).toEqual(told(own.trials));
  });

  it('has a repository with a commit for each step of the frontier', async () => {
    const { lineage, name } = seeded;
    const into = await mkdtemp(join(folder, 'git-'));
    expect(await writeRepository(lineage, await lineage.campaigns.byName(name), into)).toBe(2);
    const options = { cwd: join(into, 'repository'), signal: new AbortController().signal };
    const { said } = await runGit(['log', '--format=%an %s'], options);
    expect(said).toMatch(/^opt t00001: a "better" one.*\nstart t00000: the start recipe$/);
  });

  it('is not changed by those who read it', async () => {
    const there = await elsewhere();
    await importCampaign(there, archive, undefined, quiet);
    const campaign = await there.campaigns.byName(seeded.name);
    const client = new Client();
    await expect(requireHere(client, campaign)).rejects.toMatchObject({ code: 'CAMPAIGN_ELSEWHERE' });
  });
});

describe('an archive that is not as it was written is refused, and stores no campaign:', () => {
  const line = async (copy: string, kind: string, text: string): Promise<void> =>
    appendFile(join(copy, 'documents', `${kind}.ndjson`), text);
  it.each<[string, (copy: string) => Promise<void>, RegExp]>([
    ['no folder', (copy) => rm(copy, { recursive: true }), /archive\.json cannot be read/],
    ['no JSON', (copy) => writeFile(join(copy, 'archive.json'), '{'), /archive\.json cannot be read/],
    ['another layout', (copy) => writeFile(join(copy, 'archive.json'), '{"schema":"x"}'), /schema/],
    ['a changed line', (copy) => line(copy, 'ledger', '\n'), /ledger\.ndjson/],
    ['half a line', (copy) => line(copy, 'trials', '{"_id":'), /trials\.ndjson, line \d+: it is no JSON/],
    [
      'a document of another campaign',
      (copy) => line(copy, 'budgets', '{"_id":"other/owner"}\n'),
      /budgets\.ndjson, line \d+/,
    ],
    ['a missing file', (copy) => rm(join(copy, 'documents', 'answers.ndjson')), /answers\.ndjson/],
    ['a missing blob', (copy) => withoutBlob(copy), /blobs has \d+ files, and not/],
    ['a changed blob', (copy) => withOtherBlob(copy), /does not have the digest/],
    ['a changed tree', (copy) => appendFile(join(copy, 'trees.ndjson'), '{}\n'), /trees\.ndjson/],
  ])('%s', async (_, change, words) => {
    const there = await elsewhere();
    const copy = await changed(change);
    await expect(importCampaign(there, copy, undefined, quiet)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: expect.stringMatching(words) as string,
    });
    expect(await there.campaigns.list(10)).toEqual([]);
  });
});

async function someBlob(copy: string): Promise<string> {
  const [first = ''] = await readdir(join(copy, 'blobs'));
  const [name = ''] = await readdir(join(copy, 'blobs', first));
  return join(copy, 'blobs', first, name);
}
const withoutBlob = async (copy: string): Promise<void> => rm(await someBlob(copy));
async function withOtherBlob(copy: string): Promise<void> {
  const path = await someBlob(copy);
  await rm(path);
  await writeFile(path, 'something else');
}

/** The audit without its times, and without where it was made. */
async function auditOf(lineage: Lineage, name: string) {
  const { invariants, ok } = await audit(lineage, [name], NOWHERE);
  return { ok, invariants };
}
