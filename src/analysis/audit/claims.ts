import { claimDifferences } from '../../domain/decision/records/recompute.js';
import { START, trialLabel } from '../../domain/keys.js';
import type { ClaimDocument } from '../../lineage/documents/claim.js';
import type { DecisionDocument } from '../../lineage/documents/decision.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import { seededRuns } from '../../lineage/trials/replicates.js';
import type { StoreFacts } from './facts.js';

/**
 * Lists what contradicts a claim: other terms than the campaign's, another frontier than the decisions left, selected
 * runs, or numbers that do not follow.
 */
export function wrongClaim(
  claim: ClaimDocument,
  { campaign, replicates, trials }: Pick<StoreFacts, 'campaign' | 'replicates' | 'trials'>,
  decisions: readonly { frontier: Pick<DecisionDocument['frontier'], 'version' | 'trial' | 'sequence'> }[],
): string[] {
  const { frontier, version, closedAt, result } = claim;
  const adopted = decisions.find(
    (one) => one.frontier.version === version && one.frontier.trial === frontier,
  );
  const wrong = otherTerms(claim, campaign.frozen.claim);
  if (adopted === undefined) wrong.push(`no decision made ${trialLabel(frontier)} the frontier ${version}`);
  else if (claim.decided !== null) {
    // the first decision is that on the start
    const [least, most] = [adopted.frontier.sequence - 1, decisions.length - 1];
    if (claim.decided < least || claim.decided > most)
      wrong.push(`${claim.decided} candidates had been decided on before it, and not ${least} to ${most}`);
  }
  if (closedAt !== null && (result === null) === (claim.void === null))
    wrong.push('it ended with neither or both of a result and a reason for none');
  const known = new Map(replicates.documents.map((each) => [each._id, each]));
  const missing = claim.replicates.filter((key) => !known.has(key));
  wrong.push(...missing.map((key) => `the measurement ${key} is not in the store`));
  wrong.push(...evaluatedEarly(claim, known));
  if (result === null || missing.length > 0) return wrong;
  const runs = claim.replicates.flatMap((key) => known.get(key) ?? []);
  for (const { _id, purpose } of runs)
    if (purpose !== 'claim') wrong.push(`it rests on ${_id}, which was not measured for it`);
  const snapshots = new Map(trials.documents.map(({ number, snapshot }) => [number, snapshot]));
  const arm = (trial: number): ReplicateDocument[] =>
    runs.filter(({ snapshot }) => snapshot === snapshots.get(trial)).sort((a, b) => a.index - b.index);
  for (const { _id, index } of runs)
    if (Math.floor(index / claim.runs) !== claim.number)
      wrong.push(`it rests on ${_id}, a run of another claim`);
  const { metric, direction, confidence } = claim;
  const arms = {
    start: seededRuns(arm(claim.start), metric),
    frontier: seededRuns(arm(frontier), metric),
  };
  for (const [name, { length }] of Object.entries(arms))
    if (length !== claim.runs)
      wrong.push(`it rests on ${length} runs of the ${name}, ${claim.runs} were to be made`);
  const { deterministic } = campaign.frozen.claim;
  const weighed = { rule: claim.rule, deterministic, result };
  return [...wrong, ...claimDifferences({ direction, confidence, ...arms }, weighed)];
}

/**
 * Lists what was evaluated though it is not among the artifacts that were fixed when all runs had been trained.
 */
function evaluatedEarly(
  { replicates, sealed, runs }: ClaimDocument,
  known: ReadonlyMap<string, ReplicateDocument>,
): string[] {
  const wrong =
    sealed !== null && sealed.length !== 2 * runs
      ? [`${sealed.length} artifacts were sealed for it, of ${2 * runs} runs`]
      : [];
  for (const key of replicates) {
    const { trained, evaluated } = known.get(key) ?? {};
    if (evaluated == null) continue;
    const at = sealed?.find(({ replicate }) => replicate === key);
    if (at === undefined) wrong.push(`${key} was evaluated before all runs of it were trained`);
    else if (at.artifact !== trained?.artifact?.digest)
      wrong.push(`${key} was evaluated on another artifact than was sealed for it`);
  }
  return wrong;
}

function otherTerms(
  { start, runs, confidence }: ClaimDocument,
  terms: StoreFacts['campaign']['frozen']['claim'],
): string[] {
  const wrong = start === START ? [] : [`it compares with ${trialLabel(start)} instead of the start`];
  if (runs !== terms.runs) wrong.push(`it is of ${runs} runs, and the campaign's are of ${terms.runs}`);
  if (confidence !== terms.confidence)
    wrong.push(`its confidence is ${confidence}, and that of the campaign's claims ${terms.confidence}`);
  return wrong;
}
