import { afterAll, beforeAll, expect, it } from 'vitest';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { openSession } from '../../src/session/open-session.js';
import { trialAnswer } from '../../src/session/trial-answer.js';
import { VisibleTrials } from '../../src/session/visible-trials.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';

/** Words that stand in no trial but those of other conversations. */
const SECRET = 'zebra';

let campaign: Seeded;
beforeAll(async () => {
  campaign = await seedCampaign(undefined, `off_${process.pid}`, { lineage: 'off' });
});
afterAll(() => campaign.lineage.close());

async function opened(lane: string, index: number): Promise<{ session: string; opening: string }> {
  const { lineage, owner } = campaign;
  const found = await openSession(lineage, { owner, role: 'opt', lane, index });
  if (found.kind !== 'open') throw new Error(found.kind);
  const { opening } = await lineage.sessions.get(found.session);
  return { session: found.session, opening: await lineage.blobs.text(opening) };
}

it('shows a conversation without lineage the start and its own trials, and nothing that rests on others', async () => {
  const { lineage, owner } = campaign;
  const better = await campaign.submit(`${SECRET} wins`, 'arch');
  await campaign.measure(better, 0.5);
  const failed = await campaign.submit(`${SECRET} fails`, 'opt');
  await campaign.fail(failed, unmeasured('crash', `train: ${SECRET}`));
  await campaign.submit(`${SECRET} runs`, 'arch');

  const { session, opening } = await opened('opt-1', 0);
  expect(opening).toContain('a copy of trial 0 (t00000), the start.');
  expect(opening).toContain('## Start\ntrial 0 [start] keep');
  expect(opening).toContain('Trials left: 997.');
  expect(opening).not.toMatch(/frontier|Near misses|Running|Failures|Directions|Notes/i);
  expect(opening).not.toContain(SECRET);
  expect((await lineage.sessions.get(session)).base).toBe(0);

  const own = await campaign.submit('mine', 'opt', session);
  await campaign.measure(own, 1.5);
  const answer = await trialAnswer(lineage, owner, own.number);
  expect(answer.split('\n')[0]).toBe(`trial ${own.number}: measured`);
  expect(answer).toContain(
    'lesson: measured, lower than its parent, trial 0; expected -0.1, measured -0.5 (500 % of it)',
  );
  expect(answer).not.toMatch(/frontier|meanwhile|keep|discard|believed|differ/);
  expect(answer).not.toContain(SECRET);

  const trials = new VisibleTrials(lineage, { owner, session, mode: 'off' });
  await lineage.sessions.addSubmitted(session, own.number);
  const rows = await trials.rows(await trials.latest(10));
  expect(rows.map(({ trial, status, lesson }) => ({ trial, status, lesson }))).toEqual([
    { trial: own.number, status: 'measured', lesson: 'measured, lower than its parent, trial 0' },
    { trial: 0, status: 'keep', lesson: 'measured' },
  ]);
});
