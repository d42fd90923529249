import { setTimeout as sleep } from 'node:timers/promises';
import { textOfReason } from '../../src/domain/campaign/reasons.js';
import { isEnded, type CampaignState } from '../../src/domain/statuses.js';
import { campaignDocument } from '../../src/lineage/documents/campaign.js';
import { KINDS, type Kill, type Kind } from './chaos-kill.js';
import { openGround, type ChaosGround } from './chaos-ground.js';
import { verdictOn, type Counts } from './chaos-verdict.js';
import { GATED_MODEL } from './chaos-witness.js';
import { pushPatientByteGolf } from './patient-task.js';

export interface ChaosOptions {
  seed: number;
  trials: number;
  /** Number of kills, the kinds in turn. */
  kills: number;
  /** Worker processes, each on its own host. */
  hosts: number;
  trainSeconds: number;
  /** Bound of the whole campaign; a run that takes longer is reported as one that did not end. */
  limitSeconds: number;
  say: (line: string) => void;
  /** Leaves the folder of a run with violations behind, for looking at it. */
  keep: boolean;
  /** Breaks the run off; everything that it started is ended. */
  signal: AbortSignal;
}

/** Result of a run of one seed. */
export interface ChaosRow {
  seed: number;
  kills: Record<Kind, number>;
  durationS: number;
  counts: Counts;
  /** Empty when every promise was kept. */
  violations: string[];
  /** Folder of the run, when it was kept. */
  home: string | null;
}

/** Fresh runs of the start and of the frontier. */
const CLAIM_RUNS = 3;

interface Planned {
  kind: Kind;
  /** It comes when at least this many trials have ended, and after some phase completed. */
  afterTrials: number;
  /** From the completed phase to the kill. */
  delayMs: number;
  /** From the kill to the start. */
  pauseMs: number;
  /** Index of the worker, where it is one. */
  worker: number;
}

/**
 * Runs a campaign on its own servers and workers while they are killed, and checks with the store, the server, the
 * model's endpoint and the process table whether the promises were kept.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosRow> {
  const began = Date.now();
  const ground = await openGround(options.hosts, options.say);
  const kills: Kill[] = [];
  let violations: string[] = [];
  let counts: Counts | null = null;
  try {
    await pushPatientByteGolf(ground.lineage);
    await Promise.all(ground.workers.map((worker) => worker.start()));
    const name = `chaos-${options.seed}`;
    const input = {
      task: 'byte-golf',
      model: GATED_MODEL,
      trials: options.trials,
      calibration: 3,
      claim: { runs: CLAIM_RUNS },
      trainSeconds: options.trainSeconds,
      trainHeartbeatSeconds: 5,
    };
    await ground.client.workflow.start('campaign', { taskQueue: 'assay', workflowId: name, args: [input] });
    const late = await harass(ground, name, options, kills);
    const verdict = await verdictOn(ground, {
      name,
      trials: options.trials,
      claimRuns: CLAIM_RUNS,
      kills,
    });
    counts = verdict.counts;
    violations = [...late, ...verdict.violations];
  } catch (error) {
    violations.push(
      `the run broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
  violations.push(...ground.workers.flatMap(({ surprises }) => surprises));
  const keep = options.keep && violations.length > 0;
  violations.push(...(await ground.stop(keep)));
  const byKind = (kind: Kind): number => kills.filter((kill) => kill.kind === kind).length;
  return {
    seed: options.seed,
    kills: { server: byKind('server'), store: byKind('store'), worker: byKind('worker') },
    durationS: Math.round((Date.now() - began) / 1000),
    counts: counts ?? NO_COUNTS,
    violations,
    home: keep ? ground.home : null,
  };
}

const NO_COUNTS: Counts = {
  submitted: 0,
  counted: 0,
  statuses: {},
  exposed: 0,
  lost: 0,
  replayed: 0,
  seen: 0,
};

/** Kills by plan until the campaign has ended; returns the fault if it does not. */
async function harass(
  ground: ChaosGround,
  name: string,
  options: ChaosOptions,
  kills: Kill[],
): Promise<string[]> {
  const deadline = Date.now() + options.limitSeconds * 1000;
  let phases = 0;
  for (const planned of [...planOf(options), null]) {
    let now: Progress;
    for (;;) {
      options.signal.throwIfAborted();
      now = await progressOf(ground, name);
      if (now.state !== null && isEnded(now.state)) return endedAs(now);
      if (Date.now() > deadline)
        return [`the campaign did not end within ${options.limitSeconds} s: ${now.state ?? 'not there'}`];
      if (planned !== null && now.phases > phases && now.ended >= planned.afterTrials) break;
      await sleep(200);
    }
    await sleep(planned.delayMs);
    const at = Date.now();
    await strike(ground, planned);
    kills.push({ kind: planned.kind, at, upAt: Date.now(), phases: now.phases - phases });
    ({ phases } = await progressOf(ground, name));
    const took = ((Date.now() - at) / 1000).toFixed(1);
    options.say(
      `seed ${options.seed}: ${now.ended} trials ended, ${planned.kind} killed, up again after ${took} s`,
    );
  }
  return [];
}

