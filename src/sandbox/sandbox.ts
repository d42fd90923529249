import { AssayError } from '../domain/errors.js';
import {
  isWeaker,
  TIER_NAMES,
  tierNameSchema,
  type Isolation,
  type TierName,
} from '../domain/task/isolation.js';
import { findBubblewrap } from './tiers/bubblewrap.js';
import { PrivateRoots, type PrivateLaunch } from './private-root/roots.js';
import {
  CACHE_PATH,
  type Limits,
  type RunRequest,
  type RunResult,
  type Sandbox,
  type Served,
} from './run.js';
import { limited, withLockedMemory } from './process/shell.js';
import { supervise, type Supervision } from './supervision/supervise.js';
import { deviceVariables, filesForDevices, heldWithDevices } from './tiers/device-access.js';
import type { Tier } from './tiers/tier.js';
import { TIERS, type Needed } from './tiers/tiers.js';

export type * from './run.js';
export { sweepOrphans, type StrayRuns } from './process/process-table.js';

/** Sandbox to open, and what its runs will need. */
export interface Wanted {
  /** This very tier, never a weaker one. */
  tier?: TierName;
  /** Paths that every run must be able to read. */
  needed?: Needed;
  /** A folder that roots for servers are kept in between workers; without it they share the host's. */
  cache?: string;
}

const nothing: Needed = () => Promise.resolve([]);

/**
 * Opens the strongest sandbox that really works here, by probes that try what must not be possible. `ASSAY_TIER` in
 * the environment decides where no tier is asked for.
 * @throws AssayError PLATFORM_UNSUPPORTED when the tier that is asked for does not work; HOST_FAULT when a tier could
 * not be tried, so that it is not known whether a weaker one would do. Neither ever gives a weaker one instead
 */
export async function openSandbox({ tier: named, needed = nothing, cache }: Wanted = {}): Promise<Sandbox> {
  const asked = named ?? tierFromEnvironment();
  for (const { name, probe } of TIERS) {
    if (asked !== undefined && name !== asked) continue;
    const found = await probe(needed);
    if (found.tier !== null) return new TieredSandbox(found.tier, cache ?? null);
    const { why, remedy } = found;
    if (found.failed === true)
      throw new AssayError('HOST_FAULT', `it is not known whether isolation tier ${name} holds: ${why}`, {
        remedy: asked === undefined ? `${remedy} ${orWeaker(name)}` : remedy,
      });
    if (asked !== undefined)
      throw new AssayError('PLATFORM_UNSUPPORTED', `isolation tier ${name} is unavailable: ${why}`, {
        remedy,
      });
  }
  throw new AssayError('INTERNAL', 'no tier holds here');
}

/** Way on for a person who may do without a tier. */
function orWeaker(tier: TierName): string {
  const weaker = TIER_NAMES.filter((name) => isWeaker(name, tier));
  return `ASSAY_TIER asks for a weaker tier (${weaker.join(', ')}).`;
}

/** Result of trying a tier on this machine, for people. */
export interface TierFinding {
  tier: TierName;
  /** Missing part; null where the tier holds. */
  why: string | null;
  remedy: string | null;
  /** True where it could not be found out whether it holds. */
  failed: boolean;
}

/** Tries every tier, from the strongest to the first that holds (or all of them). */
export async function surveyTiers({
  needed = nothing,
  all = false,
}: { needed?: Needed; all?: boolean } = {}): Promise<TierFinding[]> {
  const findings: TierFinding[] = [];
  for (const { name, probe } of TIERS) {
    const found = await probe(needed);
    if (found.tier === null)
      findings.push({ tier: name, why: found.why, remedy: found.remedy, failed: found.failed === true });
    else findings.push({ tier: name, why: null, remedy: null, failed: false });
    if ((found.tier !== null || found.failed === true) && !all) break;
  }
  return findings;
}

/**
 * Surveys how closed the channels of servers are on this machine (docs/security.md), by giving one a root of its own.
 */
