import { isDeepStrictEqual } from 'node:util';
import { differences } from '../../domain/decision/records/recompute.js';
import { START, trialKey, trialLabel } from '../../domain/keys.js';
import { labelsOf } from '../../domain/trial/labels.js';
import { weightsAfter } from '../../domain/decision/belief/effect-learning.js';
import { beliefIn } from '../../domain/decision/v1/record.js';
import type { DecisionDocument, DecisionV1Document } from '../../lineage/documents/decision.js';
import { decisionOn } from '../../lineage/decisions/decisions.js';
import { decisionV1On } from '../../lineage/decisions/decisions-v1.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import { metricsOf } from '../../lineage/trials/replicates.js';
import { wrongClaim } from './claims.js';
import { Finder, type CampaignFacts, type Checked } from './facts.js';

/**
 * Each decision recomputes identically from its stored inputs, those inputs exist and follow from the decisions before
 * it, and its trial obeys it.
 */
export function checkDecisions({ store }: CampaignFacts): Checked {
  const { campaign, decisions, trials } = store;
  const finder = new Finder(campaign._id);
  finder.malformed(decisions, store.claims);
  const replicates = new Map(store.replicates.documents.map((each) => [each._id, each]));
  const trialsByNumber = new Map(trials.documents.map((trial) => [trial.number, trial]));
  const ordered = [...decisions.documents].sort((a, b) => a.sequence - b.sequence);
  let inputs = 0;
  ordered.forEach((decision, at) => {
    inputs += decision.inputs.replicates.length + (decision.inputs.frontier === null ? 0 : 1);
    for (const wrong of [
      ...remade(decision),
      ...wrongMeasurements(decision, replicates),
      ...wrongTerms(decision, campaign, trialsByNumber.get(decision.trial)),
      ...(decisions.malformed.length > 0 ? [] : wrongPlace(decision, ordered.slice(0, at))),
    ])
      finder.say(aboutOf(decision), wrong);
  });
  const made = new Map(decisions.documents.map((each) => [each.decides, each]));
  if (decisions.malformed.length === 0)
    for (const trial of trials.documents) {
      const wrong = disobeyed(trial, made.get(trialKey(trial.owner, trial.number)));
      if (wrong !== null) finder.say(trialLabel(trial.number), wrong);
    }
  for (const claim of store.claims.documents)
    for (const wrong of wrongClaim(claim, store, ordered)) finder.say(`claim ${claim.number}`, wrong);
  return {
    examined: { decisions: decisions.documents.length, inputs, claims: store.claims.documents.length },
    notExamined: [],
    violations: finder.violations,
  };
}

/**
 * Lists what does not follow from a decision's inputs: the verdict, and the frontier, knowledge and beliefs that it
 * leaves.
 */
function remade(decision: DecisionDocument): string[] {
  const { at } = decision;
  const before = { sequence: decision.sequence - 1 };
  const made =
    decision.version === 1
      ? decisionV1On(decision, decision.inputs, before)
      : decisionOn(decision, decision.inputs, before);
  return differences({ ...made, at }, decision);
}

/** It is by the campaign's rule, and says of its trial what the trial says of itself. */
function wrongTerms(
  decision: DecisionDocument,
  { frozen }: CampaignDocument,
  trial: TrialDocument | undefined,
): string[] {
  const wrong: string[] = [];
  if (decision.rule !== frozen.rule || decision.version !== frozen.ruleVersion)
    wrong.push(
      `it is by version ${decision.version} of the rule ${decision.rule}, the campaign by version ${frozen.ruleVersion} of ${frozen.rule}`,
    );
  if (decision.version === 1 || trial === undefined) return wrong;
  const { parent, alike, seedOnly } = decision.inputs;
  if (parent !== trial.parent)
    wrong.push(`its parent is stored as ${String(parent)}, the trial's is ${String(trial.parent)}`);
  const decided = trial.outcome !== null && trial.outcome.decision === decision._id;
  if (decided && !isDeepStrictEqual(labelsOf({ alike, seedOnly }), trial.outcome?.labels))
    wrong.push('the labels of its trial are not those that it was decided by');
  return wrong;
}

const aboutOf = ({ trial }: DecisionDocument): string => `decision on ${trialLabel(trial)}`;

