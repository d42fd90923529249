import { AssayError } from '../../domain/errors.js';
import { trialWorkflowId } from '../../domain/keys.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { Lineage } from '../../lineage/lineage.js';
import { measurementsOf } from './measurements.js';
import { runsOf } from './trial-record.js';

/** The stored log of one phase; the sandbox keeps its end when it was longer than the task allows. */
export interface PhaseLog {
  phase: string;
  /** Purpose of the run: the search, or a fresh run for a claim. */
  purpose: ReplicateDocument['purpose'];
  replicate: number;
  wallMs: number;
  /** Bytes that the phase wrote; more than `text` holds where the log was cut. */
  writtenBytes: number;
  text: string;
  /** The number of the trial that ran it, where its result was taken over; else null. */
  reusedFrom: number | null;
}

/** `assay.log/1`. */
export interface LogModel {
  schema: 'assay.log/1';
  trial: string;
  logs: PhaseLog[];
}

/** @throws AssayError LOG_MISSING when no such phase has ended yet */
export async function logModel(
  lineage: Lineage,
  campaign: string,
  number: number,
  phase: string | undefined,
): Promise<LogModel> {
  const { owner } = await lineage.campaigns.byName(campaign);
  const trial = await lineage.trials.require(owner, number);
  const replicates = await measurementsOf(lineage, trial);
  const logs: PhaseLog[] = [];
  for (const replicate of replicates)
    for (const run of runsOf(replicate))
      if (phase === undefined || run.phase === phase)
        logs.push({
          phase: run.phase,
          purpose: replicate.purpose,
          replicate: replicate.index,
          wallMs: run.wallMs,
          writtenBytes: run.logBytes,
          text: await lineage.blobs.text(run.log),
          reusedFrom: run.reusedFrom,
        });
  const { failure } = trial.outcome ?? { failure: trial.preflight };
  const early =
    replicates.length === 0 && failure !== null && (phase === undefined || phase === failure.phase);
  if (early)
    logs.push({
      phase: failure.phase,
      purpose: 'search',
      replicate: 0,
      wallMs: 0,
      writtenBytes: Buffer.byteLength(failure.tail),
      text: failure.tail,
      reusedFrom: null,
    });
  const id = trialWorkflowId(campaign, number);
  if (logs.length > 0) return { schema: 'assay.log/1', trial: id, logs };
  const which = phase === undefined ? 'log' : `log of ${phase}`;
  throw new AssayError('LOG_MISSING', `${id} has no stored ${which} (it is ${trial.status ?? trial.stage})`, {
    remedy: `\`assay show ${id}\` shows which phases ran; a log is stored when its phase has ended.`,
  });
}
