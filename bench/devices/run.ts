import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { trialWorkflowId } from '../../src/domain/keys.js';
import type { Lineage } from '../../src/lineage/lineage.js';
import { LeasePool } from '../../src/sandbox/host/lease.js';
import { deviceRecipe, pushDeviceTask, type SocketFolders } from '../../test/devices/device-task.js';
import { submitCode } from '../../test/bad-input/test-task.js';
import { busyShare, longestWaitS, overlaps, type BenchTrial, type Tick } from './figures.js';
import { BenchHost } from './hosts.js';

/** Share of the trials that ask for so many devices. */
export const SIZES: readonly (readonly [size: number, share: number])[] = [
  [1, 0.45],
  [2, 0.3],
  [4, 0.15],
  [8, 0.1],
];
const DEVICES = 8;
const HOSTS = ['host-a', 'host-b'];
const [SHORTEST_S, LONGEST_S] = [10, 60];
const TICK_MS = 200;

export interface DevicesBench {
  trials: number;
  /** Trials that are submitted and have not ended at the same time. */
  atOnce: number;
  /** Runs take 10 to 60 s times this. */
  scale: number;
  /** A worker of a random host is killed after every so many ended trials; 0: never. */
  killEvery: number;
  /** 0 … 1. */
  random: () => number;
  say: (line: string) => unknown;
}

/** Servers with workers that do everything but measure. */
export interface DevicesGround {
  client: Client;
  lineage: Lineage;
  /** Environment of a worker on these servers. */
  env: Record<string, string>;
}

export interface DevicesFigures {
  trials: number;
  seconds: number;
  kills: number;
  statuses: Record<string, number>;
  /** Attempts that were lost with a worker or given back. */
  infra: number;
  overlaps: number;
  /** Devices that something was left on, or that are leased, after the end. */
  leaked: number;
  longestRunS: number;
  longestWaitS: Record<string, number>;
  busyShare: number;
}

