import type { Believed } from '../../domain/decision/lesson.js';
import { trialLabel } from '../../domain/keys.js';
import type { TrialStage, TrialStatus } from '../../domain/statuses.js';
import type { Label } from '../../domain/trial/labels.js';
import { believedThen } from '../../lineage/decisions/believed.js';
import type { Trained } from '../../lineage/documents/replicate.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { isoOrNull, labelOrNull } from './campaign-header.js';

/** One trial in a list. Times are ISO 8601 in UTC, durations milliseconds. */
export interface TrialSummary {
  /** `t00007`. */
  trial: string;
  number: number;
  role: string;
  lane: string;
  parent: string | null;
  /** null while it runs; then `stage` says where it is. */
  status: TrialStatus | null;
  stage: TrialStage;
  /** Labels that qualify its status. */
  labels: Label[];
  /** Time at which it reached its stage. */
  stageAt: string;
  score: number | null;
  /** score − parent's score; null where either is missing. */
  delta: number | null;
  /** Belief about its true score when it was decided; null where there is none. */
  believed: Believed | null;
  expectedDelta: number | null;
  /** Domain of the task that the edit is of; null where it was not told. */
  domain: string | null;
  hypothesis: string;
  /** Reason why it ended as it did, or waits for a person; empty while it runs. */
  lesson: string;
  duplicateOf: string | null;
  submittedAt: string;
  endedAt: string | null;
  /** From submit to its end, or to now. */
  elapsedMs: number;
  /** Accelerator time that reuse or an early stop made unnecessary, in milliseconds of one slot. */
  savedMs: number;
}

/** The trials as lines, in their order; four reads, however many there are. */
export async function trialSummaries(
  lineage: Lineage,
  owner: string,
  trials: readonly TrialDocument[],
  now: Date,
): Promise<TrialSummary[]> {
  const known = new Map(trials.map((trial) => [trial.number, trial]));
  const missing = trials.flatMap(({ parent }) => (parent === null || known.has(parent) ? [] : [parent]));
  for (const parent of await lineage.trials.many(owner, [...new Set(missing)]))
    known.set(parent.number, parent);
  const replicates = await lineage.replicates.many(trials.flatMap((trial) => trial.replicates));
  const saved = new Map(replicates.map(({ _id, trained }) => [_id, savedBy(trained)]));
  const believed = await believedThen(
    lineage,
    trials.map(({ outcome }) => outcome?.decision),
  );
  return trials.map((trial) => {
    const parent = trial.parent === null ? undefined : known.get(trial.parent);
    const savedMs = trial.replicates.reduce((sum, key) => sum + (saved.get(key) ?? 0), 0);
    return lineOf(trial, {
      parentScore: parent?.outcome?.score ?? null,
      believed: believed.get(trial.outcome?.decision ?? '') ?? null,
      savedMs,
      now,
    });
  });
}

const savedBy = (trained: Trained | null): number =>
  trained?.saved.reduce((sum, { acceleratorMs }) => sum + acceleratorMs, 0) ?? 0;

interface Beside {
  parentScore: number | null;
  believed: Believed | null;
  savedMs: number;
  now: Date;
}

function lineOf(trial: TrialDocument, { parentScore, believed, savedMs, now }: Beside): TrialSummary {
  const score = trial.outcome?.score ?? null;
  return {
    trial: trialLabel(trial.number),
    number: trial.number,
    role: trial.role,
    lane: trial.lane,
    parent: labelOrNull(trial.parent),
    status: trial.status,
    stage: trial.stage,
    labels: trial.outcome?.labels ?? [],
    stageAt: trial.stageAt.toISOString(),
    score,
    delta: score === null || parentScore === null ? null : score - parentScore,
    believed,
    expectedDelta: trial.expectedDelta,
    domain: trial.domain,
    hypothesis: trial.hypothesis,
    lesson: trial.outcome?.lesson ?? trial.parked?.reason ?? '',
    duplicateOf: labelOrNull(trial.outcome?.duplicateOf ?? null),
    submittedAt: trial.submittedAt.toISOString(),
    endedAt: isoOrNull(trial.endedAt),
    elapsedMs: (trial.endedAt ?? now).getTime() - trial.submittedAt.getTime(),
    savedMs,
  };
}
