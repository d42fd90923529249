import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../domain/digest.js';
import { definedFields } from '../domain/defined-fields.js';
import { certainMargins, firstMiss, margins, type Margin } from '../domain/task/gates.js';
import { syntheticEnvironment } from '../domain/task/phase-environment.js';
import { seenBy } from '../domain/task/phase-key.js';
import { missText } from '../domain/trial/outcome-words.js';
import { isSlow } from '../domain/trial/host-use.js';
import { isFinal, lateEvidence, type Overrun } from '../domain/trial/overrun.js';
import type { Failure } from '../domain/trial/outcome.js';
import type { Projection } from '../domain/task/rehearsal.js';
import { overrunOf } from './phases/in-budget.js';
import { sealedOrRefused } from './phases/seal-outputs.js';
import type { ToldMargin } from '../domain/task/gates.js';
import { seal } from '../sandbox/sealing/seal.js';
import type { HostedTask } from '../tasks/host.js';
import { countedBytes } from './counted-bytes.js';
import type { RunHost } from './host-context.js';
import { START_VARIABLE, failureOf, requestOf, sealLimits, type PhaseCall } from './phases/phase.js';
import { makeRunFolders, removeRunFolders } from './phases/run-folders.js';
import { rehearse } from './rehearse.js';

/** Knowledge about a trial before it is trained. */
export interface Preflight {
  failure: Failure | null;
  margins: ToldMargin[];
  projection: Projection | null;
  log: string;
}

/** A preflight on its way: where it runs, and what it knows so far. */
interface Flight {
  context: RunHost;
  hosted: HostedTask;
  name: string;
  snapshot: string;
  /** Bytes of counted code. */
  code: number;
  recipe: string;
  tmp: string;
  /** Folder of what smoke leaves, and what pack makes of it. */
  out: string;
  artifact: string;
  signal: AbortSignal;
}

/**
 * The task's check, the exact size of the code, and, where the task has a smoke run, the projected packed size and
 * the projected length of an evaluation. What reaches a limit of time on a slow host is run once more before that is
 * final.
 */
export async function preflight(
  context: RunHost,
  hosted: HostedTask,
  snapshot: string,
  signal: AbortSignal,
): Promise<Preflight> {
  const first = await flown(context, hosted, snapshot, signal);
  if (first.overrun === null || isFinal(first.overrun)) return withEvidence(first, [first.overrun]);
  const second = await flown(context, hosted, snapshot, signal);
  return withEvidence(second, second.overrun === null ? [] : [first.overrun, second.overrun]);
}

/** A preflight, with the run that was ended at its limit of time, if one was. */
type Flown = Preflight & { overrun: Overrun | null };

function withEvidence({ overrun: _, ...found }: Flown, overruns: readonly (Overrun | null)[]): Preflight {
  const { failure } = found;
  if (failure === null) return found;
  const late = overruns.filter((overrun) => overrun !== null);
  if (late.length === 0) return found;
  const reason = `${failure.reason}${lateEvidence(late)}`;
  return { ...found, failure: { ...failure, reason, busyHost: late.every(isSlow) } };
}

async function flown(
  context: RunHost,
  hosted: HostedTask,
  snapshot: string,
  signal: AbortSignal,
): Promise<Flown> {
  const files = await context.lineage.blobs.tree(snapshot);
  const code = await countedBytes(context, hosted, files, signal);
  const certain = certainMargins(hosted.spec.gates, code);
  const known = certain.map((margin) => ({ ...margin, projected: false }));
  const miss = firstMiss(certain);
  const nothing = { margins: known, projection: null, overrun: null };
  if (miss !== undefined) return { ...nothing, failure: staticFailure(miss), log: '' };
  const name = `check-${sha256(`${snapshot}\0${context.host.worker}\0${Math.random()}`).slice(0, 16)}`;
  const { folder, recipe, tmp, out } = await makeRunFolders(context, name, files);
  try {
    const artifact = join(folder, 'artifact');
    await mkdir(artifact);
    const flight = { context, hosted, name, snapshot, code, recipe, tmp, out, artifact, signal };
    const { failure, log, overrun } = await runs(flight);
    if (failure !== null || hosted.spec.phases.smoke === undefined)
      return { ...nothing, failure, log, overrun };
    return { ...(await project(flight, known, log)), overrun: null };
  } finally {
    await removeRunFolders({ folder });
  }
}

