import { SimulatedWorld, type SimulatedRecipe } from './world.js';
import type { Scenario } from './scenarios.js';

/** The start's number as a trial. */
export const START_TRIAL = 0;

/** A trial that awaits its verdict. */
export interface SimulatedCandidate {
  trial: number;
  parent: number;
  frontier: number;
  /** Costs of its runs so far, in their order. */
  scores: readonly number[];
  /** Parents of the other trials in flight, ascending, each once. */
  open: readonly number[];
  /** Runs of the campaign so far, these included. */
  runs: number;
  /** True while one more run of it can be made. */
  mayRepeat: boolean;
}

export type SimulatedVerdict = 'adopt' | 'discard' | 'again';

/** An adopt rule as a simulated campaign uses it; it lives for one campaign. */
export interface SimulatedRule {
  /** Runs of the start before the search. */
  readonly calibration: number;
  begin(scores: readonly number[]): void;
  judge(candidate: SimulatedCandidate): SimulatedVerdict;
  /** The believed score of the frontier. */
  believed(frontier: number): number;
}

/** Outcome of a rule in one campaign; gains are in the metric's unit, over the start and what the world gives. */
export interface CampaignOutcome {
  /** True gain of the frontier. */
  gain: number;
  /** The gain that the rule believes in. */
  own: number;
  adopted: number;
  /** Adopted edits whose true score is no better than that of the frontier they replaced. */
  notBetter: number;
}

interface Flight {
  trial: number;
  parent: number;
  recipe: SimulatedRecipe;
}

/** Runs one campaign of a rule until its runs are used up. */
export function runCampaign(
  rule: SimulatedRule,
  { scenario, repetition, runs: limit }: { scenario: Scenario; repetition: number; runs: number },
): CampaignOutcome {
  const world = new SimulatedWorld(scenario, repetition, limit + scenario.lanes);
  rule.begin(Array.from({ length: rule.calibration }, () => world.measure(world.start)));
  let frontier: Flight = { trial: START_TRIAL, parent: START_TRIAL, recipe: world.start };
  let runs = rule.calibration;
  let proposals = 0;
  const came = { adopted: 0, notBetter: 0 };
  const flights: Flight[] = [];
  while (runs < limit) {
    while (flights.length < scenario.lanes) {
      const recipe = world.child(frontier.recipe, proposals);
      proposals += 1;
      flights.push({ trial: proposals, parent: frontier.trial, recipe });
    }
    const flight = flights.shift();
    if (flight === undefined) break;
    const open = [...new Set(flights.map(({ parent }) => parent))].sort((a, b) => a - b);
    const scores: number[] = [];
    let verdict: SimulatedVerdict;
    do {
      scores.push(world.measure(flight.recipe));
      runs += 1;
      const { trial, parent } = flight;
      const mayRepeat = runs < limit;
      verdict = rule.judge({ trial, parent, frontier: frontier.trial, scores, open, runs, mayRepeat });
    } while (verdict === 'again');
    if (verdict === 'discard') continue;
    came.adopted += 1;
    if (flight.recipe.score >= frontier.recipe.score) came.notBetter += 1;
    frontier = flight;
  }
  return {
    ...came,
    gain: world.start.score - frontier.recipe.score - world.givenGain,
    own: world.start.score - rule.believed(frontier.trial) - world.givenGain,
  };
}
