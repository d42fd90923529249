import type { Failure } from '../domain/trial/outcome.js';
import {
  evaluationLimit,
  needsAnother,
  projectionOf,
  rehearsalFailure,
  unprojected,
  type Projection,
  type Rehearsed,
} from '../domain/task/rehearsal.js';
import { refusalFailure } from './phases/seal-outputs.js';
import type { RunResult } from '../sandbox/run.js';
import type { Scored } from '../sandbox/scoring/judge.js';
import { SealRefused } from '../sandbox/sealing/seal-refused.js';
import { sealTo } from '../sandbox/sealing/seal.js';
import type { HostedTask } from '../tasks/host.js';
import type { RunHost } from './host-context.js';
import { sealLimits, tailOf } from './phases/phase.js';
import { scoreSealed } from './score-sealed.js';

/** The artifact of a smoke run, with the code that serves it. */
export interface Smoked {
  /** Name of workspaces and processes; unique to the preflight. */
  name: string;
  snapshot: string;
  digest: string;
  /** The folder that holds it, after the run that wrote it is dead. */
  artifact: string;
  /** Projected bytes of code and artifact. */
  bytes: number;
}

/** Result of a rehearsal: `projection` is null where nothing could be measured, and `note` says why. */
export interface Rehearsal {
  failure: Failure | null;
  projection: Projection | null;
  note: string;
}

const NOTHING: Rehearsal = { failure: null, projection: null, note: '' };

/**
 * Projects the length of the evaluation: the task's own evaluator scores a share, on the data that training may see,
 * of what the recipe's server answers with the smoke's artifact. Only the harness takes the time. A fault of the
 * evaluator never counts against the trial.
 */
export async function rehearse(
  context: RunHost,
  hosted: HostedTask,
  smoked: Smoked,
  signal: AbortSignal,
): Promise<Rehearsal> {
  const rehearsal = hosted.spec.evaluate.rehearsal;
  if (rehearsal === undefined) return NOTHING;
  const { share } = rehearsal;
  const limitS = evaluationLimit(hosted.spec);
  const runs: Rehearsed[] = [];
  let tail = '';
  do {
    const scoring = scoredOnce(context, hosted, smoked, { share, at: runs.length + 1 }, signal);
    const result = await scoring.catch(refusedOrThrow);
    if ('status' in result) return { ...NOTHING, failure: result };
    const { scored, damage } = result;
    tail = tailOf(scored.serverRun?.log ?? '');
    if (damage !== null) return ended('violation', `changed ${damage}`, tail);
    const read = readingOf(scored);
    if ('crash' in read) return ended('preflight_crash', read.crash, tail);
    if ('unknown' in read) return { ...NOTHING, note: notRehearsed(read.unknown) };
    runs.push(read);
  } while (needsAnother(runs, share, limitS));
  const unknown = unprojected(runs);
  if (unknown !== null) return { ...NOTHING, note: notRehearsed(unknown) };
  return {
    failure: rehearsalFailure(runs, share, limitS, tail),
    projection: projectionOf(runs, share, limitS),
    note: '',
  };
}

const notRehearsed = (why: string): string => `the evaluation was not rehearsed: ${why}`;

/** The smoke's artifact was sealed before: what has changed it since is the recipe's. */
function refusedOrThrow(error: unknown): Failure {
  if (!(error instanceof SealRefused)) throw error;
  const failure = refusalFailure(error);
  const status = failure.status === 'violation' ? 'violation' : 'preflight_crash';
  return { ...failure, status, phase: 'rehearsal' };
}

function scoredOnce(
  context: RunHost,
  hosted: HostedTask,
  { name, snapshot, digest, artifact, bytes }: Smoked,
  { share, at }: { share: number; at: number },
  signal: AbortSignal,
): ReturnType<typeof scoreSealed> {
  return scoreSealed(
    context,
    hosted,
    {
      name: `${name}-${at}`,
      id: `${name}/rehearsal-${at}`,
      snapshot,
      artifact: { digest, put: (to) => sealTo(artifact, to, sealLimits(hosted)) },
      processes: null,
      cache: null,
      known: { bytes },
      // the words of a server under rehearsal are told to agents: nothing that is held out may reach it
      data: hosted.parts.train,
      env: { ASSAY_REHEARSAL: String(share) },
    },
    signal,
  );
}

function ended(status: Failure['status'], reason: string, tail: string): Rehearsal {
  return { ...NOTHING, failure: { status, phase: 'rehearsal', reason, limit: null, tail } };
}

/** Interprets one run of the evaluator. */
function readingOf(scored: Scored): Rehearsed | { crash: string } | { unknown: string } {
  const { evaluation, evaluatorRun, serverRun, greetedMs, twinRun, blame, late, reason } = scored;
  const { wallMs } = evaluatorRun;
  // a twin starts after the first server and takes as long to answer, whatever the share
  const startsMs = greetedMs === null ? 0 : Math.min(wallMs, greetedMs * (twinRun === null ? 1 : 2));
  const timed = (because: string | null): Rehearsed => ({
    greetS: greetedMs === null ? null : startsMs / 1000,
    servedS: (wallMs - startsMs) / 1000,
    late: because,
    hostSpeed: speedOf([evaluatorRun, serverRun, twinRun], wallMs / 1000),
  });
  if (blame === 'recipe') return late ? timed(reason) : { crash: reason };
  if (blame === 'evaluator' || evaluation === null) return { unknown: reason };
  if (!('failure' in evaluation)) return greetedMs === null ? { unknown: 'nothing was asked' } : timed(null);
  const { kind, reason: said } = evaluation.failure;
  if (kind === 'late') return timed(`late: ${said}`);
  if (kind === 'protocol') return { crash: `protocol: ${said}` };
  // of weights that were hardly trained, such an answer says nothing
  return { unknown: `${kind}: ${said}` };
}

/**
 * Part of its time that a rehearsal would have taken on an idle host: what its processes waited for a processor is
 * counted as lost, and what they slept is not. Null where the system does not tell.
 */
export function speedOf(
  runs: readonly (Pick<RunResult, 'hostSpeed' | 'cpuS'> | null)[],
  wallS: number,
): number | null {
  const known = runs.flatMap((run) =>
    run === null || run.hostSpeed === null || run.hostSpeed <= 0
      ? []
      : [{ speed: run.hostSpeed, waitedS: ((run.cpuS ?? wallS) * (1 - run.hostSpeed)) / run.hostSpeed }],
  );
  if (known.length === 0) return null;
  const waitedS = known.reduce((sum, run) => sum + run.waitedS, 0);
  return Math.max(1 - waitedS / wallS, Math.min(...known.map(({ speed }) => speed)));
}
