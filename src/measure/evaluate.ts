import { DOING, type WorkMonitor } from '../domain/trial/doing.js';
import { definedFields } from '../domain/defined-fields.js';
import { AssayError } from '../domain/errors.js';
import { START, trialLabel, type TrialRef } from '../domain/keys.js';
import { evaluationBoundMs } from '../domain/task/bounds.js';
import { evaluationGpus } from '../domain/task/device-needs.js';
import type { Failure } from '../domain/trial/outcome.js';
import type { Evaluated, ReplicateDocument } from '../lineage/documents/replicate.js';
import { persist } from '../lineage/persist.js';
import { withAttempt, type Attempt, type AttemptWork } from './attempt.js';
import type { HostContext } from './host-context.js';
import { heldForEvaluation } from './decision/claim-reservation.js';
import { onDevices } from './on-lease.js';
import { hostTrial, requireCalibratedBy, type HostedTrial } from './load-trial.js';
import { evaluatesThere, type Asking, type KeptElsewhere } from './elsewhere-kept.js';
import { whereabouts } from './phases/kept-outputs.js';
import { scoreArtifact, type Measurable } from './score.js';

/** `exhausted`: a limit leaves no room for its accelerator time, and a person stops the campaign. `lost`: the artifact went with its host, and has to be trained again. */
export type EvaluateResult =
  | { next: 'decide' }
  | { next: 'notStarted' }
  | { next: 'exhausted' }
  | { next: 'parked' }
  | { next: 'lost' }
  | KeptElsewhere;

/** Evaluations of one artifact that the evaluator may fail before the start's artifact says who is at fault. */
const EVALUATOR_FAULTS = 3;

/** A trained replicate to evaluate. */
export interface EvaluateRef extends TrialRef, Asking {
  replicate: string;
}

/** Scores the sealed artifact of a replicate in a turn on the host, alone where the campaign asks for that. */
export async function evaluate(
  context: HostContext,
  of: EvaluateRef,
  { signal, tell }: WorkMonitor,
): Promise<EvaluateResult> {
  const { lineage, turn } = context;
  const replicate = await lineage.replicates.get(of.replicate);
  const { hostClass: trainedBy } = replicate;
  const work = await hostTrial(context, of, { work: 'evaluate', trainedBy, signal });
  if (replicate.evaluated !== null) {
    await lineage.campaigns.endWork(of.owner, of.replicate, replicate.evaluated.fence);
    return { next: 'decide' };
  }
  // an attempt before this one has found that the artifact is lost, and its answer was lost with it
  if (replicate.trained === null) return { next: 'lost' };
  const measured = measurable(replicate);
  if (measured === null) throw new AssayError('INTERNAL', `${of.replicate} has no artifact to evaluate`);
  const claim = replicate.purpose === 'claim' ? await sealedClaim(context, replicate) : null;
  const { tried, refused } = of;
  const there = await evaluatesThere(context, replicate, measured.artifact, {
    signal,
    ...definedFields({ tried, refused }),
  });
  if (there !== null) return there;
  const { exclusive } = work.campaign.frozen;
  const isAlone = replicate.purpose === 'claim' ? exclusive.claim : exclusive.search;
  const gpus = evaluationGpus(work.hosted.spec);
  const what = `evaluating ${trialLabel(of.number)} of ${work.campaign.frozen.name}`;
  if (gpus > 0 && context.granted === null) tell(DOING.waitsForLease);
  return onDevices(context, { gpus, what, signal }, (on) => {
    const begin = () => attemptEvaluation({ context: on, work, signal }, { replicate, claim }, measured);
    return isAlone
      ? turn.alone({ signal, tell, doing: DOING.evaluatesAlone }, begin)
      : turn.beside({ signal, tell, doing: 'evaluating' }, begin);
  });
}

async function attemptEvaluation(
  of: { context: HostContext; work: HostedTrial; signal: AbortSignal },
  { replicate, claim }: { replicate: ReplicateDocument; claim: number | null },
  measured: Measurable,
): Promise<EvaluateResult> {
  const { context, work, signal } = of;
  const { _id: key, purpose, index, hostClass: trainedBy } = replicate;
  const { lineage } = context;
  await lineage.trials.setStage(work.trial.owner, work.trial.number, 'evaluating');
  const published = ({ evaluated }: ReplicateDocument): Evaluated | null => evaluated;
  const asked = { what: 'evaluate', trial: work.trial, purpose, replicate: key } as const;
  const { spec } = work.hosted;
  const { owner, number } = work.trial;
  const instead = claim === null ? undefined : heldForEvaluation({ owner, number, index, claim });
  const costs = { boundMs: evaluationBoundMs(spec), slots: evaluationGpus(spec), instead };
  const request = { ...asked, ...costs, published };
  const result = await withAttempt(context, request, signal, async (attempt) => {
    const scored = await scoreOrBlame({ ...of, attempt }, measured);
    return persist(signal, async () => {
      await requireCalibratedBy(context, work, { work: 'evaluate', trainedBy });
      return lineage.replicates.publishEvaluated(key, scored);
    });
  });
  return { next: result.kind === 'done' ? 'decide' : result.kind };
}

