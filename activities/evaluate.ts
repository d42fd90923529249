import { DOING } from '../src/domain/trial/doing.js';
import { AssayError } from '../src/domain/errors.js';
import { START } from '../src/domain/keys.js';
import type { Failure } from '../src/domain/trial/outcome.js';
import type { Evaluated, ReplicateDocument } from '../src/lineage/documents/documents.js';
import { withAttempt, type Attempt } from '../src/measure/attempt.js';
import type { HostContext } from '../src/measure/host-context.js';
import type { TrialRef } from './decide.js';
import { hostTrial, type HostedTrial } from '../src/measure/load-trial.js';
import { withDoing } from './heartbeat.js';
import { persist } from '../src/lineage/persist.js';
import { scoreArtifact, type Measurable } from '../src/measure/score.js';

export type EvaluateResult = { next: 'decide' } | { next: 'notStarted' } | { next: 'parked' };

export interface EvaluateActivities {
  evaluate(of: TrialRef & { replicate: string }): Promise<EvaluateResult>;
}

/** Evaluations of one artifact that the evaluator may fail before the start's artifact says who is at fault. */
const EVALUATOR_FAULTS = 3;

/** Scoring: another process, on the sealed copy, with held-out data that training never saw. */
export function evaluateActivities(context: HostContext): EvaluateActivities {
  return {
    evaluate: (of) => withDoing('preparing', (signal, tell) => evaluate(context, of, signal, tell)),
  };
}

async function evaluate(
  context: HostContext,
  of: TrialRef & { replicate: string },
  signal: AbortSignal,
  tell: (doing: string) => void,
): Promise<EvaluateResult> {
  const { lineage, turn } = context;
  const work = await hostTrial(context, of, signal);
  const replicate = await lineage.replicates.get(of.replicate);
  if (replicate.evaluated !== null) {
    await lineage.campaigns.endWork(of.owner, of.replicate, replicate.evaluated.fence);
    return { next: 'decide' };
  }
  const measured = measurable(replicate);
  if (measured === null) throw new AssayError('INTERNAL', `${of.replicate} has no artifact to evaluate`);
  if (replicate.purpose === 'claim') await requireSealed(context, replicate);
  const { exclusive } = work.campaign.frozen;
  const begin = () => claimAndEvaluate(context, work, replicate, measured, signal);
  const isAlone = replicate.purpose === 'claim' ? exclusive.claim : exclusive.search;
  return isAlone
    ? turn.alone({ signal, tell, doing: DOING.evaluatesAlone }, begin)
    : turn.beside({ signal, tell, doing: 'evaluating' }, begin);
}

async function claimAndEvaluate(
  context: HostContext,
  work: HostedTrial,
  { _id: key, purpose }: ReplicateDocument,
  measured: Measurable,
  signal: AbortSignal,
): Promise<EvaluateResult> {
  const { lineage } = context;
  await lineage.trials.setStage(work.trial.owner, work.trial.number, 'evaluating');
  const published = ({ evaluated }: ReplicateDocument): Evaluated | null => evaluated;
  const claimed = { what: 'evaluate', trial: work.trial, purpose, replicate: key } as const;
  const request = { ...claimed, boundMs: 0, slots: 0, published };
  const result = await withAttempt(context, request, signal, async (claim) => {
    const { crashed } = claim;
    const scored =
      crashed === null
        ? await scoreArtifact(context, work, claim, measured, signal).catch((error: unknown) =>
            blame(context, work, claim, error, signal),
          )
        : unscored(claim, crashed);
    return persist(signal, () => lineage.replicates.publishEvaluated(key, scored));
  });
  if (result.kind === 'parked') return { next: 'parked' };
  return { next: result.kind === 'done' ? 'decide' : 'notStarted' };
}

/** @throws AssayError INTERNAL while another run of the claim may still be trained */
async function requireSealed({ lineage }: HostContext, { owner, _id }: ReplicateDocument): Promise<void> {
  const claim = await lineage.claims.ofReplicate(owner, _id);
  if (claim?.sealed == null)
    throw new AssayError('INTERNAL', `${_id} was to be evaluated before all runs of its claim are trained`);
}

function measurable({ snapshot, purpose, trained }: ReplicateDocument): Measurable | null {
  if (trained?.artifact == null || trained.failure !== null) return null;
  return { snapshot, purpose, artifact: trained.artifact, known: trained.metrics };
}

/**
 * Who is at fault when the evaluator fails again and again: it has to score the start's artifact on this host. If it
 * does, this artifact breaks it, which ends the trial; if not, a person has to look.
 * @throws AssayError EVALUATOR_FAULT while it may pass, EVALUATOR_BROKEN when the start cannot be scored either
 */
async function blame(
  context: HostContext,
  work: HostedTrial,
  claim: Attempt,
  error: unknown,
  signal: AbortSignal,
): Promise<Evaluated> {
  if (!(error instanceof AssayError) || error.code !== 'EVALUATOR_FAULT') throw error;
  const failed = claim.replicate.faults.filter(({ code }) => code === error.code).length + 1;
  if (failed < EVALUATOR_FAULTS) throw error;
  await claim.stage('evaluating the start to find who is at fault');
  const broken = await startFault(context, work, claim, signal);
  const times = `the evaluator failed ${failed} times on this artifact`;
  if (broken !== null)
    throw new AssayError(
      'EVALUATOR_BROKEN',
      `${times}, and ${broken} on ${context.host.name}: ${error.message}`,
      { cause: error },
    );
  // a served recipe saw held-out text, and what it answered can be in an evaluator's last words
  const words = work.hosted.spec.scoring === 'served' ? 'its words are withheld' : error.message;
  const reason = `${times}, while it scores the start recipe on the same host: ${words}`;
  return unscored(claim, { status: 'crash', phase: 'evaluate', reason, limit: null, tail: '' });
}

function unscored({ fence }: Attempt, failure: Failure): Evaluated {
  return { fence, failure, runs: [], margins: [], metrics: {}, feedback: '', at: new Date() };
}

/** Why the start's own artifact cannot be scored on this host, in words; null when it can. */
async function startFault(
  context: HostContext,
  work: HostedTrial,
  claim: Attempt,
  signal: AbortSignal,
): Promise<string | null> {
  const { lineage } = context;
  const { owner, number } = work.trial;
  if (number === START) return 'it is the start itself, which has to be scored';
  const start = await lineage.trials.require(owner, START);
  const [measured] = (await lineage.replicates.many(start.replicates)).flatMap(
    (one) => measurable(one) ?? [],
  );
  if (measured === undefined) return 'the start has no artifact to compare with';
  try {
    const { purpose } = claim.replicate;
    const { failure } = await scoreArtifact(context, work, claim, { ...measured, purpose }, signal);
    return failure === null ? null : `the start is not scored either (${failure.reason})`;
  } catch (error) {
    if (!(error instanceof AssayError) || error.code !== 'EVALUATOR_FAULT') throw error;
    return 'the start is not scored either';
  }
}
