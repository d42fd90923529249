import { afterAll, beforeAll, expect, it } from 'vitest';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { toolDefinitions } from '../../src/model/tools/tools.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { answerAwait } from '../../src/session/await-trials.js';
import { submitTrial } from '../../src/session/submit-trial.js';
import { beginWithdrawal } from '../../src/session/withdraw.js';
import { conversing, type Called } from '../builders/conversing.js';
import { phaseRun, seedCampaign, type Seeded } from '../builders/stored-campaign.js';

let seeded: Seeded;
beforeAll(async () => {
  seeded = await seedCampaign(undefined, undefined, { lineage: 'off' });
});
afterAll(() => seeded.lineage.close());

/** What nobody but the session that submitted it may read. */
const SECRET = 'zanzibar';

/** Ends a trial of another session with a log, progress, a note and words that tell of it. */
async function otherTrial(): Promise<number> {
  const { lineage } = seeded;
  const trial = await seeded.submit(SECRET, 'arch');
  const key = await seeded.begin(trial);
  await lineage.replicates.publishTrained(key, {
    ...{ fence: 2, failure: null, artifact: null, metrics: {}, margins: [], saved: [] },
    ...{ runs: [await phaseRun(lineage, 'train', SECRET)], progress: [{ share: 1, value: 123 }] },
    ...{ sharesTraining: null, at: new Date() },
  });
  await seeded.fail(trial, unmeasured('crash', SECRET));
  const other = await conversing(seeded, { role: 'arch' });
  await other.ask('note', { text: SECRET });
  return trial.number;
}

const callsAbout = (trial: number): Called[] => [
  [EDIT_TOOL, { command: 'view', path: 'train.py' }],
  ['search', { pattern: '.' }],
  ['check'],
  ['lineage'],
  ['lineage', { role: 'arch' }],
  ['read_trial', { trial }],
  ['log', { trial }],
  ['curve', { trials: [trial] }],
  ['diff', { from: trial }],
  ['diff', { from: 0, to: trial }],
  ['children', { trial: 0 }],
  ['children', { trial }],
  ['knowledge'],
  ['rebase', { trial }],
  ['merge', { trial }],
  ['note', { text: 'mine' }],
  ['notes'],
  ['notes', { role: 'arch' }],
  ['finish', { note: '' }],
];

it('with lineage off no tool tells of a trial of another session', async () => {
  const { lineage } = seeded;
  const trial = await otherTrial();
  const check = () => Promise.resolve({ text: 'check: ok', failed: null });
  const talk = await conversing(seeded, { check });
  const calls = callsAbout(trial);
  const answers = await talk.reply(...calls);
  expect(answers).toHaveLength(calls.length);
  for (const { tool, text, base } of answers) {
    expect(text, tool).not.toMatch(new RegExp(`${SECRET}|123`));
    expect(base, tool).toBe(0);
  }

  const deferred: Called[] = [
    ['await_trials', { trials: [trial] }],
    ['withdraw', { trial }],
    // the same files as those of the other session: no duplicate, and no near repeat of it either
    ['submit_trial', { hypothesis: SECRET, expected_delta: -1, wait: false }],
  ];
  await talk.reply(
    [EDIT_TOOL, { command: 'create', path: 'train.py', file_text: `# ${SECRET}\n` }],
    ...deferred,
  );
  expect(await answerAwait(lineage, talk.at(1))).toBe(true);
  expect(await beginWithdrawal(lineage, talk.at(2))).toBeNull();
  expect(await submitTrial(lineage, talk.at(3))).toMatchObject({ kind: 'accepted', detached: true });
  const { session, turn } = talk.at(0);
  const [, awaited, withdrawn, submitted] = await lineage.sessions.answersOf(session, turn, 4);
  for (const answer of [awaited, withdrawn]) expect(answer?.text).toContain('none of this session');
  expect(submitted?.text).toMatch(/^trial \d+: queued/);

  const tried = new Set([...calls, ...deferred].map(([name]) => name));
  const offered = toolDefinitions({ domains: {} }).flatMap((tool) => ('name' in tool ? [tool.name] : []));
  expect(offered.filter((name) => !tried.has(name))).toEqual([]);
});
