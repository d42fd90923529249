import type { IntervalResult } from '../../domain/decision/claim/claim.js';

/** Factor by which a frontier's spread has to be below the start's to count as quiet. */
const QUIET = 10;

/**
 * Offers a control where runs differ so little that a fixed seed beside inexact hosts would look the same; null where
 * equal seeds give equal runs, so that the equality of runs has said all there is to say.
 */
export function controlNote({ start, frontier }: IntervalResult, pool: string): string | null {
  if (pool === 'cpu' || frontier.sd === 0 || start.sd < QUIET * frontier.sd) return null;
  const ratio = Number((start.sd / frontier.sd).toPrecision(3));
  return `the frontier's runs differ ${ratio} times less than the start's, as an honest recipe's can, and as those of one that fixes its seed do where hosts do not compute alike from run to run; a control could tell: 4 runs of it under one repeated seed beside 4 under different seeds, F = variance between seeds / variance under one seed, and below 2 its spread does not depend on the seed (seen in 71 % of the cases where that is so; wrongly in 0.5 % of honest recipes whose runs differ 10 times more between seeds than under one, in 12 % where it is 3 times); there is no command for it yet`;
}
