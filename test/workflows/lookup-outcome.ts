import { estimateIn } from '../../src/lineage/documents/decision.js';
import type { Lineage } from '../../src/lineage/lineage.js';
import { editsIn, GAIN, LARGE, NOTHING, trueScore, type LookupTable } from '../model/lookup-model.js';

/** Result of a campaign on the task `lookup`. */
export interface LookupOutcome {
  /** Edits in the recipe of its frontier. */
  adopted: { large: boolean; gains: number; nothing: number };
  /** Runs of all trials, the start's included. */
  runs: number;
  statuses: Record<string, number>;
  /** Score of the frontier as the rule believes it, and the true one. */
  believed: number;
  truth: number;
  /** Standard deviation of a run that the last decision judged by; null where it knew none. */
  noise: number | null;
}

/** Reads the results of an ended campaign, and looks the truth up. */
export async function lookupOutcome(
  lineage: Lineage,
  table: LookupTable,
  name: string,
): Promise<LookupOutcome> {
  const { owner } = await lineage.campaigns.byName(name);
  const last = await lineage.decisions.last(owner);
  if (last === null) throw new Error(`${name} has decided nothing`);
  const { trial, score } = last.frontier;
  const trials = await lineage.trials.latest(owner, 1000);
  const statuses: Record<string, number> = {};
  for (const { status } of trials) statuses[status ?? 'none'] = (statuses[status ?? 'none'] ?? 0) + 1;
  const { snapshot } = await lineage.trials.require(owner, trial);
  const files = await lineage.blobs.readTree(snapshot);
  const recipe = files.map(({ bytes }) => Buffer.from(bytes).toString('utf8')).join('\n');
  const edits = editsIn(table, recipe);
  const of = (kind: string): number => edits.filter((edit) => edit.startsWith(kind)).length;
  return {
    adopted: { large: edits.includes(LARGE), gains: of(GAIN), nothing: of(NOTHING) },
    runs: trials.reduce((sum, { replicates }) => sum + replicates.length, 0),
    statuses,
    believed: (last.rule === 'posterior' ? estimateIn(last, trial)?.mean : null) ?? score,
    truth: trueScore(table, edits),
    noise: last.result.sd,
  };
}
