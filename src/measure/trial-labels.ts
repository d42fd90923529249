import { ignoresSeed, withoutNoise } from '../domain/decision/alike.js';
import { START } from '../domain/keys.js';
import { decisionMetric, type Task } from '../domain/task/task.js';
import { isSeedOnly } from '../domain/trial/seed-only.js';
import type { FileBytes } from '../lineage/blob-store/blobs.js';
import type { ReplicateDocument, TrialDocument } from '../lineage/documents/documents.js';
import type { Lineage } from '../lineage/lineage.js';
import { seededRuns } from '../lineage/trials/replicates.js';

/** Tells whether the runs of a trial so far do not depend on their seeds; of a start, whether they show no noise. */
export async function isSeedFixed(
  lineage: Lineage,
  task: Task,
  { owner, number }: TrialDocument,
  replicates: readonly ReplicateDocument[],
): Promise<boolean> {
  const metric = decisionMetric(task);
  const runs = seededRuns(replicates, metric);
  if (number === START) return withoutNoise(runs);
  // runs that take over one training are equal for that reason
  if (runs.length < 2 || replicates.some(({ trained }) => trained?.sharesTraining != null)) return false;
  const start = await lineage.trials.require(owner, START);
  return ignoresSeed(runs, seededRuns(await lineage.replicates.many(start.replicates), metric));
}

/** Tells whether a trial differs in nothing but seeds from its parent, or from the frontier that it would replace. */
export async function changesOnlySeed(
  lineage: Lineage,
  { owner, snapshot, parentSnapshot }: TrialDocument,
  frontier: number | null,
): Promise<boolean> {
  if (parentSnapshot === null || frontier === null) return false;
  if (await differsInSeeds(lineage, parentSnapshot, snapshot)) return true;
  const best = await lineage.trials.require(owner, frontier);
  return best.snapshot !== parentSnapshot && differsInSeeds(lineage, best.snapshot, snapshot);
}

/** Reads only the files that differ. */
async function differsInSeeds(lineage: Lineage, before: string, after: string): Promise<boolean> {
  const { blobs } = lineage;
  const [old, now] = [await blobs.tree(before), await blobs.tree(after)];
  const known = new Set(old.map(({ path, sha256 }) => `${sha256} ${path}`));
  const kept = new Set(now.map(({ path, sha256 }) => `${sha256} ${path}`));
  const left = old.filter(({ path, sha256 }) => !kept.has(`${sha256} ${path}`));
  const came = now.filter(({ path, sha256 }) => !known.has(`${sha256} ${path}`));
  // one that is only there on one side is no edit of a line
  if (left.length !== came.length) return false;
  const read = async (files: typeof left): Promise<FileBytes[]> => blobs.readFiles(files);
  return isSeedOnly(await read(left), await read(came));
}
