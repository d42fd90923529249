import type { TrialRow } from '../../domain/session/view.js';
import { mostMoved } from '../../domain/text/table-changes.js';
import { lessonFacts } from '../decisions/lesson-facts.js';
import type { TrialDocument } from '../documents/trial.js';
import type { Lineage } from '../lineage.js';

/** Builds the row of a trial; its delta is against its parent's score. */
export async function rowOf(
  lineage: Pick<Lineage, 'trials' | 'decisions'>,
  trial: TrialDocument,
): Promise<TrialRow> {
  const [row] = await rowsOf(lineage, [trial]);
  if (row === undefined) throw new RangeError('one trial has one row');
  return row;
}

/** Builds the rows of trials of one campaign, in their order. */
export async function rowsOf(
  lineage: Pick<Lineage, 'trials' | 'decisions'>,
  trials: readonly TrialDocument[],
): Promise<TrialRow[]> {
  const [first] = trials;
  if (first === undefined) return [];
  const [parents, decisions] = await Promise.all([
    lineage.trials.many(first.owner, [...new Set(trials.flatMap(({ parent }) => parent ?? []))]),
    lineage.decisions.many(trials.flatMap(({ outcome }) => outcome?.decision ?? [])),
  ]);
  const byNumber = new Map(parents.map((parent) => [parent.number, parent]));
  const facts = new Map(decisions.map((decision) => [decision._id, lessonFacts(decision)]));
  return trials.map((trial) => {
    const parent = trial.parent === null ? undefined : byNumber.get(trial.parent);
    const decided = facts.get(trial.outcome?.decision ?? '');
    return rowFrom(trial, parent, decided);
  });
}

function rowFrom(
  trial: TrialDocument,
  parent: TrialDocument | undefined,
  decided: ReturnType<typeof lessonFacts> | undefined,
): TrialRow {
  const { outcome } = trial;
  const score = outcome?.score ?? null;
  const before = parent?.outcome ?? null;
  const spread = decided?.spread ?? null;
  return {
    trial: trial.number,
    role: trial.role,
    parent: trial.parent,
    hypothesis: trial.hypothesis,
    status: trial.status,
    labels: outcome?.labels ?? [],
    score,
    runs: decided?.scores.length ?? null,
    noise: spread === null ? null : { sd: spread.sd, runs: spread.runs },
    delta: score === null || before?.score == null ? null : score - before.score,
    expectedDelta: trial.expectedDelta,
    believed: decided?.believedOwn ?? null,
    margins: outcome?.margins ?? [],
    changes: trial.changes,
    moved: before === null ? null : mostMoved(outcome?.feedback ?? '', before.feedback),
    lesson: outcome?.lesson ?? '',
  };
}
