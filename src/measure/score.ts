import { constants } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sha256 } from '../domain/digest.js';
import { AssayError } from '../domain/errors.js';
import type { Evaluation } from '../domain/trial/evaluation.js';
import { isStatic, margins } from '../domain/task/gates.js';
import type { Failure } from '../domain/trial/outcome.js';
import { claimedMeasure, decisionMetric, type Task } from '../domain/task/task.js';
import { isSlow } from '../domain/trial/overrun.js';
import type { Evaluated, PhaseRun, ReplicateDocument, Trained } from '../lineage/documents/documents.js';
import { sealedOrRefused } from './seal-outputs.js';
import { score, type Scored } from '../sandbox/scoring/score.js';
import { seal } from '../sandbox/sealing/seal.js';
import { writeSealed } from '../sandbox/sealing/sealed-tree.js';
import type { HostedTask } from '../tasks/host.js';
import { kitFolder } from '../tasks/kit.js';
import type { Attempt } from './attempt.js';
import type { HostContext } from './host-context.js';
import type { HostedTrial } from './load-trial.js';
import {
  failureOf,
  recordRun,
  requestOf,
  sealLimits,
  tailOf,
  withWorkspace,
  type PhaseCall,
} from './phases.js';
import { persist } from '../lineage/persist.js';
import { usualSpeedFor } from './run-phase.js';

/** A block that two files share on the disk is still a page of its own in memory. */
const COPY = { recursive: true, mode: constants.COPYFILE_FICLONE };

/** A sealed artifact with the code that it is served by. */
export interface Measurable {
  snapshot: string;
  /** Claims are measured on held-out data of their own, where the task has such. */
  purpose: ReplicateDocument['purpose'];
  artifact: NonNullable<Trained['artifact']>;
  /** What the harness measured before the evaluation. */
  known: Record<string, number>;
}

/**
 * Evaluates a sealed artifact; once more where it was out of time on a host that was slower than usual.
 * @throws AssayError EVALUATOR_FAULT when the evaluator itself failed: that is never the trial's fault
 */
export async function scoreArtifact(
  context: HostContext,
  work: HostedTrial,
  claim: Attempt,
  measured: Measurable,
  signal: AbortSignal,
): Promise<Evaluated> {
  const first = await scoreOnce(context, work, claim, measured, { again: false, signal });
  if (first.failure?.status !== 'eval_budget_overrun' || !first.runs.some(wasSlow)) return first;
  for (const run of first.runs) run.repeated = true;
  const second = await scoreOnce(context, work, claim, measured, { again: true, signal });
  return { ...second, runs: [...first.runs, ...second.runs] };
}

const wasSlow = ({ hostSpeed, usualSpeed }: PhaseRun): boolean => isSlow(hostSpeed, usualSpeed ?? 1);

async function scoreOnce(
  context: HostContext,
  work: HostedTrial,
  claim: Attempt,
  { snapshot, purpose, artifact, known }: Measurable,
  { again, signal }: { again: boolean; signal: AbortSignal },
): Promise<Evaluated> {
  const { lineage } = context;
  const { parts } = work.hosted;
  const { scored, damage } = await scoreSealed(
    context,
    work.hosted,
    {
      name: `${sha256(claim.replicate._id).slice(0, 20)}-${claim.fence}`,
      id: `${claim.replicate._id}/${claim.fence}${again ? '/again' : ''}`,
      snapshot,
      artifact: {
        digest: artifact.digest,
        put: async (to) => writeSealed(to, await lineage.blobs.readFiles(artifact.files)),
      },
      known,
      data: purpose === 'claim' ? (parts.claim ?? parts.search) : parts.search,
      env: {},
    },
    signal,
  );
  const runs = await persist(signal, () => runsOf(context, claim, scored));
  if (damage !== null) return tampered(claim, runs, scored, damage);
  return evaluatedOf(work, claim, runs, scored, known);
}

/** What the evaluator is run on. */
export interface Scoring {
  /** Of the workspace, which is fresh and gone afterwards. */
  name: string;
  /** By which its processes are found. */
  id: string;
  snapshot: string;
  /** `put` writes the sealed files into a folder that is not there yet. */
  artifact: { digest: string; put: (to: string) => Promise<unknown> };
  /** What the harness measured before. */
  known: Record<string, number>;
  /** The part of the data that the evaluator finds; null for a task without data. */
  data: string | null;
  /** More that the evaluator, and nobody else, finds in its environment. */
  env: Record<string, string>;
}

/**
 * The one way in which a recipe's artifact meets the evaluator. `damage` says what the recipe changed that it must
 * not.
 * @throws AssayError HOST_FAULT
 */
