import { admit, type Waiting } from '../../src/devices/admission.js';
import { Dice } from '../builders/dice.js';

/** A request for slots, for so many seconds. */
export interface Request {
  lane: number;
  size: number;
  runs: number;
}

interface Queued extends Request {
  since: number;
}

interface Running extends Queued {
  ends: number;
}

interface Host {
  fit: number;
  free: number;
  running: Running[];
  longest: number[];
  draining: number | null;
}

/** What a simulated pool comes to. */
export interface Outcome {
  /** Longest wait by size, in seconds. */
  waits: Map<number, number>;
  longestRun: number;
  /** Busy slots as a share of those that were busy or free while something waited that fits them. */
  busyShare: number;
  /** Number of requests by host. */
  servedBy: number[];
  seconds: number;
}

export interface SimulatedPool {
  hosts: number;
  capacity: number;
  /** Slots of the first host that get no work; default: none. */
  unfit?: number;
  /** Number of requests that each lane has open at a time. */
  lanes: readonly number[];
  /** Every request, in the order in which lanes make them. */
  requests: readonly Omit<Request, 'lane'>[];
}

const STEP_S = 0.5;
const SIZES = [1, 2, 4, 8];

/** Serves requests with hosts that follow the policy, in steps of half a second; no clock of the machine is read. */
export function simulatePool({ hosts: many, capacity, unfit = 0, lanes, requests }: SimulatedPool): Outcome {
  const hosts = Array.from({ length: many }, (_, at): Host => ({
    fit: at === 0 ? capacity - unfit : capacity,
    free: at === 0 ? capacity - unfit : capacity,
    running: [],
    longest: [],
    draining: null,
  }));
  const [waiting, left] = [[] as Queued[], [...requests]];
  const outcome: Outcome = {
    waits: new Map(),
    longestRun: 0,
    busyShare: 1,
    servedBy: hosts.map(() => 0),
    seconds: 0,
  };
  let [now, busy, idle] = [0, 0, 0];
  const ask = (lane: number): void => {
    const next = left.shift();
    if (next !== undefined) waiting.push({ ...next, lane, since: now });
  };
  lanes.forEach((open, lane) => Array.from({ length: open }, () => ask(lane)));

  /** Lets one host take one request; false: there is none for it. */
  const take = (host: Host): boolean => {
    const { poll, draining } = admit({
      fit: host.fit,
      free: host.free,
      sizes: SIZES.filter((size) => size <= capacity).map((size) => summary(waiting, size, now)),
      longestS: host.longest.length === 0 ? null : Math.max(...host.longest.slice(-32)),
      draining: host.draining,
      drainingElsewhere: hosts.flatMap((each) => (each === host ? [] : (each.draining ?? []))),
    });
    host.draining = draining;
    const at = waiting.findIndex(({ size }) => poll.includes(size));
    if (at < 0) return false;
    const taken = waiting.splice(at, 1)[0];
    if (taken === undefined || taken.size > host.free) throw new Error('the policy asked for more than fits');
    host.free -= taken.size;
    const by = hosts.indexOf(host);
    outcome.servedBy[by] = (outcome.servedBy[by] ?? 0) + 1;
    host.running.push({ ...taken, ends: now + taken.runs });
    outcome.waits.set(taken.size, Math.max(outcome.waits.get(taken.size) ?? 0, now - taken.since));
    outcome.longestRun = Math.max(outcome.longestRun, taken.runs);
    return true;
  };

  while (waiting.length > 0 || hosts.some(({ running }) => running.length > 0)) {
    for (let turn = 0; hosts.map((_, i) => hosts[(i + turn) % many]).some((host) => host && take(host));)
      turn += 1;
    if (waiting.length > 0)
      for (const { fit, free } of hosts) {
        busy += fit - free;
        if (waiting.some(({ size }) => size <= free)) idle += free;
      }
    now += STEP_S;
    for (const host of hosts)
      for (const ended of host.running.filter(({ ends }) => ends <= now)) {
        host.running.splice(host.running.indexOf(ended), 1);
        host.free += ended.size;
        host.longest.push(ended.runs);
        ask(ended.lane);
      }
    if (now > 1e6) throw new Error(`${waiting.length} requests are never served`);
  }
  return { ...outcome, busyShare: busy / Math.max(1, busy + idle), seconds: now };
}

function summary(waiting: readonly Queued[], size: number, now: number): Waiting {
  const of = waiting.filter((each) => each.size === size);
  const oldestS = of.reduce((most, { since }) => Math.max(most, now - since), 0);
  return { size, needs: size, count: of.length, oldestS };
}

/** Draws requests of 10 to 60 s, by the share of each size. */
export function drawnRequests(
  seed: number,
  count: number,
  shares: readonly [size: number, share: number][],
): Omit<Request, 'lane'>[] {
  const dice = new Dice(seed);
  return Array.from({ length: count }, () => {
    let rest = dice.uniform();
    const found = shares.find(([, share]) => (rest -= share) < 0);
    return { size: found?.[0] ?? 1, runs: 10 + 50 * dice.uniform() };
  });
}
