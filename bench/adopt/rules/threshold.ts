import { meanOf, NO_NOISE, sdOf, withRuns } from '../../../src/domain/decision/noise.js';
import { passesScreen, THRESHOLD_RUNS, thresholdPasses } from '../../../src/domain/decision/threshold.js';
import type { SimulatedCandidate, SimulatedRule, SimulatedVerdict } from '../campaign.js';

/** Screens a candidate by its first run and adopts it by two fresh ones, under one noise for the whole campaign. */
export class Threshold implements SimulatedRule {
  readonly calibration = 8;
  private noise = NO_NOISE;
  private reference = 0;
  private referenceRuns = 0;

  begin(scores: readonly number[]): void {
    this.noise = withRuns(NO_NOISE, scores);
    this.reference = meanOf(scores);
    this.referenceRuns = scores.length;
  }

  judge({ scores, mayRepeat }: SimulatedCandidate): SimulatedVerdict {
    const { reference, referenceRuns } = this;
    const fresh = scores.slice(1);
    const costs = { scores, fresh, reference, referenceRuns, sd: sdOf(this.noise, reference) };
    if (scores.length === 1 && !passesScreen(costs)) return 'discard';
    if (scores.length < THRESHOLD_RUNS) return mayRepeat ? 'again' : 'discard';
    this.noise = withRuns(this.noise, scores);
    if (!thresholdPasses(costs)) return 'discard';
    this.reference = meanOf(fresh);
    this.referenceRuns = fresh.length;
    return 'adopt';
  }

  believed(): number {
    return this.reference;
  }
}