export async function surveyRoots(
  cache: string,
): Promise<{ channels: Isolation['channels']; why: string | null }> {
  const found = await findBubblewrap();
  if (!('bubblewrap' in found)) return { channels: 'open', why: found.why };
  return new PrivateRoots(found.bubblewrap, cache).survey({ paths: [], folders: [] });
}

function tierFromEnvironment(): TierName | undefined {
  const asked = process.env['ASSAY_TIER'];
  if (asked === undefined || asked === '') return undefined;
  const parsed = tierNameSchema.safeParse(asked);
  if (parsed.success) return parsed.data;
  throw new AssayError('USAGE', `ASSAY_TIER is "${asked}"; tiers are ${TIER_NAMES.join(', ')}`);
}

class TieredSandbox implements Sandbox {
  readonly #tier: Tier;
  readonly #roots: PrivateRoots | null;

  constructor(tier: Tier, cache: string | null) {
    this.#tier = tier;
    const { bubblewrap } = tier;
    this.#roots = bubblewrap === null || cache === null ? null : new PrivateRoots(bubblewrap, cache);
  }

  get isolation(): Sandbox['isolation'] {
    return this.#tier.isolation;
  }

  async run(request: RunRequest): Promise<RunResult> {
    if (request.signal.aborted) return neverStarted(this.isolation);
    return (await this.#start(request, 'joined')).done;
  }

  serve(request: RunRequest): Promise<Served> {
    return this.#start(request, 'apart');
  }

  async #start(asked: RunRequest, stderr: 'joined' | 'apart'): Promise<Supervision> {
    const request = this.#withCache({ ...asked, env: { ...asked.env, ...deviceVariables(asked) } });
    const shell = limited(request.command, request.limits, stderr, this.#tier.threads(request.limits));
    const { launch, channels } = await this.#launch(request, shell);
    const log = stderr === 'joined' ? 'stdout' : 'stderr';
    const isolation = heldWithDevices({ ...this.isolation, channels }, request);
    return supervise({ launch: withLockedMemory(launch), request, isolation, log, extra: 0 });
  }

  /** Tells a run where its cache is, and lets it write there. */
  #withCache(request: RunRequest): RunRequest {
    const { cache, env, writable } = request;
    if (cache === undefined) return request;
    const place = this.#tier.bubblewrap === null ? cache.folder : CACHE_PATH;
    return { ...request, writable: [...writable, cache.folder], env: { ...env, ASSAY_CACHE: place } };
  }

  /** Applies this tier's hold to a launch, and releases what the launch took when the tier cannot hold it. */
  async #held(own: PrivateLaunch, limits: Limits): Promise<PrivateLaunch> {
    try {
      return { ...own, launch: this.#tier.hold(own.launch, withRoot(limits, own)) };
    } catch (error) {
      await own.launch.hold?.end();
      throw error;
    }
  }

  async #launch({ runtime, ...request }: RunRequest, shell: string): Promise<PrivateLaunch> {
    const open = { channels: this.isolation.channels, rootBytes: 0 };
    if (runtime === undefined) return { ...open, launch: await this.#tier.launch(request, shell) };
    const paths = [...runtime.paths, ...filesForDevices(request)];
    const own = await this.#roots?.launch({ ...request, runtime: { ...runtime, paths } }, shell);
    if (own !== undefined && 'launch' in own) return this.#held(own, request.limits);
    const readable = [...runtime.folders, ...request.readable];
    return { ...open, launch: await this.#tier.launch({ ...request, readable }, shell) };
  }
}

const withRoot = (limits: Limits, { rootBytes }: PrivateLaunch): Limits => ({
  ...limits,
  memoryBytes: limits.memoryBytes + rootBytes,
});

function neverStarted(isolation: Sandbox['isolation']): RunResult {
  const nothing = { wallMs: 0, hostSpeed: null, cpuS: null, load: 0, peakRssBytes: 0, log: '', logBytes: 0 };
  return { ending: { kind: 'cancelled' }, startedAt: new Date(), ...nothing, isolation };
}