/** Its scores have to be those that were measured, in their order. */
function wrongMeasurements(
  { inputs }: DecisionDocument,
  replicates: ReadonlyMap<string, ReplicateDocument>,
): string[] {
  const { scores, metric } = inputs;
  const missing = inputs.replicates.filter((key) => !replicates.has(key));
  if (missing.length > 0) return missing.map((key) => `the measurement ${key} is not in the store`);
  const measured = inputs.replicates
    .flatMap((key) => replicates.get(key) ?? [])
    .filter(({ evaluated }) => evaluated !== null)
    .flatMap((replicate) => metricsOf(replicate)[metric] ?? []);
  if (measured.length === 0) return ['none of its measurements has been evaluated'];
  const same = measured.length === scores.length && measured.every((value, i) => value === scores[i]);
  return same ? [] : [`it uses ${metric} ${scores.join(', ')}, and ${measured.join(', ')} was measured`];
}

/** Compares what a decision knew before with what the decisions before it left. */
function wrongPlace(decision: DecisionDocument, before: readonly DecisionDocument[]): string[] {
  const { sequence, inputs } = decision;
  const last = before.at(-1);
  const wrong: string[] = [];
  if (sequence !== before.length + 1)
    wrong.push(`its place in the sequence is ${sequence}, and ${before.length} are before it`);
  if (!isDeepStrictEqual(inputs.frontier, last?.frontier ?? null))
    wrong.push('it was compared with another frontier than the decision before it has left');
  if (!isDeepStrictEqual(inputs.knowledge, knowledgeBefore(before)))
    wrong.push('what it knew of noise and effects is not what the decisions before it have left');
  if (last !== undefined && last.version !== decision.version)
    wrong.push(`it is by version ${decision.version} of the rules, and the one before it by ${last.version}`);
  return decision.version === 1 ? [...wrong, ...wrongBeliefsV1(decision, before)] : wrong;
}

function wrongBeliefsV1({ inputs }: DecisionV1Document, before: readonly DecisionDocument[]): string[] {
  const { parent, frontierNode, frontier } = inputs;
  const wrong: string[] = [];
  if (parent !== null && !isDeepStrictEqual(nodeOf(parent), beliefAfterV1(before, parent.trial)))
    wrong.push(
      `what it believed of ${trialLabel(parent.trial)} is not what the decisions before it have left`,
    );
  if (
    frontierNode !== null &&
    !isDeepStrictEqual(frontierNode, beliefAfterV1(before, frontier?.trial ?? null))
  )
    wrong.push('what it believed of the frontier is not what the decisions before it have left');
  return wrong;
}

const nodeOf = ({ mean, variance }: { mean: number; variance: number }) => ({ mean, variance });

function knowledgeBefore(before: readonly DecisionDocument[]): DecisionDocument['knowledge'] | null {
  const last = before.at(-1);
  return last === undefined ? null : { ...last.knowledge, weights: weightsAfter(last, before) };
}

/** The last that any of them says of a trial's true score. */
function beliefAfterV1(
  before: readonly DecisionDocument[],
  trial: number | null,
): { mean: number; variance: number } | null {
  const found = before.findLast((one) => one.version === 1 && trial !== null && one.touches.includes(trial));
  return found?.version !== 1 || trial === null ? null : beliefIn(found, trial);
}

/** A decision may be there before its trial's status, never the other way round. */
function disobeyed(
  { number, status, outcome }: TrialDocument,
  decision: DecisionDocument | undefined,
): string | null {
  if (status === null || outcome === null) return null;
  // a hopeless run that was ended early is discarded without a score, so that there is nothing to decide
  const decided = status === 'keep' || (status === 'discard' && outcome.failure === null);
  if (decision === undefined) return decided ? `it is ${status}, and no decision says so` : null;
  // a start that missed a gate may have been accepted by a person
  if (!decided && !(number === START && !decision.frontier.eligible))
    return `it is ${status}, and there is a decision on it`;
  if (!decided) return null;
  if (decision.result.adopt !== (status === 'keep'))
    return `it is ${status}, and its decision says adopt: ${decision.result.adopt}`;
  if (outcome.decision !== decision._id) return 'its outcome names another decision';
  return outcome.score === decision.inputs.score ? null : 'its score is not the one that was decided on';
}
