import { afterAll, beforeAll, expect, it } from 'vitest';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { submitTrial } from '../../src/session/submit-trial.js';
import { conversing, type Called } from '../builders/conversing.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';

let seeded: Seeded;
beforeAll(async () => {
  seeded = await seedCampaign();
});
afterAll(() => seeded.lineage.close());

const write = (text: string): Called => [EDIT_TOOL, { command: 'create', path: 'train.py', file_text: text }];
const submit: Called = ['submit_trial', { hypothesis: 'it helps', expected_delta: -1 }];

it('files whose last check failed are not submitted, which costs nothing; others are', async () => {
  const { lineage, owner } = seeded;
  const failing = new Set<string>();
  const talk = await conversing(seeded, {
    check: (_, { snapshot }) => {
      const failed = failing.has(snapshot) ? 'smoke: exited with code 1' : null;
      return Promise.resolve({ text: failed === null ? 'check: ok' : 'check: failed', failed });
    },
  });
  const [written] = await talk.reply(write('broken = 1\n'));
  failing.add(written?.snapshot ?? '');
  expect((await talk.reply(['check'], submit)).map(({ text }) => text)).toEqual(['check: failed']);
  expect(await submitTrial(lineage, talk.at(1))).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('smoke: exited with code 1') as string,
  });
  expect(await lineage.trials.totals(owner)).toEqual({ submitted: 0, counted: 0 });

  await talk.reply(write('mended = 1\n'), submit);
  expect(await submitTrial(lineage, talk.at(1))).toEqual({ kind: 'accepted', number: 1 });

  // a later check of the same files counts
  await talk.reply(write('broken = 1\n'));
  failing.clear();
  await talk.reply(['check'], submit);
  expect(await submitTrial(lineage, talk.at(1))).toEqual({ kind: 'accepted', number: 2 });
});
