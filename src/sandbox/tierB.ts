import type { Isolation } from '../domain/isolation.js';
import { messageOf } from '../domain/errors.js';
import { findBubblewrap, TIER_C, type Bubblewrap } from './bubblewrap.js';
import { ControlGroup, type GroupGround, type GroupLimits } from './control-group.js';
import { groupGround, groupName } from './group-ground.js';
import type { Ending, Limits, RunRequest } from './run.js';
import { supervise } from './supervise.js';
import { TASKS_PER_PROCESS, type Launch, type Probe, type Tier } from './tier.js';
import { processName } from './worker-name.js';

const ISOLATION: Isolation = { ...TIER_C, tier: 'B', mem: 'enforced', pids: 'enforced' };

/** The wrapper's own. */
const SPARE_TASKS = 8;

let made = 0;

/** bubblewrap's namespaces within a control group, in which the kernel itself bounds memory and tasks. */
class TierB implements Tier {
  readonly isolation = ISOLATION;

  constructor(
    readonly bubblewrap: Bubblewrap,
    readonly ground: GroupGround,
    readonly worker: string,
  ) {}

  /** The group bounds them. */
  threads(): number | null {
    return null;
  }

  launch(request: RunRequest, shell: string): Launch {
    const { memoryBytes, processes }: Limits = request.limits;
    return this.within({ memoryBytes, tasks: TASKS_PER_PROCESS * processes + SPARE_TASKS }, request, shell);
  }

  within(limits: GroupLimits, request: RunRequest, shell: string): Launch {
    const inner = this.bubblewrap.launch(request, shell);
    const hold = new ControlGroup(this.ground, groupName(this.worker, (made += 1)), limits);
    return { ...inner, ...hold.entering([inner.file, ...inner.args]), hold };
  }
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
  const ground = groupGround();
  if (typeof ground === 'string') return { tier: null, why: ground, remedy: REMEDY };
  const tier = new TierB(found.bubblewrap, ground, await processName(process.pid));
  const fault = await failing(tier).catch((error: unknown) => messageOf(error));
  return fault === null ? { tier, why: null } : { tier: null, why: fault, remedy: REMEDY };
}

const MEMORY = 32 * 1024 * 1024;
const TASKS = 24;

/** What must not be possible: holding four times the memory, or twice the processes. */
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
  const request: RunRequest = {
    id: `probe-${process.pid}-${made}`,
    command,
    cwd: '/',
    writable: [],
    readable: [],
    env: { PATH: '/usr/bin:/bin' },
    limits: { wallS: 10, memoryBytes: 2 ** 40, diskBytes: 0, logBytes: 4096, processes: 10_000 },
    signal: new AbortController().signal,
  };
  const launch = tier.within({ memoryBytes: MEMORY, tasks: TASKS }, request, command);
  const run = supervise({ launch, request, isolation: ISOLATION, log: 'stdout', extra: 0 });
  return (await run.done).ending;
}
