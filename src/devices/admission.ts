/** Requests of one size that wait in the queue of a pool. */
export interface Waiting {
  /** Class of sizes, a power of two. */
  size: number;
  /** Slots that a request of this class takes on this host. */
  needs: number;
  /** Number of requests. */
  count: number;
  /** Seconds for which the oldest has waited. */
  oldestS: number;
}

/** A host's slots and what waits for them. */
export interface HostView {
  /** Slots that may be given out, held ones too. */
  fit: number;
  free: number;
  /** Every size that the host serves, those of which nothing waits too. */
  sizes: readonly Waiting[];
  /** Longest of the host's last leases in seconds; null before there was one. */
  longestS: number | null;
  /** Size that it keeps its slots for; null: none. */
  draining: number | null;
  /** Sizes that other hosts of the pool keep their slots for, one a host. */
  drainingElsewhere: readonly number[];
}

/** Which sizes a host asks for now. */
export interface Admission {
  poll: number[];
  /** Size that it keeps its slots for from now on; null: none. */
  draining: number | null;
}

/** Seconds that a lease is taken to last before one has ended, and the least that any is taken to last. */
const UNKNOWN_S = 60;
const LEAST_S = 2;

/* Waits, as multiples of the longest lease: chosen with the simulation of test/devices/simulated-pool.ts. */
/** A host drains for a request that does not fit. */
const DRAIN_AFTER = 1;
/** A request that fits comes before larger ones. */
const FIRST_AFTER = 2;
/** One more host drains for a size, for each that does already. */
const DRAIN_MORE_AFTER = 2.2;
/** A request comes before everything younger, whatever that costs: nothing starves. */
const OVERDUE_AFTER = 6;
/** Requests that wait for one draining host before another helps it. */
const SHARE_A_DRAIN = 4;
/** Seconds by which the busiest host begins to drain later than an idle one, which loses less by it. */
const BUSY_DELAY_S = 2;

/**
 * Decides which sizes a host asks for: the largest first, which packs small ones on few hosts and keeps others whole.
 * What does not fit and has waited makes one host drain: it takes nothing else until none of that size waits, so that
 * several large requests share one drain. What has waited for too long comes before everything else. What needs more
 * slots than are fit is left to other hosts.
 */
export function admit(host: HostView): Admission {
  // it waits for another host, or until this one is well
  const view = { ...host, sizes: host.sizes.filter(({ needs }) => needs <= host.fit) };
  const longestS = Math.max(view.longestS ?? UNKNOWN_S, LEAST_S);
  const first = overdue(view, longestS) ?? drainedFor(view, longestS);
  if (first !== null) {
    const fits = first.needs <= view.free;
    const drains = !fits || first.size === view.draining;
    return { poll: fits ? [first.size] : [], draining: drains ? first.size : null };
  }
  const fitting = oldestOf(view.sizes.filter(({ needs }) => needs <= view.free));
  const before = fitting !== null && fitting.oldestS >= FIRST_AFTER * longestS;
  return { poll: before ? [fitting.size] : packed(view), draining: null };
}

/** The oldest request that this host can serve or drain for, once it has waited for too long. */
function overdue(view: HostView, longestS: number): Waiting | null {
  const oldest = oldestOf(
    view.sizes.filter(
      (each) => each.needs <= view.free || each.size === view.draining || mayDrain(view, each, longestS),
    ),
  );
  return oldest !== null && oldest.oldestS >= OVERDUE_AFTER * longestS ? oldest : null;
}

/** The size that it drains for, while some of it wait, or the largest that it begins to drain for now. */
function drainedFor(view: HostView, longestS: number): Waiting | null {
  const waiting = view.sizes.filter(({ count }) => count > 0);
  const kept = waiting.find(({ size }) => size === view.draining);
  if (kept !== undefined) return kept;
  const large = waiting.filter((each) => each.needs > view.free && mayDrain(view, each, longestS));
  return largestFirst(large)[0] ?? null;
}

function mayDrain(
  { fit, free, drainingElsewhere }: HostView,
  { size, needs, oldestS, count }: Waiting,
  longestS: number,
): boolean {
  // a single slot goes to whoever comes first when one is released
  if (needs === 1) return false;
  const waited = oldestS / longestS;
  const others = drainingElsewhere.filter((other) => other === size).length;
  if (others > 0)
    return waited >= DRAIN_MORE_AFTER * others || (count > SHARE_A_DRAIN * others && waited >= DRAIN_AFTER);
  return oldestS >= DRAIN_AFTER * longestS + (BUSY_DELAY_S * (fit - free)) / fit;
}

/** Sizes that fit beside each other, the largest that wait first; of what then is left, whatever may come. */
function packed({ free, sizes }: HostView): number[] {
  const poll: number[] = [];
  let left = free;
  for (const { size, needs, count } of largestFirst(sizes.filter((each) => each.count > 0))) {
    const fitting = Math.min(count, Math.floor(left / needs));
    if (fitting > 0) poll.push(size);
    left -= fitting * needs;
  }
  const others = sizes.filter(({ count, needs }) => count === 0 && needs <= left);
  return [...poll, ...largestFirst(others).map(({ size }) => size)];
}

function largestFirst(sizes: readonly Waiting[]): Waiting[] {
  return [...sizes].sort((a, b) => b.size - a.size);
}

function oldestOf(sizes: readonly Waiting[]): Waiting | null {
  const [oldest] = sizes.filter(({ count }) => count > 0).sort((a, b) => b.oldestS - a.oldestS);
  return oldest ?? null;
}
