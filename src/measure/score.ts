import { definedFields } from '../domain/defined-fields.js';
import { AssayError } from '../domain/errors.js';
import type { Evaluation } from '../domain/trial/evaluation.js';
import { EVALUATION_S } from '../domain/task/evaluation-time.js';
import { isStatic, margins } from '../domain/task/gates.js';
import type { Failure } from '../domain/trial/outcome.js';
import { claimedMeasure, decisionMetric, type Task } from '../domain/task/task.js';
import { hostText, isSlow } from '../domain/trial/host-use.js';
import type { PhaseRun } from '../lineage/documents/phase-run.js';
import type { Evaluated, ReplicateDocument, Trained } from '../lineage/documents/replicate.js';
import { persist } from '../lineage/persist.js';
import type { Scored } from '../sandbox/scoring/judge.js';
import type { HostedTask } from '../tasks/host.js';
import { processesOf } from '../domain/trial/processes.js';
import { trainingRuns } from '../domain/trial/paired-times.js';
import { toldProcesses } from './told-processes.js';
import type { Attempt, AttemptWork } from './attempt.js';
import type { HostContext } from './host-context.js';
import { evaluateInBudget } from './phases/in-budget.js';
import { writeOutputs } from './phases/kept-outputs.js';
import { failureOf, recordRun, tailOf } from './phases/phase.js';
import { usualSpeedFor } from './phases/run-phase.js';
import { folderName } from './phases/training.js';
import { scoreSealed, type Scoring } from './score-sealed.js';

/** A sealed artifact with the code that it is served by. */
export interface Measurable {
  snapshot: string;
  /** Claims are measured on held-out data of their own, where the task has such. */
  purpose: ReplicateDocument['purpose'];
  artifact: NonNullable<Trained['artifact']>;
  /** Seed of the measurement, and the runs of its training. */
  seed: number;
  runs: readonly PhaseRun[];
  /** Cache for its servers, if there is one. */
  cache: Trained['cache'];
  /** Metrics that the harness measured before the evaluation. */
  known: Record<string, number>;
}

/**
 * Evaluates a sealed artifact; once more where it was out of time on a host that was slower than usual.
 * @throws AssayError EVALUATOR_FAULT when the evaluator itself failed: that is never the trial's fault
 */
export async function scoreArtifact(of: AttemptWork, measured: Measurable): Promise<Evaluated> {
  const { last, repeated } = await evaluateInBudget((again) => scoreOnce(of, measured, again));
  if (repeated === null) return last;
  for (const run of repeated.runs) run.repeated = true;
  return { ...last, runs: [...repeated.runs, ...last.runs] };
}

async function scoreOnce(
  { context, work, attempt, signal }: AttemptWork,
  { snapshot, purpose, artifact, known, seed, runs: trainings, cache }: Measurable,
  again: boolean,
): Promise<Evaluated> {
  const { hosted, campaign } = work;
  const { secret } = campaign;
  const { replicate, fence } = attempt;
  const seeds = new Map(processesOf(hosted.spec, { secret, seed }).map((one) => [one.process, one.seed]));
  const processes = trainingRuns(trainings).map(({ process, wallMs }) => ({
    ...{ process: process ?? 0, seed: seeds.get(process ?? 0) ?? seed, wallMs },
  }));
  const scoring: Scoring = {
    name: folderName(attempt),
    id: `${replicate._id}/${fence}${again ? '/again' : ''}`,
    snapshot,
    artifact: {
      digest: artifact.digest,
      put: (to) => writeOutputs(context, artifact, to),
    },
    processes: toldProcesses(hosted.spec, secret, processes),
    cache: cache === undefined ? null : { sealed: cache, put: (to) => writeOutputs(context, cache, to) },
    known,
    data: purpose === 'claim' ? (hosted.parts.claim ?? hosted.parts.search) : hosted.parts.search,
    env: {},
  };
  const { scored, damage } = await scoreSealed(context, hosted, scoring, signal);
  const runs = await persist(signal, () => runsOf(context, attempt, scored));
  if (damage !== null) return tampered(fence, runs, scored, damage);
  return { fence, runs, at: new Date(), ...evaluatedOf(hosted, replicate.purpose, scored, known) };
}

function tampered(fence: number, runs: PhaseRun[], scored: Scored, damage: string): Evaluated {
  const failure: Failure = {
    status: 'violation',
    phase: 'evaluate',
    reason: `changed ${damage}`,
    limit: null,
    tail: scored.serverRun === null ? '' : WITHHELD,
  };
  return { fence, failure, runs, ...UNMEASURED, at: new Date() };
}

async function runsOf({ lineage }: HostContext, { replicate }: Attempt, scored: Scored): Promise<PhaseRun[]> {
  const { evaluatorRun, serverRun, twinRun } = scored;
  const runs: PhaseRun[] = [];
  for (const [phase, result] of [
    ['evaluate', evaluatorRun],
    ['serve', serverRun],
    ['serve', twinRun],
  ] as const) {
    if (result === null) continue;
    const usual = await usualSpeedFor(lineage, replicate, result.hostSpeed);
    runs.push(await recordRun(lineage, phase, result, { usualSpeed: usual }));
  }
  return runs;
}