/** Runs trials of mixed sizes on two simulated hosts of eight devices, and measures how their leases were shared out. */
export async function measureDevices(ground: DevicesGround, bench: DevicesBench): Promise<DevicesFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'gpus-'));
  const hosts: BenchHost[] = [];
  try {
    for (const name of HOSTS) hosts.push(await BenchHost.open(folder, name, DEVICES, ground.env));
    await Promise.all(hosts.map((host) => host.start()));
    return await measuredOn(ground, hosts, bench);
  } finally {
    await Promise.all(hosts.map((host) => host.kill()));
    await Promise.all(hosts.map((host) => host.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

const campaignOf = (size: number): string => `x${size}`;

async function measuredOn(
  ground: DevicesGround,
  hosts: readonly BenchHost[],
  bench: DevicesBench,
): Promise<DevicesFigures> {
  const began = performance.now();
  await openCampaigns(ground, hosts);
  const watch = new LeaseWatch(hosts);
  const driver = new Driver(ground, hosts, bench);
  try {
    await driver.run();
  } finally {
    await watch.stop();
  }
  const trials = await driver.measured();
  const runsS = trials.map(({ runS }) => runS);
  const leftOn = hosts.flatMap(({ daemon }) =>
    daemon.states().filter(({ usedBytes, connections }) => usedBytes > 0 || connections > 0),
  );
  const held = await heldSlots(hosts);
  return {
    trials: trials.length,
    seconds: Math.round((performance.now() - began) / 1000),
    kills: hosts.reduce((sum, { killed }) => sum + killed, 0),
    statuses: counted(trials.map(({ status }) => status)),
    infra: await driver.infra(),
    overlaps: hosts.reduce((sum, { log }) => sum + overlaps(log).length, 0),
    leaked: leftOn.length + held.reduce((sum, count) => sum + count, 0),
    longestRunS: Math.max(...runsS),
    longestWaitS: Object.fromEntries(
      SIZES.map(([size]) => [size, Number(longestWaitS(trials, size).toFixed(1))]),
    ),
    busyShare: Number(busyShare(watch.ticks, trials, DEVICES).toFixed(3)),
  };
}

/** One campaign for each size, because a task asks for one. */
async function openCampaigns({ client, lineage }: DevicesGround, hosts: readonly BenchHost[]): Promise<void> {
  for (const [size] of SIZES) {
    const name = campaignOf(size);
    await pushDeviceTask({ lineage }, { name, sockets: socketsOf(hosts), gpus: size });
    await client.workflow.start('campaign', {
      taskQueue: 'assay',
      workflowId: name,
      args: [
        {
          ...{ task: name, model: 'silent', specialists: ['solo'], trials: 100_000, isolation: 'E' },
          trainHeartbeatSeconds: 5,
          ...{ rule: 'greedy', claim: { runs: 0 } },
        },
      ],
    });
  }
  for (const [size] of SIZES)
    for (;;) {
      const state = (await lineage.campaigns.find(campaignOf(size)))?.state;
      if (state === 'running') break;
      if (state === 'blocked') throw new Error(`${campaignOf(size)} is blocked`);
      await sleep(500);
    }
}

const socketsOf = (hosts: readonly BenchHost[]): SocketFolders =>
  Object.fromEntries(hosts.map(({ name, sockets }) => [name, sockets]));

/** Submits trials so that always as many are under way, and kills workers meanwhile. */
class Driver {
  readonly #trials: (BenchTrial & { number: number; owner: string })[] = [];
  #ended = 0;

  constructor(
    private readonly ground: DevicesGround,
    private readonly hosts: readonly BenchHost[],
    private readonly bench: DevicesBench,
  ) {}

  async run(): Promise<void> {
    let left = this.bench.trials;
    const one = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#measure(this.#size());
        this.#ended += 1;
        if (this.#ended % 20 === 0) this.bench.say(`${this.#ended} of ${this.bench.trials} trials ended`);
        if (this.bench.killEvery > 0 && this.#ended % this.bench.killEvery === 0 && left > 0)
          await this.#kill();
      }
    };
    await Promise.all(Array.from({ length: this.bench.atOnce }, one));
  }

  /** Reads from its history when each trial waited. */
  async measured(): Promise<BenchTrial[]> {
    const measured: BenchTrial[] = [];
    for (const trial of this.#trials)
      measured.push({
        ...trial,
        ...(await this.#queued(trialWorkflowId(campaignOf(trial.size), trial.number))),
      });
    return measured;
  }

  /** The first time that a training of a trial was put into a queue, and the time at which it was last taken. */
  async #queued(workflowId: string): Promise<Pick<BenchTrial, 'queuedAt' | 'takenAt'>> {
    const { events } = await this.ground.client.workflow.getHandle(workflowId).fetchHistory();
    const train = events?.find(
      ({ activityTaskScheduledEventAttributes: asked }) => asked?.activityType?.name === 'train',
    );
    const taken = events?.find(
      ({ activityTaskStartedEventAttributes: started }) =>
        started != null && String(started.scheduledEventId) === String(train?.eventId),
    );
    return {
      queuedAt: optionalTsToMs(train?.eventTime) ?? null,
      takenAt: optionalTsToMs(taken?.eventTime) ?? null,
    };
  }

  async infra(): Promise<number> {
    const faults = await Promise.all(
      this.#trials.map(async ({ owner, number }) => {
        const { replicates } = await this.ground.lineage.trials.require(owner, number);
        return (await this.ground.lineage.replicates.many(replicates)).flatMap((one) => one.faults).length;
      }),
    );
    return faults.reduce((sum, count) => sum + count, 0);
  }

  #size(): number {
    let left = this.bench.random();
    for (const [size, share] of SIZES) {
      left -= share;
      if (left < 0) return size;
    }
    return 1;
  }

  async #measure(size: number): Promise<void> {
    const { lineage, client } = this.ground;
    const { scale, random } = this.bench;
    const runS = Number((scale * (SHORTEST_S + (LONGEST_S - SHORTEST_S) * random())).toFixed(2));
    const campaign = campaignOf(size);
    const { owner } = await lineage.campaigns.byName(campaign);
    const code = deviceRecipe(socketsOf(this.hosts), 1 + random(), runS);
    const number = await submitCode({ lineage, client }, campaign, code);
    const trial = { size, runS, queuedAt: null, takenAt: null, status: '', number, owner };
    this.#trials.push(trial);
    for (;;) {
      const status = (await lineage.trials.get(owner, number))?.status ?? null;
      if (status !== null) {
        trial.status = status;
        return;
      }
      await sleep(500);
    }
  }

  async #kill(): Promise<void> {
    const host = this.hosts[Math.floor(this.bench.random() * this.hosts.length)];
    if (host === undefined) return;
    this.bench.say(`the worker of ${host.name} is killed after ${this.#ended} trials`);
    await host.killAndRestart();
  }
}

/** Looks at the leases of all hosts, five times a second. */
class LeaseWatch {
  readonly ticks: Tick[] = [];
  #over = false;
  readonly #looking: Promise<void>;

  constructor(private readonly hosts: readonly BenchHost[]) {
    this.#looking = this.#look();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (!this.#over) {
      this.ticks.push({ at: Date.now(), held: await heldSlots(this.hosts) });
      await sleep(TICK_MS);
    }
  }
}

const heldSlots = (hosts: readonly BenchHost[]): Promise<number[]> =>
  Promise.all(
    hosts.map(
      async ({ leases, names }) =>
        DEVICES - (await new LeasePool('gpu', DEVICES, leases, { names }).freeSlots()),
    ),
  );

function counted(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
