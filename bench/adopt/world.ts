import { RandomStream } from './random-stream.js';
import { MIXES, type EffectMix, type Scenario } from './scenarios.js';

/** The truth about a recipe; scores are costs. */
export interface SimulatedRecipe {
  score: number;
  /** Run-to-run standard deviation. */
  sd: number;
}

/** The proposal that makes the one large gain of `huge`; those before it do nothing. */
export const HUGE_PROPOSAL = 3;
const HUGE_GAIN_SD = 24;
const HUGE_QUIETER = 47;
const FLOOR_SD = 20;
const FAMILY_SHARE = 0.08;
const FAMILY_LOUDEST = 7;
const FAMILY_RATIO = 50;
const HOSTS = 3;
const HOST_OFFSET_SD = 0.5;
const HOST_DRIFT_SD = 0.02;

interface Proposal {
  effect: number;
  /** Factor of the start's noise with which it begins another family; null where it stays in its parent's. */
  family: number | null;
}

/**
 * One repetition of a scenario. Two worlds of the same scenario and repetition make the same proposals and, run for
 * run, the same noise, so that rules are compared in pairs.
 */
export class SimulatedWorld {
  readonly start: SimulatedRecipe;
  /** Gain that does not count as the search's: that of the one large early edit of `huge`. */
  readonly givenGain: number;
  private readonly proposals: readonly Proposal[];
  private readonly noise: RandomStream;
  private readonly hosts: number[];

  /** @param proposals how many proposals it can make */
  constructor(
    private readonly scenario: Scenario,
    repetition: number,
    proposals: number,
  ) {
    const { name, sd, kind, mix } = scenario;
    const drawn = new RandomStream(`${name}/${repetition}/proposals`);
    const huge = kind === 'huge';
    this.start = { score: 0, sd: huge ? HUGE_QUIETER * sd : sd };
    this.givenGain = huge ? HUGE_GAIN_SD * this.start.sd : 0;
    this.hosts = Array.from({ length: HOSTS }, () => HOST_OFFSET_SD * sd * drawn.normal());
    this.proposals = Array.from({ length: proposals }, (_, i) => {
      const effect = effectOf(MIXES[mix], drawn);
      const [changes, size] = [drawn.uniform() < FAMILY_SHARE, drawn.uniform()];
      return {
        effect: huge && i < HUGE_PROPOSAL ? 0 : effect,
        family: kind === 'family' && changes ? FAMILY_LOUDEST * FAMILY_RATIO ** -size : null,
      };
    });
    this.noise = new RandomStream(`${name}/${repetition}/noise`);
  }

  /** The recipe that a proposal makes of its parent. Proposals count from 0. */
  child(parent: SimulatedRecipe, proposal: number): SimulatedRecipe {
    const made = this.proposals[proposal];
    if (made === undefined) throw new RangeError(`the world has no proposal ${proposal}`);
    const { kind, sd } = this.scenario;
    if (kind === 'huge' && proposal === HUGE_PROPOSAL) return { score: parent.score - this.givenGain, sd };
    if (kind === 'floor') {
      const floor = -FLOOR_SD * sd;
      const share = Math.exp(made.effect / (FLOOR_SD * sd));
      return { score: floor + (parent.score - floor) * share, sd: parent.sd * share };
    }
    return {
      score: parent.score + made.effect,
      sd: made.family === null ? parent.sd : this.start.sd * made.family,
    };
  }

  /** The score of one run. */
  measure({ score, sd }: SimulatedRecipe): number {
    const { kind } = this.scenario;
    if (kind === 't4') return score + sd * this.noise.heavyTailed();
    if (kind === 'hosts') return score + this.hostOffset() + sd * this.noise.normal();
    return score + sd * this.noise.normal();
  }

  private hostOffset(): number {
    this.hosts.forEach((offset, i) => {
      this.hosts[i] = offset + HOST_DRIFT_SD * this.scenario.sd * this.noise.normal();
    });
    return this.hosts[this.noise.below(HOSTS)] ?? 0;
  }
}

function effectOf({ gains, harms }: EffectMix, stream: RandomStream): number {
  const kind = stream.uniform();
  if (kind < gains.share) return -stream.exponential(gains.mean);
  return kind < gains.share + harms.share ? stream.exponential(harms.mean) : 0;
}
