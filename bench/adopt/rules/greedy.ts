import type { SimulatedCandidate, SimulatedRule, SimulatedVerdict } from '../campaign.js';

/** Adopts what scores better in a single run. */
export class Greedy implements SimulatedRule {
  readonly calibration = 1;
  private best = Infinity;

  begin([score = Infinity]: readonly number[]): void {
    this.best = score;
  }

  judge({ scores: [score = Infinity] }: SimulatedCandidate): SimulatedVerdict {
    if (score >= this.best) return 'discard';
    this.best = score;
    return 'adopt';
  }

  believed(): number {
    return this.best;
  }
}
