import { AssayError } from '../domain/errors.js';
import { TIER_NAMES, tierNameSchema, type TierName } from '../domain/isolation.js';
import type { RunRequest, RunResult, Sandbox, Served } from './run.js';
import { limited } from './shell.js';
import { supervise, type Supervision } from './supervise.js';
import type { Tier } from './tier.js';
import { TIERS, type Needed } from './tiers.js';

export type * from './run.js';
export { sweepStrays, type StrayRuns } from './processes.js';

/** Which sandbox to open, and what its runs will need. */
export interface Wanted {
  /** This very tier, never a weaker one. */
  tier?: TierName;
  /** Paths that every run must be able to read. */
  needed?: Needed;
}

const nothing: Needed = () => Promise.resolve([]);

/**
 * Opens the strongest sandbox that really works here, by probes that try what must not be possible. `ASSAY_TIER` in
 * the environment decides where no tier is asked for; a tier that is asked for and does not work is
 * PLATFORM_UNSUPPORTED, never a weaker one.
 */
export async function openSandbox({ tier: named, needed = nothing }: Wanted = {}): Promise<Sandbox> {
  const asked = named ?? tierFromEnvironment();
  for (const { name, probe } of TIERS) {
    if (asked !== undefined && name !== asked) continue;
    const found = await probe(needed);
    if (found.tier !== null) return new TieredSandbox(found.tier);
    if (asked !== undefined)
      throw new AssayError('PLATFORM_UNSUPPORTED', `isolation tier ${name} is not to be had: ${found.why}`, {
        remedy: found.remedy,
      });
  }
  throw new AssayError('INTERNAL', 'no tier holds here');
}

/** What a machine can hold, for people. */
export interface TierFinding {
  tier: TierName;
  /** What is missing; null where the tier holds. */
  why: string | null;
  remedy: string | null;
}

/** Tries every tier, from the strongest to the first that holds (or all of them). */
export async function surveyTiers({
  needed = nothing,
  all = false,
}: { needed?: Needed; all?: boolean } = {}): Promise<TierFinding[]> {
  const findings: TierFinding[] = [];
  for (const { name, probe } of TIERS) {
    const found = await probe(needed);
    if (found.tier === null) findings.push({ tier: name, why: found.why, remedy: found.remedy });
    else findings.push({ tier: name, why: null, remedy: null });
    if (found.tier !== null && !all) break;
  }
  return findings;
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

  constructor(tier: Tier) {
    this.#tier = tier;
  }

  get isolation(): Sandbox['isolation'] {
    return this.#tier.isolation;
  }

  async run(request: RunRequest): Promise<RunResult> {
    if (request.signal.aborted) return neverStarted(this.isolation);
    return this.#start(request, 'joined').done;
  }

  serve(request: RunRequest): Promise<Served> {
    return Promise.resolve().then(() => this.#start(request, 'apart'));
  }

  #start(request: RunRequest, stderr: 'joined' | 'apart'): Supervision {
    const shell = limited(request.command, request.limits, stderr, this.#tier.threads(request.limits));
    return supervise({
      launch: this.#tier.launch(request, shell),
      request,
      isolation: this.isolation,
      log: stderr === 'joined' ? 'stdout' : 'stderr',
      extra: 0,
    });
  }
}

function neverStarted(isolation: Sandbox['isolation']): RunResult {
  const nothing = { wallMs: 0, peakRssBytes: 0, log: '', logBytes: 0 };
  return { ending: { kind: 'cancelled' }, startedAt: new Date(), ...nothing, isolation };
}
