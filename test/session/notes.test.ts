import { afterAll, beforeAll, expect, it } from 'vitest';
import { latestNotes } from '../../src/lineage/sessions/notes.js';
import { VisibleTrials } from '../../src/session/visible-trials.js';
import { conversing } from '../builders/conversing.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';

let seeded: Seeded;
beforeAll(async () => {
  seeded = await seedCampaign();
});
afterAll(() => seeded.lineage.close());

const LONG = `learned:\n${'x'.repeat(3000)}`;

it('notes are kept whole, and sessions of any role read them', async () => {
  const { lineage, owner } = seeded;
  const opt = await conversing(seeded, { role: 'opt' });
  expect(await opt.ask('note', { text: LONG })).toBe('noted');
  expect(await opt.ask('finish', { note: 'try a smaller step' })).toBe('session finished');
  const kept = await latestNotes(lineage.sessions, { owner, role: 'opt' }, 10);
  expect(kept.map(({ text }) => text)).toEqual(['try a smaller step', LONG]);
  expect(await latestNotes(lineage.sessions, { owner, role: 'opt' }, 1)).toHaveLength(1);
  const arch = await conversing(seeded, { role: 'arch' });
  expect(await arch.ask('notes')).toContain('opt-1/0 (opt): try a smaller step\nopt-1/0 (opt): learned: xxx');
  expect(await arch.ask('notes', { role: 'arch' })).toBe('no notes');
  expect(await arch.ask('note', { text: ' ' })).toContain('say what was learned');
  expect(await arch.ask('finish')).toBe('session finished');
  expect(await latestNotes(lineage.sessions, { owner, role: 'arch' }, 10)).toEqual([]);
});

it('a session whose lineage is off reads its own notes only', async () => {
  const { lineage, owner } = seeded;
  const { session, ask } = await conversing(seeded, { role: 'arch' });
  await ask('note', { text: 'mine' });
  const trials = new VisibleTrials(lineage, { owner, session, mode: 'off' });
  expect((await trials.notes(null, 10)).map(({ text }) => text)).toEqual(['mine']);
  expect(await trials.notes('opt', 10)).toEqual([]);
});
