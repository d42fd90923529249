import type { DeterministicResult, IntervalResult } from '../../domain/decision/claim/claim.js';
import type { ClaimView } from './claim-view.js';

/** Rounds to three digits, as all numbers of a claim are told. */
const number = (value: number): string => Number(value.toPrecision(3)).toString();

const percent = (share: number, digits: number): string => `${Number((100 * share).toPrecision(digits))} %`;

/** The one sentence that stands beside every score: what is claimed, and with which error rate where one holds. */
export function claimRemark(claim: ClaimView, unit: string): string {
  const { state, runs, trial, reason } = claim;
  const nothing = 'what is adopted is not claimed';
  if (state === 'due')
    return `${nothing}: at the end the start and the frontier are measured ${runs === 1 ? 'once each' : `${runs} times each on fresh seeds`}`;
  if (state === 'measuring')
    return `${nothing} yet: ${runs === 1 ? 'a fresh run' : `${runs} fresh runs`} of the start and ${trial ?? ''} each ${runs === 1 ? 'is' : 'are'} under way`;
  if (claim.kind === undefined) return `nothing is claimed: ${reason ?? ''}`;
  return claim.kind === 'interval' ? intervalRemark(claim, unit) : deterministicRemark(claim, unit);
}

function intervalRemark(claim: ClaimView & IntervalResult, unit: string): string {
  const { runs, confidence, error, trial, difference, interval, gained } = claim;
  const measured =
    `${trial ?? ''} against the start on ${runs} fresh seeds each: ${number(difference)} ${unit}`.trim();
  const between = `${percent(confidence, 6)} interval ${number(interval[0])} to ${number(interval[1])}`;
  const said = `${gained ? 'claimed' : 'no gain is claimed'}: ${measured}, ${between}`;
  if (error === null)
    return `${said}; the seeds are fresh, but the data is that ${selected(claim)}: the interval covers the noise of runs, not this selection`;
  return gained
    ? `${said}; a search without any gain claims one with a probability of at most ${percent(error, 3)}`
    : said;
}

const selected = ({ decided }: ClaimView): string =>
  `on which the search has selected${decided === null ? '' : decided === 1 ? ' once' : ` ${decided} times`}`;

function deterministicRemark(claim: ClaimView & DeterministicResult, unit: string): string {
  const { because, better, runs, trial, difference, data } = claim;
  const gain = better ? '' : ', no gain';
  const measured = `${trial ?? ''} against the start: ${number(difference)} ${unit}`.trim();
  const fresh = data === 'claim' ? 'on data that the search has not used' : `on the data ${selected(claim)}`;
  if (because === 'declared') return `one deterministic measurement${gain}: ${measured}; ${fresh}`;
  return because === 'seed-fixed'
    ? `one deterministic measurement (seed-fixed), no interval${gain}: ${measured}; its ${runs} fresh runs do not depend on the seed, as those of the start do, and count as one; ${fresh}`
    : `no interval${gain}: ${measured}; none of the ${runs} fresh runs of either scored otherwise than the rest; ${fresh}`;
}