interface PhaseEnd {
  failure: Failure | null;
  log: string;
  /** The run, where it was ended at its limit of time. */
  overrun: Overrun | null;
}

/** Check, smoke and pack; the first failure ends it. The log is the smoke's, or of what failed. */
async function runs(flight: Flight): Promise<PhaseEnd> {
  const { check, smoke, pack } = flight.hosted.spec.phases;
  const checked = check === undefined ? null : await run(flight, 'check', check, {});
  if (checked !== null && checked.failure !== null) return checked;
  if (smoke === undefined) return { failure: null, log: '', overrun: null };
  const { out, artifact } = flight;
  const env = {
    ...{ ASSAY_OUTPUT: out, ASSAY_SEED: '1', ASSAY_TRAIN_SECONDS: '1' },
    ...syntheticEnvironment(smoke),
  };
  const smoked = await run(flight, 'smoke', smoke, env);
  if (smoked.failure !== null || pack === undefined) return smoked;
  const data = seenBy(flight.hosted.spec, 'pack').data ? flight.hosted.parts.train : null;
  const packs = { ASSAY_INPUT: out, ASSAY_OUTPUT: artifact, ASSAY_SEED: '1' };
  const packed = await run(
    flight,
    'smoke',
    pack,
    { ...packs, ...definedFields({ ASSAY_DATA: data }) },
    'pack',
  );
  return packed.failure === null ? smoked : packed;
}

async function run(
  { context, hosted, name, recipe, out, artifact, tmp, signal }: Flight,
  phase: 'check' | 'smoke',
  { run: command, timeout_s: timeoutS }: { run: string; timeout_s: number },
  env: PhaseCall['env'],
  limitsOf: 'check' | 'smoke' | 'pack' = phase,
): Promise<PhaseEnd> {
  const told = { env, ...definedFields({ startVariable: phase === 'smoke' ? START_VARIABLE : null }) };
  const call = { id: `${name}/${phase}`, phase, limitsOf, command, cwd: recipe, timeoutS, signal, ...told };
  const readable = env['ASSAY_DATA'] === undefined ? [] : [env['ASSAY_DATA']];
  const result = await context.sandbox.run(
    requestOf(context, hosted, { ...call, readable, writable: [recipe, out, artifact] }, tmp),
  );
  if (result.ending.kind === 'cancelled') signal.throwIfAborted();
  return {
    failure: failureOf(phase, result),
    log: result.log,
    overrun: overrunOf({ result, usualSpeed: null }),
  };
}

/** Projects size and evaluation from the smoke's artifact. */
async function project(flight: Flight, known: ToldMargin[], log: string): Promise<Preflight> {
  const { context, hosted, name, snapshot, code, out, signal } = flight;
  const artifact = hosted.spec.phases.pack === undefined ? out : flight.artifact;
  const { sealed, refused } = await sealedOrRefused(seal(artifact, sealLimits(hosted)));
  if (sealed === null) {
    const told = withNote(log, `its size was not projected: ${refused.reason}`);
    return { failure: null, margins: known, projection: null, log: told };
  }
  const bytes = code + sealed.bytes;
  const sizes = margins(hosted.spec.gates, { bytes }).map((margin) => ({ ...margin, projected: true }));
  const found = [...known.filter(({ metric }) => metric !== 'bytes'), ...sizes];
  const smoked = { name, snapshot, digest: sealed.digest, artifact, bytes };
  const { failure, projection, note } = await rehearse(context, hosted, smoked, signal);
  return { failure, margins: found, projection, log: note === '' ? log : withNote(log, note) };
}

const withNote = (log: string, note: string): string => `${log.trimEnd()}\n${note}`;

function staticFailure(miss: Margin): Failure {
  return {
    status: 'size_blocked',
    phase: 'static',
    reason: missText(miss),
    limit: { name: miss.gate, used: miss.value, allowed: miss.limit, unit: 'bytes' },
    tail: '',
  };
}
