import { afterEach, beforeEach, expect, it } from 'vitest';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { answerAwait } from '../../src/session/await-trials.js';
import { submitTrial } from '../../src/session/submit-trial.js';
import { beginWithdrawal, endWithdrawal } from '../../src/session/withdraw.js';
import { settleTrial } from '../../src/measure/decision/decide-trial.js';
import { conversing, type Called, type Conversing } from '../builders/conversing.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';

let seeded: Seeded;
let talk: Conversing;
beforeEach(async () => {
  seeded = await seedCampaign();
  talk = await conversing(seeded);
});
afterEach(() => seeded.lineage.close());

const write = (text: string): Called => [EDIT_TOOL, { command: 'create', path: 'train.py', file_text: text }];
const submit = (hypothesis: string): Called => [
  'submit_trial',
  { hypothesis, expected_delta: -1, wait: false },
];

/** Submits two recipes in one reply, without waiting. */
async function submitTwo(): Promise<void> {
  await talk.reply(write('x = 1\n'), submit('one'), write('x = 2\n'), submit('two'));
  for (const [index, number] of [
    [1, 1],
    [3, 2],
  ] as const)
    expect(await submitTrial(seeded.lineage, talk.at(index))).toEqual({
      kind: 'accepted',
      number,
      detached: true,
    });
}

async function awaited(input: object): Promise<string | null> {
  await talk.reply(['await_trials', input]);
  const { session, turn } = talk.at(0);
  if (!(await answerAwait(seeded.lineage, talk.at(0)))) return null;
  return (await seeded.lineage.sessions.answerTo(session, turn, 0))?.text ?? null;
}

const trialAt = (number: number) => seeded.lineage.trials.require(seeded.owner, number);

it('trials that are not waited for are answered at once, and awaited once each', async () => {
  const { lineage } = seeded;
  await submitTwo();
  const { session, turn } = talk.at(0);
  expect((await lineage.sessions.answerTo(session, turn, 1))?.text).toMatch(/^trial 1: queued\n.*trial 0/);
  expect(await awaited({})).toBeNull();
  await seeded.measure(await trialAt(2), 1.5);
  expect(await awaited({ any: false })).toBeNull();
  expect(await awaited({ any: true })).toMatch(/^trial 1: not ended, queued\n\ntrial 2: keep/);
  expect(await awaited({ any: true })).toBeNull();
  await seeded.measure(await trialAt(1), 1.9);
  expect(await awaited({})).toMatch(/^trial 1: discard/);
  expect(await awaited({})).toBe('no trial of this session is awaited');
  expect(await awaited({ trials: [0] })).toContain('Trial 0 is none of this session');
});

it('a session hears of a frontier that moved and of its trials that ended, once', async () => {
  await submitTwo();
  expect(await talk.ask('notes')).toBe('no notes');
  const other = await seeded.submit('of another lane', 'arch');
  await seeded.measure(other, 1.2);
  expect(await talk.ask('notes')).toBe(
    'no notes\n\nmeanwhile: the frontier is now trial 3, score 1.2; your trial 1, which stands on trial 0, still waits: withdraw it and rebase, or let it be measured; your trial 2, which stands on trial 0, still waits: withdraw it and rebase, or let it be measured',
  );
  await seeded.measure(await trialAt(1), 1.9);
  expect(await talk.ask('notes')).toBe('no notes\n\nmeanwhile: your trial 1 ended: discard, score 1.9');
  expect(await talk.ask('notes')).toBe('no notes');
});

it('a trial that has not begun to train is withdrawn, and costs none of the trials', async () => {
  const { lineage, owner } = seeded;
  await submitTwo();
  await lineage.trials.setStage(owner, 2, 'training');
  await talk.reply(['withdraw', { trial: 1 }], ['withdraw', { trial: 2 }], ['withdraw', { trial: 7 }]);
  expect(await beginWithdrawal(lineage, talk.at(0))).toBe(1);
  expect(await beginWithdrawal(lineage, talk.at(1))).toBeNull();
  expect(await beginWithdrawal(lineage, talk.at(2))).toBeNull();
  await settleTrial(lineage, { owner, number: 1 }, { reason: 'withdrawn by its session', withdrawn: true });
  await endWithdrawal(lineage, talk.at(0));
  const { session, turn } = talk.at(0);
  const answers = await lineage.sessions.answersOf(session, turn, 3);
  expect(answers.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^trial 1: cancelled\nwithdrawn before it was trained/),
    'Trial 2 has begun (training); await_trials gives its result.',
    expect.stringContaining('Trial 7 is none of this session'),
  ]);
  expect(await lineage.trials.totals(owner)).toEqual({ submitted: 2, counted: 1 });
});