export async function scoreSealed(
  context: HostContext,
  hosted: HostedTask,
  of: Scoring,
  signal: AbortSignal,
): Promise<{ scored: Scored; damage: string | null }> {
  const { sandbox, tasks } = context;
  await tasks.requireServers(hosted);
  return withWorkspace(context, of.name, of.snapshot, async ({ folder, recipe, tmp }) => {
    const sealed = join(folder, 'sealed');
    const harness = join(folder, 'harness.json');
    await of.artifact.put(sealed);
    await writeFile(harness, JSON.stringify(of.known));
    const requests = await requestsOf(context, hosted, of, { folder, recipe, tmp, sealed, harness }, signal);
    // a server is the recipe's code; an evaluator alone is only told when what it used was changed beside it
    const { result: scored, damage } = await tasks.custody.during(requests.server !== null, () =>
      score(sandbox, requests),
    );
    if (signal.aborted) signal.throwIfAborted();
    if (damage !== null) return { scored, damage };
    if (!tasks.custody.active) return { scored, damage: null };
    const servers = [requests.server, requests.twin].filter((server) => server !== null);
    for (const copy of [sealed, ...servers.map(({ artifact }) => artifact)]) {
      if (await isWhole(copy, of.artifact.digest, hosted)) continue;
      if (servers.length > 0) return { scored, damage: 'its sealed artifact' };
      throw new AssayError('HOST_FAULT', 'a sealed artifact was changed while it was evaluated');
    }
    return { scored, damage: null };
  });
}

interface Folders {
  folder: string;
  recipe: string;
  tmp: string;
  sealed: string;
  harness: string;
}

async function requestsOf(
  context: HostContext,
  hosted: HostedTask,
  { id, data: held, env }: Scoring,
  folders: Folders,
  signal: AbortSignal,
) {
  const { evaluate: evaluator, phases, scoring } = hosted.spec;
  const { folder, recipe, tmp, sealed, harness } = folders;
  const { serve } = phases;
  const serving = async (startupS: number, command: string) => {
    // twins have equal commands and environments but for a name by chance, and no file in common
    const name = `serve-${randomBytes(8).toString('hex')}`;
    const own = join(folder, name);
    const [home, code, artifact] = [join(own, 'home'), join(own, 'recipe'), join(own, 'artifact')];
    await mkdir(home, { recursive: true });
    await cp(recipe, code, COPY);
    await cp(sealed, artifact, COPY);
    const call: PhaseCall = {
      id: `${id}/${name}`,
      phase: 'evaluate',
      command,
      cwd: code,
      timeoutS: evaluator.timeout_s + startupS,
      writable: [],
      readable: [code, artifact],
      seesHeldOut: true,
      env: { ASSAY_ARTIFACT: artifact },
      signal,
    };
    return { ...requestOf(context, hosted, call, home), startupS, artifact };
  };
  const data = held === null ? {} : { ASSAY_DATA: held };
  const kit = scoring === 'served' ? { PYTHONPATH: kitFolder(hosted.folder) } : {};
  return {
    server: serve === undefined ? null : await serving(serve.startup_s, serve.run),
    twin: serve?.twins === true ? await serving(serve.startup_s, serve.run) : null,
    evaluator: requestOf(
      context,
      hosted,
      {
        id: `${id}/evaluate`,
        phase: 'evaluate',
        command: evaluator.run,
        cwd: hosted.folder,
        timeoutS: evaluator.timeout_s,
        writable: [],
        readable: [hosted.folder, sealed, harness, ...(held === null ? [] : [held])],
        env: { ASSAY_ARTIFACT: sealed, ASSAY_HARNESS: harness, ...kit, ...data, ...env },
        signal,
      },
      tmp,
    ),
  };
}

async function isWhole(sealed: string, digest: string, hosted: HostedTask): Promise<boolean> {
  const now = await sealedOrRefused(seal(sealed, sealLimits(hosted)));
  return now.sealed?.digest === digest;
}

function tampered(claim: Attempt, runs: PhaseRun[], scored: Scored, damage: string): Evaluated {
  const failure: Failure = {
    status: 'violation',
    phase: 'evaluate',
    reason: `changed ${damage}`,
    limit: null,
    tail: scored.serverRun === null ? '' : WITHHELD,
  };
  return { fence: claim.fence, failure, runs, margins: [], metrics: {}, feedback: '', at: new Date() };
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

function evaluatedOf(
  { hosted }: HostedTrial,
  claim: Attempt,
  runs: PhaseRun[],
  scored: Scored,
  known: Record<string, number>,
): Evaluated {
  const base = { fence: claim.fence, runs, margins: [], metrics: {}, feedback: '', at: new Date() };
  if (scored.blame === 'evaluator') {
    const said = tailOf(scored.evaluatorRun.log).split('\n').at(-1) ?? '';
    const reason = said === '' ? scored.reason : `${scored.reason}; its log ends with: ${said}`;
    throw new AssayError('EVALUATOR_FAULT', `the evaluator of "${hosted.spec.name}" failed: ${reason}`);
  }
  const failure = scored.blame === 'recipe' ? recipeFailure(scored) : answeredFailure(scored.evaluation);
  if (failure !== null) return { ...base, failure };
  if (scored.evaluation === null || !('metrics' in scored.evaluation))
    throw new AssayError('EVALUATOR_FAULT', `the evaluator of "${hosted.spec.name}" gave no metrics`);
  const { metrics, feedback } = scored.evaluation;
  const owned = Object.fromEntries(Object.entries(metrics).filter(([name]) => !(name in known)));
  const missing = owedMetrics(hosted.spec, claim.replicate.purpose).find(
    (name) => !(name in owned) && !(name in known),
  );
  if (missing !== undefined)
    throw new AssayError('EVALUATOR_FAULT', `the evaluator of "${hosted.spec.name}" gave no "${missing}"`);
  return {
    ...base,
    failure: null,
    metrics: owned,
    margins: margins(hosted.spec.gates, { ...owned, ...known }),
    feedback,
  };
}

/** What has to be known after every evaluation: a gate whose metric is missing would let everything pass. */
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
