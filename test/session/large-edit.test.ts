import { randomUUID } from 'node:crypto';
import { applyPatch } from 'diff';
import { expect, it } from 'vitest';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { submitTrial } from '../../src/session/submit-trial.js';
import { workspaceAt } from '../../src/session/workspace.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';
import { storedSession, storedTurn } from '../builders/stored-turn.js';

const LINES = 10_000;
const TIMER_MS = 20;
/** The longest gap of the timer may grow by this factor. */
const FACTOR = 5;
/** Other work on the machine can only make a gap longer, so that the shortest of some rounds count. */
const ROUNDS = { least: 3, most: 8 };

const recipeOf = (mark: string): string =>
  Array.from({ length: LINES }, (_, i) => `x${i} = ${mark}${i % 7}  # line ${i} of a recipe\n`).join('');

/** Writes `train.py` in a session of its own on a trial, and submits it; returns the number of the new trial. */
async function submitted(seeded: Seeded, parent: number, text: string): Promise<number> {
  const { lineage } = seeded;
  const session = await storedSession(seeded, parent);
  const at = await storedTurn(seeded, session, 0, [
    [EDIT_TOOL, { command: 'create', path: 'train.py', file_text: text }],
    ['submit_trial', { hypothesis: `other lines ${randomUUID()}`, expected_delta: null }],
  ]);
  const found = await submitTrial(lineage, { ...at, index: 1 });
  if (found.kind !== 'accepted') throw new Error(found.reason);
  expect((await workspaceAt(lineage, { ...at, index: 1 })).snapshot).toBe(
    (await lineage.trials.require(seeded.owner, found.number)).snapshot,
  );
  return found.number;
}

/** Does some work and returns the longest gap between two ticks of a timer meanwhile, in milliseconds. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  let [last, longest] = [performance.now(), 0];
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(tick, TIMER_MS);
  await work();
  clearInterval(timer);
  tick();
  return longest;
}

it('ten thousand rewritten lines hold nothing else up, and their diff leads from the one file to the other', async () => {
  const seeded = await seedCampaign();
  const { lineage, owner } = seeded;
  const base = await submitted(seeded, 0, recipeOf('a'));
  const gaps: { before: number; during: number }[] = [];
  const ratio = (): number =>
    Math.min(...gaps.map(({ during }) => during)) / Math.min(...gaps.map(({ before }) => before));
  let rewritten = 0;
  while (gaps.length < ROUNDS.least || (gaps.length < ROUNDS.most && ratio() > FACTOR)) {
    const round = gaps.length;
    // as much to read, to write and to digest, and next to nothing to compare
    const before = await longestGap(async () => {
      for (const edit of [1, 2])
        await submitted(seeded, base, recipeOf('a').replace('x5 =', `x5 = ${round} + ${edit} +`));
    });
    const during = await longestGap(async () => {
      rewritten = await submitted(seeded, base, recipeOf(`b${round}`));
    });
    gaps.push({ before, during });
  }
  expect(ratio(), JSON.stringify(gaps)).toBeLessThanOrEqual(FACTOR);
  const { diff, changes } = await lineage.trials.require(owner, rewritten);
  const patch = await lineage.blobs.text(diff);
  expect(applyPatch(recipeOf('a'), patch)).toBe(recipeOf(`b${gaps.length - 1}`));
  expect(changes).toMatch(/… \(20000 changed lines in all\)$/);
  await lineage.close();
});
