import { afterAll, beforeAll, expect, it } from 'vitest';
import { Arena, TASKS } from './arena.js';
import { storedText } from './stored.js';

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open(null);
});
afterAll(() => arena.close());

/** Skips where nothing is held back: tier-e.slow.test.ts covers that. */
function skipped(skip: (condition: boolean, note: string) => void): void {
  const note = `attacks at the best tier are not run: it is ${arena.isolation.tier}, at which tier-e.slow.test.ts runs them`;
  if (arena.isOpen) process.stderr.write(`${note}\n`);
  skip(arena.isOpen, note);
}

it('every attack ends as what it did, and an honest trial before, beside and after it as what it is', async ({
  skip,
}) => {
  skipped(skip);
  const before = await arena.honest(1.5);
  expect(await before()).toBe('keep');
  expect(await arena.fight()).toEqual(new Map());
  const after = await arena.honest(2.5);
  expect(await after()).toBe('keep');
  await arena.nothingLeft();
}, 1_200_000);

it('a training hears nothing of what the server of another trial tells it while that is scored', async ({
  skip,
}) => {
  skipped(skip);
  skip(arena.isolation.tier > 'C', 'channels between trials are closed at tiers B and C');
  expect(await arena.overheard()).toEqual([]);
}, 400_000);

it('no secret of the worker and no label is in anything that was stored', async ({ skip }) => {
  skipped(skip);
  const text = await storedText(arena.world);
  expect(text, 'what was searched').toContain('denied: [Errno');
  expect(text).not.toContain(arena.secret);
  const labels = await arena.labels();
  expect(labels).toHaveLength(TASKS.length);
  for (const label of labels) {
    expect(label).toMatch(/^label-/);
    expect(text).not.toContain(label);
  }
});