function endedAs({ state, reason }: Progress): string[] {
  return state === 'finished'
    ? []
    : [`the campaign ended as ${state ?? 'nothing'}: ${reason ?? 'no reason'}`];
}

/** Kills one process (a server with its group), pauses, and has it again on the same data and ports. */
async function strike(ground: ChaosGround, { kind, pauseMs, worker }: Planned): Promise<void> {
  if (kind === 'worker') {
    const struck = ground.workers[worker % ground.workers.length];
    await struck?.end('SIGKILL');
    await sleep(pauseMs);
    await struck?.start();
    return;
  }
  const server = kind === 'store' ? ground.store : ground.temporal;
  await server.kill();
  await sleep(pauseMs);
  await server.restart();
}

/** The kinds in turn, in random order; the moments are spread over the whole campaign. */
function planOf({ seed, kills, trials }: ChaosOptions): Planned[] {
  const random = randomFrom(seed);
  const below = (bound: number): number => Math.floor(random() * bound);
  const moments = Array.from({ length: kills }, () => below(trials - 1)).sort((a, b) => a - b);
  const kinds = Array.from({ length: kills }, (_, at) => KINDS[at % KINDS.length] ?? 'worker');
  for (let at = kinds.length - 1; at > 0; at -= 1) {
    const other = below(at + 1);
    [kinds[at], kinds[other]] = [kinds[other] ?? 'worker', kinds[at] ?? 'worker'];
  }
  return kinds.map((kind, at) => ({
    kind,
    afterTrials: moments[at] ?? 0,
    delayMs: below(1500),
    pauseMs: 200 + below(2500),
    worker: below(1000),
  }));
}

/** Mulberry32: the same seed gives the same plan. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Progress {
  state: CampaignState | null;
  reason: string | null;
  ended: number;
  /** Replies, trainings, evaluations, decisions and ended trials that the store holds. */
  phases: number;
}

async function progressOf({ database }: ChaosGround, name: string): Promise<Progress> {
  const count = (collection: string, filter = {}): Promise<number> =>
    database.collection(collection).countDocuments(filter);
  const campaigns = database.collection<{ _id: string }>('campaigns');
  const [found, replies, trained, evaluated, decisions, ended] = await Promise.all([
    campaigns.findOne({ _id: name }),
    count('replies'),
    count('replicates', { trained: { $ne: null } }),
    count('replicates', { evaluated: { $ne: null } }),
    count('decisions'),
    count('trials', { status: { $ne: null } }),
  ]);
  const phases = replies + trained + evaluated + decisions + ended;
  if (found === null) return { state: null, reason: null, ended, phases };
  const { state, reason } = campaignDocument.parse(found);
  return { state, reason: textOfReason(reason), ended, phases };
}
