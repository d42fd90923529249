import type { CustomSlotSupplier, SlotInfo, SlotPermit } from '@temporalio/worker';
import type { Gate } from './gate.js';

/** Decides when a queue is asked for a task. */
export interface Asking {
  mayAsk(): boolean;
  asks(permit: SlotPermit): void;
  /** The answer brought nothing, or what it brought has ended. */
  isOver(permit: SlotPermit): void;
}

/**
 * The slots of a worker that asks its queue only while it may, and for one task at a time: a poll that is out cannot
 * be withdrawn, and the SDK reserves for the next one before it knows what the last one brought.
 */
export function sizedSlots(gate: Gate, asking: Asking): CustomSlotSupplier<SlotInfo> {
  const take = (): SlotPermit | null => {
    if (gate.closed !== null || !asking.mayAsk()) return null;
    const permit = {};
    asking.asks(permit);
    return permit;
  };
  return gate.slotsBy(take, (permit) => asking.isOver(permit));
}
