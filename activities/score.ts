import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../src/domain/digest.js';
import { AssayError } from '../src/domain/errors.js';
import type { Evaluation } from '../src/domain/evaluation.js';
import { margins } from '../src/domain/gates.js';
import type { Failure } from '../src/domain/outcome.js';
import { decisionMetric } from '../src/domain/task.js';
import type { Evaluated, PhaseRun, Trained } from '../src/lineage/documents.js';
import { score, type Scored } from '../src/sandbox/scoring.js';
import { writeFolder } from '../src/tasks/folder.js';
import type { Claim } from './claim.js';
import type { HostContext } from './context.js';
import type { HostedTrial } from './hosting.js';
import { failureOf, recordRun, requestOf, tailOf, withWorkspace } from './phases.js';
import { persist } from './pulse.js';

/** A sealed artifact with the code that it is served by. */
export interface Measurable {
  snapshot: string;
  artifact: NonNullable<Trained['artifact']>;
  /** What the harness measured before the evaluation. */
  known: Record<string, number>;
}

/** @throws AssayError EVALUATOR_FAULT when the evaluator itself failed: that is never the trial's fault */
export async function scoreArtifact(
  context: HostContext,
  work: HostedTrial,
  claim: Claim,
  { snapshot, artifact, known }: Measurable,
  signal: AbortSignal,
): Promise<Evaluated> {
  const { lineage, sandbox } = context;
  const name = `${sha256(claim.replicate._id).slice(0, 20)}-${claim.fence}`;
  return withWorkspace(context, name, snapshot, async ({ folder, recipe, tmp }) => {
    const sealed = join(folder, 'sealed');
    const [serverTmp, harness] = [join(folder, 'server-tmp'), join(folder, 'harness.json')];
    await writeFolder(sealed, await lineage.blobs.readFiles(artifact.files));
    await mkdir(serverTmp);
    await writeFile(harness, JSON.stringify(known));
    const requests = requestsOf(context, work, claim, { recipe, tmp, sealed, serverTmp, harness }, signal);
    const scored = await score(sandbox, requests);
    if (signal.aborted) signal.throwIfAborted();
    const runs = await persist(signal, () => runsOf(context, scored));
    return evaluatedOf(work, claim, runs, scored, known);
  });
}

interface Folders {
  recipe: string;
  tmp: string;
  sealed: string;
  serverTmp: string;
  harness: string;
}

function requestsOf(
  context: HostContext,
  { hosted }: HostedTrial,
  claim: Claim,
  folders: Folders,
  signal: AbortSignal,
) {
  const { evaluate: evaluator, phases } = hosted.spec;
  const { recipe, tmp, sealed, serverTmp, harness } = folders;
  const held = hosted.parts.search;
  const id = `${claim.replicate._id}/${claim.fence}`;
  const server =
    phases.serve === undefined
      ? null
      : {
          ...requestOf(
            context,
            hosted,
            {
              id: `${id}/serve`,
              phase: 'evaluate',
              command: phases.serve.run,
              cwd: recipe,
              timeoutS: evaluator.timeout_s + phases.serve.startup_s,
              writable: [],
              readable: [recipe, sealed],
              env: { ASSAY_ARTIFACT: sealed },
              signal,
            },
            serverTmp,
          ),
          startupS: phases.serve.startup_s,
        };
  const data = held === null ? {} : { ASSAY_DATA: held };
  return {
    server,
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
        env: { ASSAY_ARTIFACT: sealed, ASSAY_HARNESS: harness, ...data },
        signal,
      },
      tmp,
    ),
  };
}

async function runsOf({ lineage }: HostContext, scored: Scored): Promise<PhaseRun[]> {
  const runs = [await recordRun(lineage, 'evaluate', scored.evaluatorRun)];
  if (scored.serverRun !== null) runs.push(await recordRun(lineage, 'serve', scored.serverRun));
  return runs;
}

function evaluatedOf(
  { hosted }: HostedTrial,
  claim: Claim,
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
  const metric = decisionMetric(hosted.spec);
  if (!(metric in owned) && !(metric in known))
    throw new AssayError('EVALUATOR_FAULT', `the evaluator of "${hosted.spec.name}" gave no "${metric}"`);
  return {
    ...base,
    failure: null,
    metrics: owned,
    margins: margins(hosted.spec.gates, { ...owned, ...known }),
    feedback,
  };
}

/** The recipe's server crashed, was late or overran a limit. */
function recipeFailure({ serverRun, reason, late }: Scored): Failure {
  const tail = tailOf(serverRun?.log ?? '');
  const ended = serverRun === null ? null : failureOf('evaluate', serverRun);
  if (ended !== null && ended.status !== 'cancelled')
    return { ...ended, reason: reason || ended.reason, tail };
  return { status: late ? 'eval_budget_overrun' : 'crash', phase: 'evaluate', reason, limit: null, tail };
}

/** The evaluator found the recipe's answers unusable. */
function answeredFailure(evaluation: Evaluation | null): Failure | null {
  if (evaluation === null || !('failure' in evaluation)) return null;
  const { kind, reason } = evaluation.failure;
  const status = kind === 'late' ? 'eval_budget_overrun' : kind === 'twins_disagree' ? 'violation' : 'crash';
  return { status, phase: 'evaluate', reason: `${kind}: ${reason}`, limit: null, tail: '' };
}
