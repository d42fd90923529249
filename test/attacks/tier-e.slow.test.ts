import { afterAll, beforeAll, expect, it } from 'vitest';
import { Arena } from './arena.js';
import { ATTACKS } from './table.js';
import { isRun } from './attack.js';

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open('E');
});
afterAll(() => arena.close());

it('every attack is prevented, detected, or labelled as one that could not be', async () => {
  const before = await arena.honest(1.5);
  expect(await before()).toBe('keep');
  expect(await arena.fight()).toEqual(new Map());
  const last = await arena.submit('artifact(2.5)');
  const { status, isolation } = await arena.ended(last);
  expect(status).toBe('keep');
  for (const { name, group } of ATTACKS)
    if (!isRun(group)) expect(isolation?.[group.label], `${name}, which is not run`).not.toBe('enforced');
  await arena.nothingLeft();
}, 1_200_000);
