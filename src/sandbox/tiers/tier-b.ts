import type { Isolation } from '../../domain/task/isolation.js';
import { findBubblewrap, TIER_C, type Bubblewrap } from './bubblewrap.js';
import { ControlGroup, type GroupGround, type GroupLimits } from './control-group.js';
import { cgroupRoot, groupName } from './cgroup-roots.js';
import type { Limits, RunRequest, RunResult } from '../run.js';
import { supervise } from '../supervision/supervise.js';
import { TASKS_PER_PROCESS, type Hold, type Launch } from './launch.js';
import { attempted, cutShort, failed, HOLDS, lacks, type Attempt, type Refusal } from './probing.js';
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

/** Finds out whether control groups can be made here and really bind; once per process, unless it could not be found out. */
export async function probeTierB(): Promise<Probe> {
  const known = await (probed ??= probe());
  if (known.tier === null && known.failed === true) probed = null;
  return known;
}

const REMEDY =
  'Run the worker as root, or as a systemd service with Delegate=memory pids and DelegateSubgroup=worker.';

async function probe(): Promise<Probe> {
  const found = await findBubblewrap();
  if (!('bubblewrap' in found)) return { tier: null, ...found };
  const ground = cgroupRoot();
  if ('kind' in ground) return without(ground);
  const worker = await processName(process.pid);
  const tier = new TierB(found.bubblewrap, ground, worker);
  const bounds = await attempted(() => bindsAll(tier));
  if (bounds.kind !== 'holds') return without(bounds);
  const processors = await attempted(() => boundsProcessors(tier));
  if (processors.kind === 'failed') return without(processors);
  if (processors.kind === 'holds') return { tier, why: null };
  return { tier: new TierB(found.bubblewrap, { ...ground, cpu: null }, worker), why: null };
}

const without = ({ kind, why }: Refusal): Probe =>
  kind === 'lacks'
    ? { tier: null, why, remedy: REMEDY }
    : {
        tier: null,
        why: `control groups could not be tried: ${why}`,
        remedy: 'Give this host what it lacks (memory, processes, time), and try again.',
        failed: true,
      };

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

async function bindsAll(tier: TierB): Promise<Attempt> {
  for (const { limit, command } of TRIALS) {
    const { ending, log } = await tryUnderLimits(tier, command);
    if (ending.kind === 'limit' && ending.limit === limit) continue;
    const words = `a probe of a control group's limit on ${limit} ended with ${JSON.stringify(ending)}`;
    // a program that came to its end, or was killed without a word of the group, was not held by it
    const free = ending.kind === 'signalled' || (ending.kind === 'exited' && ending.code === 0);
    return free ? lacks(`${words}: it does not bind`) : failed(`${words}: ${log.slice(0, 200)}`);
  }
  return HOLDS;
}

/** The watchdog's own limits are out of reach here, so that only the kernel can end the probe with a limit. */
async function tryUnderLimits(tier: TierB, command: string): Promise<RunResult> {
  const request = probeRequest(command);
  const bounds = { memoryBytes: MEMORY, tasks: TASKS, cpus: null };
  const launch = tier.within(bounds, tier.bubblewrap.launch(request, command));
  return supervise({ launch, request, isolation: tier.isolation, log: 'stdout', extra: 0 }).done;
}

/** Counts for a while under a tenth of a processor, and sees whether the kernel held it back. */
async function boundsProcessors(tier: TierB): Promise<Attempt> {
  const request = probeRequest('i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done');
  const bounds = { memoryBytes: 4 * MEMORY, tasks: TASKS, cpus: 0.1 };
  const launch = tier.within(bounds, tier.bubblewrap.launch(request, request.command));
  let throttledMs = 0;
  const { hold } = launch;
  if (hold === null || tier.ground.cpu === null) return lacks('there is no group that bounds processors');
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
  const run = supervise({ launch: held, request, isolation: tier.isolation, log: 'stdout', extra: 0 });
  const { ending, log } = await run.done;
  if (throttledMs > 0) return HOLDS;
  const cut = cutShort(ending, log);
  return cut === null ? lacks('a control group does not bound processors') : failed(cut);
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