/**
 * Takes an evaluator's answer for what it says.
 * @throws AssayError EVALUATOR_FAULT when it has no usable answer
 */
export function evaluatedOf(
  { spec }: HostedTask,
  purpose: ReplicateDocument['purpose'],
  scored: Scored,
  known: Record<string, number>,
): Pick<Evaluated, 'failure' | 'metrics' | 'standardErrors' | 'margins' | 'feedback'> {
  if (scored.blame === 'evaluator') {
    const said = tailOf(scored.evaluatorRun.log).split('\n').at(-1) ?? '';
    const reason = said === '' ? scored.reason : `${scored.reason}; its log ends with: ${said}`;
    const { hostSpeed, cpuS, load } = scored.evaluatorRun;
    const host = { hostSpeed, usualSpeed: null, cpuS, load };
    const busy = isSlow(host) ? ` (${hostText(host)})` : '';
    throw new AssayError('EVALUATOR_FAULT', `the evaluator of "${spec.name}" failed: ${reason}${busy}`, {
      detail: spec.scoring === 'direct' ? tailOf(scored.evaluatorRun.log) : '',
    });
  }
  const failure = scored.blame === 'recipe' ? recipeFailure(scored) : answeredFailure(scored.evaluation);
  if (failure !== null) return { failure, ...UNMEASURED };
  if (scored.evaluation === null || !('metrics' in scored.evaluation))
    throw new AssayError('EVALUATOR_FAULT', `the evaluator of "${spec.name}" gave no metrics`);
  const { metrics, standard_errors: errors, feedback } = scored.evaluation;
  const timed = definedFields({ [EVALUATION_S]: secondsOwed(scored) });
  const owned = {
    ...Object.fromEntries(Object.entries(metrics).filter(([name]) => !(name in known))),
    ...timed,
  };
  const missing = owedMetrics(spec, purpose).find((name) => !(name in owned) && !(name in known));
  if (missing !== undefined)
    throw new AssayError(
      'EVALUATOR_FAULT',
      `the evaluator of "${spec.name}" gave no "${missing}", which task.yaml names; it gave ${namesOf(metrics)}`,
    );
  return {
    failure: null,
    metrics: owned,
    standardErrors: Object.fromEntries(
      Object.entries(errors).filter(([name]) => name in owned && !(name in timed)),
    ),
    margins: margins(spec.gates, { ...owned, ...known }),
    feedback,
  };
}

const UNMEASURED = { margins: [], metrics: {}, feedback: '' };

/** Rounded to microseconds; undefined without a server. */
const secondsOwed = ({ owedMs }: Scored): number | undefined =>
  owedMs === null ? undefined : Math.round(1000 * owedMs) / 1e6;

const MOST_NAMED = 20;

function namesOf(metrics: Record<string, number>): string {
  const names = Object.keys(metrics).map((name) => `"${name}"`);
  if (names.length === 0) return 'none';
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names.slice(0, MOST_NAMED).join(', ')}${more}`;
}

/**
 * Lists metrics that have to be known after every evaluation: a gate whose metric is missing would let everything
 * pass.
 */
function owedMetrics(task: Task, purpose: ReplicateDocument['purpose']): string[] {
  const used = [decisionMetric(task), ...[...task.gates, ...task.guards].map(({ metric }) => metric)];
  return [...used, ...(purpose === 'claim' ? [claimedMeasure(task).name] : [])].filter(
    (metric) => !isStatic(metric),
  );
}

/**
 * In place of what a server printed, which agents read with a failure: it was sent held-out text, and may print it.
 * People find it in the stored log of its run.
 */
const WITHHELD =
  'The log of a server is withheld, for it was sent held-out data; try serving on training data.';

/** The recipe's server crashed, was late or overran a limit. */
function recipeFailure({ blamedRun, reason, late }: Scored): Failure {
  const ended = blamedRun === null ? null : failureOf('evaluate', blamedRun);
  if (ended !== null && ended.status !== 'cancelled')
    return { ...ended, reason: reason || ended.reason, tail: WITHHELD };
  const status = late ? 'eval_budget_overrun' : 'crash';
  return { status, phase: 'evaluate', reason, limit: null, tail: WITHHELD };
}

/** The evaluator found the recipe's answers unusable. */
function answeredFailure(evaluation: Evaluation | null): Failure | null {
  if (evaluation === null || !('failure' in evaluation)) return null;
  const { kind, reason } = evaluation.failure;
  const status = kind === 'late' ? 'eval_budget_overrun' : kind === 'twins_disagree' ? 'violation' : 'crash';
  return { status, phase: 'evaluate', reason: `${kind}: ${reason}`, limit: null, tail: '' };
}
