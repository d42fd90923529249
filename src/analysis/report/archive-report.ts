import type { ArchiveRun, Contradiction } from '../archive/archive-run.js';
import { runFacts } from './run-facts.js';
import { runReport, type FinishedReport } from './run-report.js';

/** Report on one run of an archive: it is only read, and nothing that it says is believed. */
export function archiveReport({
  run,
  contradictions,
}: {
  run: ArchiveRun;
  contradictions: Contradiction[];
}): FinishedReport {
  const { trajectory, rows, repairs, refused } = run;
  const facts = runFacts(trajectory);
  const archive = { rows, repairs, refused, contradictions };
  const front = {
    claimed:
      'nothing. This is an archive of another search, read as it is: its scores are those that it recorded, and none was measured here',
    person: contradictions.length === 0 ? [] : ['the archive contradicts itself, see the last section'],
  };
  const document = runReport(
    trajectory,
    { facts, front, archive, more: [] },
    `An imported search, foreign to this store. Ranked by ${trajectory.metric.name}, which is ${trajectory.metric.direction}d.`,
  );
  return {
    document,
    trajectory,
    claimed: 'nothing: an archive is read as it is',
    facts: { name: trajectory.name, source: 'archive', metric: trajectory.metric, archive, ...facts },
  };
}
