import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { campaignReport } from '../../../src/analysis/report/campaign-report.js';
import { markdown } from '../../../src/analysis/report/markdown.js';
import { storedTrajectory } from '../../../src/analysis/trajectory/from-store.js';
import { unmeasured } from '../../../src/domain/trial/outcome.js';
import { seedCampaign, type Seeded } from '../../builders/stored-campaign.js';

let seeded: Seeded;
beforeAll(async () => {
  seeded = await seedCampaign();
  const { submit, measure, fail, lineage, owner } = seeded;
  await measure(await submit('better | by far'), 1.5, { accuracy: 0.9 });
  await measure(await submit('worse', 'arch'), 1.75);
  const failure = { status: 'crash', phase: 'train', reason: 'NameError: x', limit: null, tail: '' } as const;
  await fail(await submit('broken', 'arch'), { ...unmeasured('crash', 'train: NameError: x'), failure });
  await submit('at work');
  const spent = { microUsd: 3, acceleratorMs: 7000, tokens: 0 };
  await lineage.budgets.reserve({
    ...{ owner, key: 'k/1', amounts: spent, what: 'train', role: 'opt', trial: 1 },
  });
  await lineage.budgets.settle(owner, 'k/1', spent, 'known');
});
afterAll(() => seeded.lineage.close());

describe('a stored campaign as a trajectory', () => {
  it('has its start apart, and each trial with what the store knows of it', async () => {
    const { start, trials, metric, source } = await storedTrajectory(seeded.lineage, seeded.name);
    expect({ source, name: metric.name, start: start?.score }).toEqual({
      source: 'campaign',
      name: 'loss',
      start: 2,
    });
    expect(trials).toMatchObject([
      {
        ...{ id: 't00001', number: 1, role: 'opt', ending: 'keep', score: 1.5, runs: [1.5], parent: 0 },
        ...{ metrics: { accuracy: 0.9 }, expectedDelta: -0.1, costs: { microUsd: 3, acceleratorMs: 7000 } },
      },
      { id: 't00002', role: 'arch', ending: 'discard', score: 1.75, believedGain: null },
      { id: 't00003', ending: 'crash', stage: 'train', cause: 'NameError: x', score: null, runs: [] },
      { id: 't00004', ending: 'running', endedAt: null, times: { totalMs: null } },
    ]);
  });
});

describe('the report on a campaign', () => {
  it('says in short what is claimed, adopted, spent and broken', async () => {
    const { document } = await campaignReport(seeded.lineage, seeded.name);
    const [first] = document.sections;
    expect(first?.blocks).toMatchObject([
      {
        items: [
          expect.stringMatching(/^Claimed: nothing is claimed/),
          expect.stringMatching(/^Adopted: 1 trial; loss from 2 to 1\.5 \(t00001\), \+0\.5, 25 %/),
          expect.stringMatching(/^Spent: 4 trials, .*\$0\.000003$/),
          expect.stringMatching(/^Broke: 1 trial \(1 crash\)/),
          'Needs a person: nothing',
        ],
      },
    ]);
  });

  it('is Markdown in which no text of a model marks anything up', async () => {
    const { document } = await campaignReport(seeded.lineage, seeded.name);
    const text = markdown(document);
    expect(text).toContain('better \\| by far');
    expect(text).toContain('-# the start recipe\n+# better | by far');
    const headings = text.split('\n').filter((line) => line.startsWith('## '));
    expect(headings).toEqual(document.sections.map(({ title }) => `## ${title}`));
  });
});

it('names what it cannot read', async () => {
  const own = await seedCampaign();
  await own.submit('a trial');
  const client = await MongoClient.connect(inject('storeUrl'));
  const trials = client.db(own.database).collection<{ _id: string }>('trials');
  await trials.updateOne({ _id: `${own.owner}/1` }, { $set: { hypothesis: 7 } });
  await client.close();
  const { document } = await campaignReport(own.lineage, own.name);
  expect(markdown(document)).toMatch(
    /Needs a person: 1 stored document cannot be read and is in no figure: trials .*\/1 \(hypothesis/,
  );
  await own.lineage.close();
});
