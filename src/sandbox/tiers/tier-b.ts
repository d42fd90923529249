import type { Isolation } from '../../domain/task/isolation.js';
import { messageOf } from '../../domain/errors.js';
import { findBubblewrap, TIER_C, type Bubblewrap } from './bubblewrap.js';
import { ControlGroup, type GroupGround, type GroupLimits } from './control-group.js';
import { cgroupRoot, groupName } from './cgroup-roots.js';
import type { Ending, Limits, RunRequest } from '../run.js';
import { supervise } from '../process/supervise.js';
import { TASKS_PER_PROCESS, type Hold, type Launch } from './launch.js';
import type { Probe, Tier } from './tier.js';
import { processName } from '../host/worker-name.js';

const ISOLATION: Isolation = { ...TIER_C, tier: 'B', mem: 'enforced', pids: 'enforced', cpu: 'enforced' };

/** The wrapper's own. */
const SPARE_TASKS = 8;

let made = 0;

/** bubblewrap's namespaces within a control group, in which the kernel itself bounds memory and tasks. */
class TierB implements Tier {
  readonly isolation: Isolation;

  constructor(
    readonly bubblewrap: Bubblewrap,
    readonly ground: GroupGround,
    readonly worker: string,
  ) {
    this.isolation = { ...ISOLATION, cpu: ground.cpu === null ? 'advisory' : 'enforced' };
  }

  /** The group bounds them. */
  threads(): number | null {
    return null;
  }

  launch(request: RunRequest, shell: string): Launch {
    return this.hold(this.bubblewrap.launch(request, shell), request.limits);
  }

  hold(launch: Launch, { memoryBytes, processes, cpus }: Limits): Launch {
    const tasks = TASKS_PER_PROCESS * processes + SPARE_TASKS;
    return this.within({ memoryBytes, tasks, cpus: cpus ?? null }, launch);
  }

  within(limits: GroupLimits, launch: Launch): Launch {
    const group = new ControlGroup(this.ground, groupName(this.worker, (made += 1)), limits);
    const hold = launch.hold === null ? group : both(group, launch.hold);
    return { ...launch, ...group.entering([launch.file, ...launch.args]), hold };
  }
}

/** Combines what a group holds with another hold, which is released after it. */
function both(group: ControlGroup, other: Hold): Hold {
  return {
    controlGroups: group.controlGroups,
    throttledMs: () => group.throttledMs(),
    refused: () => group.refused() ?? other.refused(),
    kill: () => group.kill(),
    end: async () => {
      await group.end();
      await other.end();
    },
  };
}

let probed: Promise<Probe> | null = null;

/** Finds out once per process whether control groups can be made here and really bind. */
export function probeTierB(): Promise<Probe> {
  return (probed ??= probe());
}

const REMEDY =
  'Run the worker as root, or as a systemd service with Delegate=memory pids and DelegateSubgroup=worker.';

async function probe(): Promise<Probe> {
  const found = await findBubblewrap();
  if (!('bubblewrap' in found)) return { tier: null, ...found };
  const ground = cgroupRoot();
  if (typeof ground === 'string') return { tier: null, why: ground, remedy: REMEDY };
  const worker = await processName(process.pid);
  const tier = new TierB(found.bubblewrap, ground, worker);
  const fault = await failing(tier).catch((error: unknown) => messageOf(error));
  if (fault !== null) return { tier: null, why: fault, remedy: REMEDY };
  if (await boundsProcessors(tier).catch(() => false)) return { tier, why: null };
  return { tier: new TierB(found.bubblewrap, { ...ground, cpu: null }, worker), why: null };
}

const MEMORY = 32 * 1024 * 1024;
const TASKS = 24;

/** Attempts that must fail: holding four times the memory, or twice the processes. */
const TRIALS = [
  { limit: 'memory', command: `head -c ${4 * MEMORY} /dev/zero | tail -n 1 > /dev/null` },
  {
    limit: 'processes',
    command: `i=0; while [ $i -lt ${2 * TASKS} ]; do sleep 20 & i=$((i+1)); done; echo all`,
  },
] as const;

async function failing(tier: TierB): Promise<string | null> {
  for (const { limit, command } of TRIALS) {
    const ending = await endingOf(tier, command);
    if (ending.kind !== 'limit' || ending.limit !== limit)
      return `a control group's limit on ${limit} does not bind: a probe ended with ${JSON.stringify(ending)}`;
  }
  return null;
}

/** The watchdog's own limits are out of reach here, so that only the kernel can end the probe with a limit. */
async function endingOf(tier: TierB, command: string): Promise<Ending> {
  const request = probeRequest(command);
  const bounds = { memoryBytes: MEMORY, tasks: TASKS, cpus: null };
  const launch = tier.within(bounds, tier.bubblewrap.launch(request, command));
  const run = supervise({ launch, request, isolation: tier.isolation, log: 'stdout', extra: 0 });
  return (await run.done).ending;
}

/** Counts for a while under a tenth of a processor, and sees whether the kernel held it back. */
async function boundsProcessors(tier: TierB): Promise<boolean> {
  const request = probeRequest('i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done');
  const bounds = { memoryBytes: 4 * MEMORY, tasks: TASKS, cpus: 0.1 };
  const launch = tier.within(bounds, tier.bubblewrap.launch(request, request.command));
  let throttledMs = 0;
  const { hold } = launch;
  if (hold === null) return false;
  // looked at while the group is still there
  const end = async (): Promise<void> => {
    throttledMs = hold.throttledMs();
    await hold.end();
  };
  const watched: Hold = {
    controlGroups: hold.controlGroups,
    throttledMs: () => hold.throttledMs(),
    refused: () => hold.refused(),
    kill: () => hold.kill(),
    end,
  };
  const held = { ...launch, hold: watched };
  await supervise({ launch: held, request, isolation: tier.isolation, log: 'stdout', extra: 0 }).done;
  return throttledMs > 0;
}

function probeRequest(command: string): RunRequest {
  return {
    id: `probe-${process.pid}-${made}`,
    command,
    cwd: '/',
    writable: [],
    readable: [],
    env: { PATH: '/usr/bin:/bin' },
    limits: { wallS: 30, memoryBytes: 2 ** 40, diskBytes: 0, logBytes: 4096, processes: 10_000 },
    signal: new AbortController().signal,
  };
}
