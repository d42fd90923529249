import type { ClaimResult } from '../domain/decision/claim.js';
import { trialLabel } from '../domain/keys.js';
import { ENDED_BEFORE } from '../lineage/claims.js';
import type { ClaimDocument } from '../lineage/decision-documents.js';
import type { CampaignDocument } from '../lineage/documents.js';
import { isEnded } from '../domain/statuses.js';

/** What a campaign claims to have gained, in the unit of the metric. */
export interface ClaimView extends Partial<ClaimResult> {
  /**
   * none: nothing was or will be measured; due: at the end of the search; measuring; measured; void: measured, but it
   * proves nothing.
   */
  state: 'none' | 'due' | 'measuring' | 'measured' | 'void';
  /** Fresh runs of the start and of the frontier each. */
  runs: number;
  /** Of the interval; what is claimed at several milestones shares the campaign's error. */
  confidence: number;
  /** Most of the probability that a campaign without any gain claims one, at whichever milestone. */
  error: number;
  /** The frontier that was measured. */
  trial: string | null;
  /** Why nothing is claimed; null otherwise. */
  reason: string | null;
}

/** Of several claims the last that was measured stands, once no later one is under way. */
export function claimView(
  { frozen, state }: Pick<CampaignDocument, 'frozen' | 'state'>,
  claims: readonly ClaimDocument[],
): ClaimView {
  const { runs, confidence, error } = frozen.claim;
  const base = { runs, confidence, error: error / 2, trial: null, reason: null };
  const last = claims.at(-1);
  const claim =
    last?.closedAt === null && !isEnded(state)
      ? last
      : (claims.findLast(({ result }) => result !== null) ?? last);
  if (claim === undefined) {
    if (runs === 0) return { ...base, state: 'none', reason: whyNoClaim(frozen) };
    if (!isEnded(state)) return { ...base, state: 'due' };
    return { ...base, state: 'none', reason: 'the search found nothing to claim, or was stopped' };
  }
  const of = { ...base, trial: trialLabel(claim.frontier), runs: claim.runs, confidence: claim.confidence };
  if (claim.result !== null) return { ...of, state: 'measured', ...claim.result };
  if (claim.closedAt !== null || isEnded(state))
    return { ...of, state: 'void', reason: claim.void ?? ENDED_BEFORE };
  return { ...of, state: 'measuring' };
}

/** Says of a campaign without claims what its scores are worth. */
function whyNoClaim({ submission, submissionRuns, calibration }: CampaignDocument['frozen']): string {
  if (submission === null) return 'the campaign makes no claim';
  if (submissionRuns !== null)
    return `the start and the trial are measured ${submissionRuns} times each, fixed in advance, and \`assay show\` gives their difference with its interval`;
  return calibration > 1
    ? 'a single run of a trial proves nothing; `assay submit … --runs N` measures both sides N times'
    : 'one run of each proves nothing; `assay submit … --runs N` measures both sides again, N times each';
}

/** The one sentence that stands beside every score: what is claimed, with its error rate. */
export function claimRemark(
  { state, runs, confidence, error, trial, reason, difference, interval, gained }: ClaimView,
  unit: string,
): string {
  const nothing = 'what is adopted is not claimed';
  if (state === 'due')
    return `${nothing}: at the end the start and the frontier are measured ${runs} times each on fresh seeds`;
  if (state === 'measuring')
    return `${nothing} yet: ${runs} fresh runs of the start and ${trial ?? ''} each are under way`;
  if (state === 'void') return `nothing is claimed: ${reason ?? ''}`;
  if (state === 'none' || difference === undefined || interval === undefined)
    return `nothing is claimed: ${reason ?? ''}`;
  const number = (value: number): string => Number(value.toPrecision(3)).toString();
  const measured =
    `${trial ?? ''} against the start on ${runs} fresh seeds each: ${number(difference)} ${unit}`.trim();
  const between = `${Number((confidence * 100).toPrecision(6))} % interval ${number(interval[0])} to ${number(interval[1])}`;
  return gained === true
    ? `claimed: ${measured}, ${between}; a search without any gain claims one with a probability of at most ${Number((100 * error).toPrecision(3))} %`
    : `no gain is claimed: ${measured}, ${between}`;
}
