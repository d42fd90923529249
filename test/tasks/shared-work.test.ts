import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SharedWork } from '../../src/tasks/shared-work.js';

/** Work that ends when it is told to, or when it is aborted and has cleaned up. */
function controlled() {
  const begun: { end: (value: string) => void; aborted: () => boolean; cleanUp: () => void }[] = [];
  const work = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      begun.push({
        end: resolve,
        aborted: () => signal.aborted,
        cleanUp: () => reject(new Error('its processes are dead')),
      });
    });
  return { begun, work };
}

const caller = (shared: SharedWork<string>, work: (signal: AbortSignal) => Promise<string>) => {
  const abort = new AbortController();
  const result = shared.join('task', abort.signal, work);
  const state = { ended: false };
  result.then(
    () => (state.ended = true),
    () => (state.ended = true),
  );
  return { abort, result, state };
};

it('goes on for the others when the caller that asked first is cancelled', async () => {
  const shared = new SharedWork<string>();
  const { begun, work } = controlled();
  const [first, second] = [caller(shared, work), caller(shared, work)];
  first.abort.abort(new Error('stopped'));
  await expect(first.result).rejects.toThrow('stopped');
  expect(begun[0]?.aborted()).toBe(false);
  begun[0]?.end('ready');
  expect(await second.result).toBe('ready');
  expect(await caller(shared, work).result).toBe('ready');
  expect(begun).toHaveLength(1);
});

it('is aborted with its last caller, who leaves when it has ended; whoever asks next begins it anew', async () => {
  const shared = new SharedWork<string>();
  const { begun, work } = controlled();
  const [first, second] = [caller(shared, work), caller(shared, work)];
  first.abort.abort(new Error('stopped'));
  second.abort.abort(new Error('stopped too'));
  await expect(first.result).rejects.toThrow('stopped');
  await setImmediate();
  expect([begun[0]?.aborted(), second.state.ended]).toEqual([true, false]);
  const third = caller(shared, work);
  expect(begun).toHaveLength(2);
  begun[0]?.cleanUp();
  await expect(second.result).rejects.toThrow('stopped too');
  begun[1]?.end('ready');
  expect(await third.result).toBe('ready');
});

it('is done again after a failure, and not at all for a caller that is cancelled already', async () => {
  const shared = new SharedWork<string>();
  const { begun, work } = controlled();
  const failing = caller(shared, work);
  begun[0]?.cleanUp();
  await expect(failing.result).rejects.toThrow('its processes are dead');
  await expect(shared.join('task', AbortSignal.abort(new Error('late')), work)).rejects.toThrow('late');
  expect(begun).toHaveLength(1);
  const again = caller(shared, work);
  begun[1]?.end('ready');
  expect(await again.result).toBe('ready');
});
