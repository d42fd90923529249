import { usualLimits } from '../domain/task/phase-limits.js';
import type { Task } from '../domain/task/task.js';
import type { PhaseTime, SizeParts } from '../domain/trial/measured-parts.js';
import { failurePlace } from '../domain/trial/traceback.js';
import type { PhaseRun } from '../lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../lineage/documents/replicate.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { Lineage } from '../lineage/lineage.js';
import type { SubmitAnswer } from '../model/trial-text/submit-answer.js';

/** Lines of a phase's log that an answer ends with. */
const LOG_LINES: Readonly<Record<string, number>> = { train: 12, pack: 6 };
/** Lines of a failure that no stored log has, such as that of a check. */
const TAIL_LINES = 12;

/** The last replicate of a trial that has been trained; undefined where none was. */
export async function lastMeasured(
  lineage: Pick<Lineage, 'replicates'>,
  { replicates }: TrialDocument,
): Promise<ReplicateDocument | undefined> {
  const found = await lineage.replicates.many(replicates);
  return found
    .filter(({ trained }) => trained !== null)
    .sort((a, b) => a.index - b.index)
    .at(-1);
}

/** Bytes of code and artifact against the gate on their sum; null where nothing is known. */
export function sizesOf(task: Task, trial: TrialDocument, replicate?: ReplicateDocument): SizeParts | null {
  const measured = { ...replicate?.trained?.metrics, ...trial.outcome?.metrics };
  const told = new Map((trial.outcome?.margins ?? []).map(({ metric, value }) => [metric, value]));
  const total = measured.bytes ?? told.get('bytes') ?? null;
  // counted in the same way as the total
  const sealed = replicate?.trained?.artifact?.bytes ?? null;
  const rest = total === null || sealed === null ? null : total - sealed;
  const code = measured.code_bytes ?? told.get('code_bytes') ?? rest;
  const limit = task.gates.find(({ metric, max }) => metric === 'bytes' && max !== undefined)?.max ?? null;
  if (total === null && code === null) return null;
  return { total, code, artifact: total === null || code === null ? null : total - code, limit };
}

/** Seconds of the phases of a replicate, in their order. */
export function phaseTimes(
  task: Task,
  trainSeconds: number | null,
  replicate: ReplicateDocument | undefined,
): PhaseTime[] {
  const limits = usualLimits(task, trainSeconds);
  return runsOf(replicate).map(({ phase, wallMs, cpuMs, budgetS, reusedFrom, ...host }) => ({
    phase,
    seconds: wallMs / 1000,
    limitS: budgetS ?? limits[phase] ?? null,
    cpuS: cpuMs === null ? null : cpuMs / 1000,
    reusedFrom,
    hostSpeed: host.hostSpeed,
    usualSpeed: host.usualSpeed,
    load: host.load,
  }));
}

const runsOf = (replicate: ReplicateDocument | undefined): PhaseRun[] => [
  ...(replicate?.trained?.runs ?? []),
  ...(replicate?.evaluated?.runs ?? []),
];

/** The last lines of the logs of training and packing; the evaluator's log is not for agents. */
export async function logTails(
  lineage: Pick<Lineage, 'blobs'>,
  trial: TrialDocument,
  replicate: ReplicateDocument | undefined,
): Promise<SubmitAnswer['logs']> {
  const runs = new Map((replicate?.trained?.runs ?? []).map((run) => [run.phase, run]));
  const logs = await Promise.all(
    [...runs.values()].flatMap(({ phase, log }) => {
      const most = LOG_LINES[phase];
      return most === undefined ? [] : [lineage.blobs.text(log).then((text) => tailOf(phase, text, most))];
    }),
  );
  const failure = trial.outcome?.failure ?? null;
  const told = failure === null || failure.phase === 'evaluate' || runs.has(failure.phase);
  const rest = told ? [] : [tailOf(failure.phase, failure.tail, TAIL_LINES)];
  return [...logs, ...rest].filter(({ lines }) => lines.length > 0);
}

const tailOf = (phase: string, text: string, most: number): SubmitAnswer['logs'][number] => ({
  phase,
  lines: text
    .split(/\r?\n/)
    // of a line that a progress bar wrote again and again, the last state
    .map((line) => line.split('\r').at(-1) ?? '')
    .filter((line) => line.trim() !== '')
    .slice(-most),
});

/** Reason of a failure, with its place in the recipe where a log has a traceback. */
export async function failureOf(
  lineage: Pick<Lineage, 'blobs'>,
  trial: TrialDocument,
  replicate: ReplicateDocument | undefined,
): Promise<SubmitAnswer['failure']> {
  const failure = trial.outcome?.failure ?? null;
  if (failure === null) return null;
  const { phase, reason, tail } = failure;
  const run = replicate?.trained?.runs.findLast((one) => one.phase === phase);
  const log = run === undefined ? tail : await lineage.blobs.text(run.log);
  const files = (await lineage.blobs.tree(trial.snapshot)).map(({ path }) => path);
  return { phase, reason, place: phase === 'evaluate' ? null : failurePlace(log, files) };
}

/** The last progress that a training told which then was cut; null where it ended by itself, or told none. */
export function cutProgress(replicate: ReplicateDocument | undefined): SubmitAnswer['progress'] {
  const trained = replicate?.trained ?? null;
  if (trained?.failure?.phase !== 'train') return null;
  return trained.progress.at(-1) ?? null;
}
