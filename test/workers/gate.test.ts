import type { CustomSlotSupplier, SlotInfo, SlotPermit, SlotReserveContext } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { Gate } from '../../workers/gate.js';

const CONTEXT: SlotReserveContext = {
  slotType: 'activity',
  taskQueue: 'q',
  workerIdentity: 'w',
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the SDK's type wants it
  workerBuildId: 'b',
  isSticky: false,
};
const taken = (slots: CustomSlotSupplier<SlotInfo>): SlotPermit | null => slots.tryReserveSlot(CONTEXT);

/** Asks for a slot; `got` tells whether it came. */
function asks(slots: CustomSlotSupplier<SlotInfo>, signal = new AbortController().signal) {
  const asked = { got: false, permit: slots.reserveSlot(CONTEXT, signal) };
  asked.permit.then(
    () => (asked.got = true),
    () => undefined,
  );
  return asked;
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('gives as many slots as there are, and the next when one is free again', async () => {
  const slots = new Gate().slots(2);
  const permits = [taken(slots), taken(slots)];
  expect(permits).toEqual([{}, {}]);
  expect(taken(slots)).toBeNull();
  const waiting = asks(slots);
  await settled();
  expect(waiting.got).toBe(false);
  slots.releaseSlot({ permit: permits[0] ?? {} });
  expect(await waiting.permit).toEqual({});
});

it('gives none while it is closed, whoever asks, and lets all ask again when it opens', async () => {
  const gate = new Gate();
  const [trainer, evaluator] = [gate.slots(1), gate.slots(1)];
  gate.set('the disk is full');
  expect(gate.closed).toBe('the disk is full');
  expect(taken(trainer)).toBeNull();
  const waiting = [asks(trainer), asks(evaluator)];
  gate.set('the disk is still full');
  await settled();
  expect(waiting.map(({ got }) => got)).toEqual([false, false]);
  gate.set(null);
  expect(await Promise.all(waiting.map(({ permit }) => permit))).toEqual([{}, {}]);
});

it('stops asking with the very reason of the worker that ends, and takes no slot then', async () => {
  const gate = new Gate();
  const slots = gate.slots(1);
  gate.set('closed');
  const ending = new AbortController();
  const waiting = asks(slots, ending.signal);
  const reason = new Error('shut down');
  ending.abort(reason);
  await expect(waiting.permit).rejects.toBe(reason);
  gate.set(null);
  expect(taken(slots)).toEqual({});
});