async function scoreOrBlame(of: AttemptWork, measured: Measurable): Promise<Evaluated> {
  const { attempt } = of;
  if (attempt.crash !== null) return unscored(attempt, attempt.crash);
  try {
    return await scoreArtifact(of, measured);
  } catch (error) {
    return blame(of, error);
  }
}

/**
 * Finds the claim that a run is of, by its number.
 * @throws AssayError INTERNAL while another run of the claim may still be trained
 */
async function sealedClaim({ lineage }: HostContext, { owner, _id }: ReplicateDocument): Promise<number> {
  const claim = await lineage.claims.ofReplicate(owner, _id);
  if (claim?.sealed == null)
    throw new AssayError('INTERNAL', `${_id} was to be evaluated before all runs of its claim are trained`);
  return claim.number;
}

function measurable({ snapshot, purpose, seed, trained }: ReplicateDocument): Measurable | null {
  if (trained?.artifact == null || trained.failure !== null) return null;
  const { artifact, metrics: known, runs, cache } = trained;
  return { snapshot, purpose, seed, artifact, known, runs, cache };
}

/**
 * Finds who is at fault when the evaluator fails again and again: it has to score the start's artifact on this host.
 * If it does, this artifact breaks it, which ends the trial; if not, a person has to look. Where that artifact is out of
 * reach the trial ends as well: one recipe may not hold up a campaign whose other trials are scored.
 * @throws AssayError EVALUATOR_FAULT while it may pass, EVALUATOR_BROKEN when the start cannot be scored either
 */
async function blame(of: AttemptWork, error: unknown): Promise<Evaluated> {
  const { context, work, attempt } = of;
  if (!(error instanceof AssayError) || error.code !== 'EVALUATOR_FAULT') throw error;
  const failed = attempt.replicate.faults.filter(({ code }) => code === error.code).length + 1;
  if (failed < EVALUATOR_FAULTS) throw error;
  await attempt.stage('evaluating the start to find who is at fault');
  const start = await scoredStart(of);
  const times = `the evaluator failed ${failed} times on this artifact`;
  if (start.kind === 'broken')
    throw new AssayError(
      'EVALUATOR_BROKEN',
      `${times}, and ${start.why} on ${context.host.name}: ${error.message}`,
      { cause: error },
    );
  // a served recipe saw held-out text, and what it answered can be in an evaluator's last words
  const words = work.hosted.spec.scoring === 'served' ? 'its words are withheld' : error.message;
  const compared =
    start.kind === 'scored' ? 'while it scores the start recipe on the same host' : `and ${start.why}`;
  const reason = `${times}, ${compared}: ${words}`;
  return unscored(attempt, { status: 'crash', phase: 'evaluate', reason, limit: null, tail: '' });
}

function unscored({ fence }: Attempt, failure: Failure): Evaluated {
  return { fence, failure, runs: [], margins: [], metrics: {}, feedback: '', at: new Date() };
}

/** An attempt to score the start on this host; `untried` where its artifact is out of reach. */
type ScoredStart = { kind: 'scored' } | { kind: 'untried' | 'broken'; why: string };

/** Scores the start's own artifact on this host. */
async function scoredStart(of: AttemptWork): Promise<ScoredStart> {
  const { lineage } = of.context;
  const { owner, number } = of.work.trial;
  const broken = (why: string): ScoredStart => ({ kind: 'broken', why });
  if (number === START) return broken('it is the start itself, which has to be scored');
  const start = await lineage.trials.require(owner, START);
  const [measured] = (await lineage.replicates.many(start.replicates)).flatMap(
    (one) => measurable(one) ?? [],
  );
  if (measured === undefined) return broken('the start has no artifact to compare with');
  const { onHost } = measured.artifact;
  if ((await whereabouts(of.context, of.attempt.replicate._id, measured.artifact)) !== 'here')
    return {
      kind: 'untried',
      why: `the start, whose artifact ${onHost?.host ?? 'another host'} keeps or has lost, could not be tried on this host`,
    };
  try {
    const { purpose } = of.attempt.replicate;
    const { failure } = await scoreArtifact(of, { ...measured, purpose });
    return failure === null
      ? { kind: 'scored' }
      : broken(`the start is not scored either (${failure.reason})`);
  } catch (error) {
    if (!(error instanceof AssayError) || error.code !== 'EVALUATOR_FAULT') throw error;
    return broken('the start is not scored either');
  }
}
