import type { CustomSlotSupplier, SlotInfo, SlotPermit } from '@temporalio/worker';

/**
 * Lets workers poll, or not: a worker asks for a slot before it polls, and a closed gate gives none. Work in flight
 * continues. A poll that was already out when the gate closed may still bring one task.
 */
export class Gate {
  /** Reason why it is closed; null while it is open. */
  #closed: string | null = null;
  readonly #waiting = new Set<() => void>();

  get closed(): string | null {
    return this.#closed;
  }

  set(closed: string | null): void {
    this.#closed = closed;
    this.wake();
  }

  /** Lets all that wait for a slot look again. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** The slots of one worker. */
  slots(capacity: number): CustomSlotSupplier<SlotInfo> {
    let free = capacity;
    const take = (): SlotPermit | null => {
      if (this.#closed !== null || free === 0) return null;
      free -= 1;
      return {};
    };
    return this.slotsBy(take, () => {
      free += 1;
    });
  }

  /** Slots that `take` gives out while there may be one, or null, and `release` gets back; both only decide. */
  slotsBy(
    take: () => SlotPermit | null,
    release: (permit: SlotPermit) => void,
  ): CustomSlotSupplier<SlotInfo> {
    return {
      type: 'custom',
      tryReserveSlot: take,
      reserveSlot: async (_context, aborted) => {
        for (;;) {
          // the very reason: anything else is logged as an error of ours
          aborted.throwIfAborted();
          const permit = take();
          if (permit !== null) return permit;
          await this.#changed(aborted);
        }
      },
      markSlotUsed: () => undefined,
      releaseSlot: ({ permit }) => {
        release(permit);
        this.wake();
      },
    };
  }

  /** Waits until there may be a slot for one that found none, or until it is aborted. */
  #changed(aborted: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        aborted.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      aborted.addEventListener('abort', wake, { once: true });
    });
  }
}
