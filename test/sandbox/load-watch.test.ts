import { expect, it } from 'vitest';
import { underLoad } from '../../src/sandbox/host/load-watch.js';

/** Looks of the watch, each with the work that it finds. */
function looks(found: () => number): {
  others: () => Promise<number>;
  nth: (count: number) => Promise<void>;
} {
  const waiting: { count: number; go: () => void }[] = [];
  let done = 0;
  return {
    others: () => {
      done += 1;
      for (const { count, go } of waiting) if (done >= count) go();
      return Promise.resolve(found());
    },
    nth: (count) => new Promise((go) => waiting.push({ count, go })),
  };
}

it('tells the other work in the mean over what is measured', async () => {
  let work = 2;
  const { others } = looks(() => work);
  const measured = await underLoad(others, () => {
    work = 0;
    return Promise.resolve('done');
  });
  expect(measured).toEqual({ result: 'done', others: 1 });
});

it('leaves out what was there before the time began', async () => {
  let work = 0;
  const { others, nth } = looks(() => work);
  const { others: seen } = await underLoad(others, async (begin) => {
    await nth(3);
    work = 4;
    await nth(5);
    begin();
  });
  // the look before it began, and the one at its end
  expect(seen).toBe(4);
});
