import { treeDigest } from '../domain/digest.js';
import { matchesGlob } from '../domain/text/paths.js';
import { filesBehind, phaseKey, seenBy, visibleFiles, type KeyedPhase } from '../domain/task/phase-key.js';
import { comparesTimes } from '../domain/task/task.js';
import { leaseSize } from '../domain/task/device-needs.js';
import { trainBudget } from '../domain/task/phase-clock.js';
import type { PhaseRun } from '../lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../lineage/documents/replicate.js';
import type { Saving } from '../lineage/documents/saving.js';
import type { StoredFile } from '../lineage/documents/snapshot.js';
import type { Lineage } from '../lineage/lineage.js';
import { finishedOf, type Finished, type PhaseOwner } from '../lineage/trials/phase-results.js';
import type { HostContext } from './host-context.js';
import { whereabouts } from './phases/kept-outputs.js';
import type { HostedTrial } from './load-trial.js';

/** Trial, replicate and files of one measurement: all that its phases' keys are made from. */
export interface Keyed {
  context: HostContext;
  work: HostedTrial;
  replicate: ReplicateDocument;
  files: readonly StoredFile[];
}

/**
 * The key of a phase, or null where its result may not be reused: the task does not say what training reads, or
 * nothing here holds the phase to what it says.
 */
export function keyOf(
  { context, work, replicate, files }: Keyed,
  phase: 'train' | 'pack',
  left: readonly StoredFile[] | null,
): string | null {
  const { hosted, campaign } = work;
  const { spec, python, manifest, digest } = hosted;
  const { isolation } = context.sandbox;
  const command = spec.phases[phase]?.run;
  if (spec.phases.train.reads.length === 0 || isolation.fs !== 'enforced' || command === undefined)
    return null;
  // each of several processes is cold
  if (spec.replicate.processes > 1) return null;
  const sees = seenBy(spec, phase);
  return phaseKey({
    phase,
    task: digest,
    command,
    files: filesBehind(spec, phase, files),
    data: sees.data || (phase === 'train' && spec.data?.reveal !== undefined) ? manifest : null,
    outputs: sees.outputs && left !== null ? treeDigest(left) : null,
    seed: replicate.seed,
    hostClass: replicate.hostClass,
    environment: { python: python.identity, ...isolation },
    trainSeconds: trainBudget(spec, campaign.frozen.trainSeconds),
  });
}

/**
 * The key of a prewarm: of what it reads of these files, its host's class and environment. Where times are compared
 * caches are those of one host, since what they hold may have been chosen by timing. Null where nothing here holds the
 * prewarm to what it says that it reads.
 */
export function prewarmKey(
  { context, work, replicate }: Pick<Keyed, 'context' | 'work' | 'replicate'>,
  files: readonly StoredFile[],
): string | null {
  const { spec, python, digest } = work.hosted;
  const { isolation } = context.sandbox;
  const { prewarm } = spec.phases;
  if (prewarm === undefined || isolation.fs !== 'enforced') return null;
  const host = comparesTimes(spec) ? context.host.name : '';
  return phaseKey({
    phase: 'prewarm',
    task: digest,
    command: prewarm.run,
    files: visibleFiles(seenBy(spec, 'prewarm'), files),
    ...{ data: null, outputs: null, seed: 0, trainSeconds: 0 },
    hostClass: replicate.hostClass,
    environment: { python: python.identity, ...isolation, host },
  });
}

export const ownerOfPhase = (replicate: ReplicateDocument, trial: number, phase: KeyedPhase): PhaseOwner => ({
  owner: replicate.owner,
  phase,
  replicate: replicate._id,
  trial,
});

/** Finished phases of a measurement; `warm` where its servers need no prewarm any more. */
export interface Results {
  train: Finished | null;
  pack: Finished | null;
  warm: boolean;
}

/** Finds the finished phases of a measurement. */
export async function resultsFor(of: Keyed): Promise<Results> {
  const trainKey = keyOf(of, 'train', null);
  const train = trainKey === null ? null : await finishedHere(of, trainKey);
  const packKey = train === null ? null : keyOf(of, 'pack', train.files);
  const { serve, prewarm } = of.work.hosted.spec.phases;
  return {
    train,
    pack: packKey === null ? null : await finishedHere(of, packKey),
    warm: serve === undefined || prewarm === undefined || (await finishedCache(of)).found !== null,
  };
}

