import { expect, it } from 'vitest';
import { submitTrial } from '../../src/session/submit-trial.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';
import { storedSession, storedTurn } from '../builders/stored-turn.js';

const WORDS =
  'Raise the learning rate of the embedding, which has not converged at the end of training by its loss';

/** Writes the recipe and submits it in one turn; returns the end of the submit and its answer. */
async function propose(seeded: Seeded, session: string, turn: number, [text, hypothesis]: [string, string]) {
  const at = await storedTurn(seeded, session, turn, [
    [EDIT_TOOL, { command: 'create', path: 'train.py', file_text: text }],
    ['submit_trial', { hypothesis, expected_delta: -0.1 }],
  ]);
  const call = { ...at, index: 1 };
  const submitted = await submitTrial(seeded.lineage, call);
  const answer = await seeded.lineage.sessions.answerTo(session, turn, 1);
  return { call, submitted, answer: answer?.text ?? null };
}

it('a proposal that nearly repeats an earlier trial is answered with it, and measured when it is submitted again', async () => {
  const seeded = await seedCampaign();
  const { lineage, owner } = seeded;
  const first = await propose(seeded, await storedSession(seeded), 0, ['lr = 0.03\n', WORDS]);
  expect(first.submitted).toEqual({ kind: 'accepted', number: 1 });
  await seeded.measure(await lineage.trials.require(owner, 1), 1.5);

  const session = await storedSession(seeded, 0, 'arch');
  const again = await propose(seeded, session, 0, ['lr = 0.03 \n', `${WORDS}, I think`]);
  expect(again.submitted).toEqual({ kind: 'refused', reason: 'it nearly repeats trial 1' });
  expect(again.answer).toMatch(/^refused: this nearly repeats trial 1 \(similarity 0\.9\d*\)/);
  expect(again.answer).toContain('trial 1 [opt] keep, parent 0, score 1.5 nats');
  // a retry of the same call is the same question
  expect(await submitTrial(lineage, again.call)).toEqual(again.submitted);

  const other = await propose(seeded, session, 1, [
    'width = 96\n',
    'A wider model, as the loss still falls with size',
  ]);
  expect(other.submitted).toEqual({ kind: 'accepted', number: 2 });
  const third = await propose(seeded, session, 2, ['lr = 0.03 \n', `${WORDS}, I think`]);
  expect(third.submitted).toEqual({ kind: 'accepted', number: 3 });
  expect((await lineage.trials.require(owner, 3)).similar).toMatchObject({ trial: 1 });
  expect((await lineage.trials.require(owner, 2)).similar).toBeNull();
  expect((await lineage.sessions.get(session)).repeats).toMatchObject([{ trial: 1 }]);
  await lineage.close();
});

it('another value is another proposal', async () => {
  const seeded = await seedCampaign();
  const session = await storedSession(seeded);
  for (const [turn, value] of [0.01, 0.02, 0.04, 0.08].entries()) {
    const { submitted } = await propose(seeded, session, turn, [
      `lr = ${value}\n`,
      `${WORDS}: lr 0.005 → ${value}`,
    ]);
    expect(submitted).toEqual({ kind: 'accepted', number: turn + 1 });
  }
  await seeded.lineage.close();
});
