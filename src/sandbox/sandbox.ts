import { AssayError } from '../domain/errors.js';
import type { RunRequest, RunResult, Sandbox, Served } from './run.js';
import { limited } from './shell.js';
import { supervise, type Supervision } from './supervise.js';
import type { Tier } from './tier.js';
import { probeTierC } from './tierC.js';
import { tierE } from './tierE.js';

export type * from './run.js';
export { sweepStrays, type StrayRuns } from './processes.js';

/**
 * Opens the strongest sandbox that really works here: tier C where bubblewrap holds (probed once per process), else
 * tier E. `ASSAY_TIER=E` (or C) in the environment decides where no tier is asked for; a tier that is asked for
 * and does not work is PLATFORM_UNSUPPORTED, never a weaker one.
 */
export async function openSandbox(options: { tier?: 'C' | 'E' } = {}): Promise<Sandbox> {
  const asked = options.tier ?? tierFromEnvironment();
  if (asked === 'E') return new TieredSandbox(tierE);
  const { tier, why } = await probeTierC();
  if (tier !== null) return new TieredSandbox(tier);
  if (asked === 'C')
    throw new AssayError('PLATFORM_UNSUPPORTED', `isolation tier C is not to be had: ${why}`);
  return new TieredSandbox(tierE);
}

/** Why this machine has no tier C, for `assay doctor`; null when it has. */
export async function whyNotTierC(): Promise<string | null> {
  return (await probeTierC()).why;
}

function tierFromEnvironment(): 'C' | 'E' | undefined {
  const asked = process.env['ASSAY_TIER'];
  if (asked === undefined || asked === '') return undefined;
  if (asked === 'C' || asked === 'E') return asked;
  throw new AssayError('USAGE', `ASSAY_TIER is "${asked}"; tiers here are C and E`);
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
    return Promise.resolve(this.#start(request, 'apart'));
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
  return { ending: { kind: 'cancelled' }, wallMs: 0, peakRssBytes: 0, log: '', logBytes: 0, isolation };
}
