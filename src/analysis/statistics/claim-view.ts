import type { ClaimResult } from '../../domain/decision/claim/claim.js';
import { trialLabel } from '../../domain/keys.js';
import { isEnded } from '../../domain/statuses.js';
import type { Task } from '../../domain/task/task.js';
import { ENDED_BEFORE } from '../../lineage/decisions/claims.js';
import type { ClaimDocument } from '../../lineage/documents/claim.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import { controlNote } from './seed-control.js';

interface ClaimTerms {
  /**
   * none: nothing was or will be measured; due: at the end of the search; measuring; measured; void: measured, but it
   * proves nothing.
   */
  state: 'none' | 'due' | 'measuring' | 'measured' | 'void';
  /** Fresh runs of the start and of the frontier each. */
  runs: number;
  /**
   * Confidence of the interval; claims at several milestones share the campaign's error. null: there is no interval.
   */
  confidence: number | null;
  /** Most of the probability that a campaign without any gain claims one, at whichever milestone; null: not known. */
  error: number | null;
  /** Reason why no error rate is stated; null where one is. */
  errorReason: string | null;
  /** claim: data that the search never uses; search: what it selects on. */
  data: 'claim' | 'search';
  /** Candidates that the search had decided on, on its data, before the claim; null where that is not known. */
  decided: number | null;
  /** The frontier that was measured. */
  trial: string | null;
  /** Reason why nothing is claimed; null otherwise. */
  reason: string | null;
  /** A control that could be measured besides, and what it would tell; null where nothing is offered. */
  note: string | null;
}

/** The gain that a campaign claims, in the unit of the metric; what was measured only where it was. */
export type ClaimView = ClaimTerms & ({ kind?: undefined } | ClaimResult);

const ERROR_REASONS = {
  deterministic: 'without noise from run to run there is no interval that could have an error rate',
  search: 'the interval covers the noise of runs, not the selection on the data that it is measured on',
};

/** Chooses the last measured of several claims, unless a later one is under way. */
export function claimView(
  { frozen, state }: Pick<CampaignDocument, 'frozen' | 'state'>,
  claims: readonly ClaimDocument[],
  { data: parts }: Pick<Task, 'data'>,
): ClaimView {
  const { runs, confidence, deterministic } = frozen.claim;
  const data = parts?.claim === undefined ? 'search' : 'claim';
  const errorReason = deterministic ? ERROR_REASONS.deterministic : errorReasonOf(data);
  const base = {
    runs,
    confidence: deterministic ? null : confidence,
    error: errorReason === null ? frozen.claim.error / 2 : null,
    errorReason,
    data,
    ...{ decided: null, trial: null, reason: null, note: null },
  } as const;
  const claim = claimToShow(claims, state);
  if (claim === undefined) {
    if (runs === 0) return { ...base, state: 'none', reason: whyNoClaim(frozen) };
    if (!isEnded(state)) return { ...base, state: 'due' };
    return { ...base, state: 'none', reason: 'the search found nothing to claim, or was stopped' };
  }
  const { result, decided } = claim;
  const of = { ...base, trial: trialLabel(claim.frontier), runs: claim.runs, decided };
  if (result !== null) return { ...of, state: 'measured', ...measured(result, frozen.pool) };
  if (claim.closedAt !== null || isEnded(state))
    return { ...of, state: 'void', reason: claim.void ?? ENDED_BEFORE };
  return { ...of, state: 'measuring' };
}

/** Says of a campaign without claims what its scores are worth. */
function whyNoClaim({ submission, submissionRuns, calibration, claim }: CampaignDocument['frozen']): string {
  if (submission === null) return 'the campaign makes no claim';
  if (claim.deterministic) return 'one deterministic measurement of each, on what a search selects by';
  if (submissionRuns !== null)
    return `the start and the trial are measured ${submissionRuns} times each, fixed in advance, and \`assay show\` gives their difference with its interval`;
  return calibration > 1
    ? 'a single run of a trial proves nothing; `assay submit … --runs N` measures both sides N times'
    : 'one run of each proves nothing; `assay submit … --runs N` measures both sides again, N times each';
}

function claimToShow(
  claims: readonly ClaimDocument[],
  state: CampaignDocument['state'],
): ClaimDocument | undefined {
  const last = claims.at(-1);
  return last?.closedAt === null && !isEnded(state)
    ? last
    : (claims.findLast(({ result }) => result !== null) ?? last);
}

const errorReasonOf = (data: ClaimTerms['data']): string | null =>
  data === 'search' ? ERROR_REASONS.search : null;

function measured(result: ClaimResult, pool: string) {
  return result.kind === 'interval'
    ? { ...result, note: controlNote(result, pool) }
    : { ...result, confidence: null, error: null, errorReason: ERROR_REASONS.deterministic };
}