/** Finds the finished cache for the servers of a measurement, with the key of its prewarm; null where it is not in the store. */
export async function finishedCache(of: Keyed): Promise<{ key: string | null; found: Finished | null }> {
  const key = prewarmKey(of, of.files);
  const found = key === null ? null : await of.context.lineage.phases.finished(of.replicate.owner, key);
  return { key, found: found?.onHost === null ? found : null };
}

/** Finds the result under a key, if its outputs are in reach of this host; they then stay while they are needed. */
export async function finishedHere({ context, replicate }: Keyed, key: string): Promise<Finished | null> {
  const found = await context.lineage.phases.finished(replicate.owner, key);
  if (found === null) return null;
  return (await whereabouts(context, replicate._id, found)) === 'here' ? found : null;
}

/** A training, and the replicate that needs what it leaves. */
export interface EqualTraining {
  owner: string;
  /** Key of the training, derived from what it reads. */
  key: string;
  replicate: string;
}

/** Finds the training that a measurement may share; null where it may share none. */
export function equalTraining(of: Keyed): EqualTraining | null {
  const key = keyOf(of, 'train', null);
  const { owner, _id: replicate } = of.replicate;
  return key === null ? null : { owner, key, replicate };
}

/** Returns true when a living attempt of another replicate trains the very same now. */
export async function isElsewhere(
  lineage: Lineage,
  { owner, key, replicate }: EqualTraining,
): Promise<boolean> {
  const found = await lineage.phases.entered(owner, key);
  if (found === null || found.replicate === replicate || finishedOf(found) !== null) return false;
  if (found.unkept) return false;
  return isAlive(lineage, found);
}

/** `elsewhere`: a living attempt of another replicate trains the very same now. */
export type Turn = { kind: 'mine' } | { kind: 'elsewhere' } | { kind: 'done'; result: Finished };

/**
 * Enters who holds a claim for its training, and says whose turn it is; a result that is out of reach is trained
 * again.
 */
export async function turnOf(context: HostContext, by: PhaseOwner, key: string): Promise<Turn> {
  const { lineage } = context;
  for (;;) {
    const found = await lineage.phases.begin(by, key);
    const result = finishedOf(found);
    if (result !== null) {
      const where = await whereabouts(context, by.replicate, result);
      return where === 'here' ? { kind: 'done', result } : { kind: 'mine' };
    }
    // what could not be kept once hardly can be now, and each who waited for it would be waited for in turn
    if (found.replicate === by.replicate || found.unkept) return { kind: 'mine' };
    if (await isAlive(lineage, found)) return { kind: 'elsewhere' };
    if (await lineage.phases.takeOver(by, key, found.replicate)) return { kind: 'mine' };
  }
}

/** Returns true when the attempt that is entered for a phase can still end it. */
async function isAlive(lineage: Lineage, entered: PhaseOwner): Promise<boolean> {
  const { holder, trained, purpose } = await lineage.replicates.get(entered.replicate);
  if (holder === null || trained !== null) return false;
  // trials that are compared for a claim, and a start that calibrates, have ended
  if (purpose !== 'search') return true;
  return (await lineage.trials.require(entered.owner, entered.trial)).status === null;
}

/** The run as it stands in the measurement that took it over. */
export const reusedRun = ({ run, trial }: Finished): PhaseRun => ({ ...run, reusedFrom: trial });

export function reuseSaving({ hosted }: HostedTrial, { phase, trial, replicate, run }: Finished): Saving {
  const acceleratorMs = Math.round((run.wallMs + (run.startMs ?? 0)) * leaseSize(hosted.spec.resources));
  return { kind: 'reuse', phase, trial, replicate, acceleratorMs };
}

/** Files of the recipe that agents may change and training does not read. */
export function unreadByTraining({ hosted }: HostedTrial, files: readonly StoredFile[]): string[] {
  const { spec } = hosted;
  const read = new Set(filesBehind(spec, 'train', files).map(({ path }) => path));
  const paths = files.map(({ path }) => path);
  return paths.filter((path) => matchesGlob(path, spec.recipe.editable) && !read.has(path));
}
