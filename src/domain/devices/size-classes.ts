/**
 * Requests of one class wait in one queue, so that a host takes from the queue server only what it can serve: the
 * class is the smallest power of two that is not below the number of slots.
 */
export function sizeClass(slots: number): number {
  let size = 1;
  while (size < slots) size *= 2;
  return size;
}

/** Lists the classes of which a host of so many slots can serve some request, ascending. */
export function sizesServed(capacity: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size / 2 < capacity; size *= 2) sizes.push(size);
  return sizes;
}

/** Names the queue of a pool's trainings of one class; null: the one queue of all sizes, which an earlier assay used. */
export function trainQueue(pool: string, size: number | null): string {
  return size === null ? `assay-train-${pool}` : `assay-train-${pool}-x${size}`;
}
