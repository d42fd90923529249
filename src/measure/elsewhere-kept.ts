import { setTimeout as sleep } from 'node:timers/promises';
import { definedFields } from '../domain/defined-fields.js';
import { AssayError } from '../domain/errors.js';
import type { HostPlace } from '../lineage/documents/on-host.js';
import type { ReplicateDocument, Trained } from '../lineage/documents/replicate.js';
import { ARTIFACT_LOST } from '../lineage/trials/replicates.js';
import type { HostContext } from './host-context.js';
import { whereabouts } from './phases/kept-outputs.js';
import { keyOf, type Keyed } from './reuse.js';

/** Work that needs files which another host keeps, and has to be done there. */
export interface KeptElsewhere {
  next: 'there';
  place: HostPlace;
}

/** Work on a host that may lack what another keeps. */
export interface Asking {
  /** Id of the folder whose host was asked in vain to do this. */
  tried?: string;
  /** True where that host answered that it may not do this, so that its files are given up although it lives. */
  refused?: true;
}

/** Part of a host that is asked where files are. */
type Keeping = Pick<HostContext, 'kept'> & {
  lineage: Pick<HostContext['lineage'], 'hosts' | 'replicates' | 'phases'>;
};

/** A living host reports each minute. */
const REPORTED_MS = 75_000;
const LOOK_EVERY_MS = 3000;

/** Times that one artifact may be lost before its campaign needs a person, who pardons them by resuming it. */
const LOST_ARTIFACTS = 3;

/**
 * Waits for a sign of life of a host that did not take the work in time. No clock is compared: a report has to change
 * while this looks.
 */
async function lives(
  { lineage }: Keeping,
  { folder }: HostPlace,
  role: 'trainer' | 'evaluator',
  signal: AbortSignal,
): Promise<boolean> {
  const before = await lineage.hosts.servedAt(folder, role);
  for (let waited = 0; before !== null && waited < REPORTED_MS; waited += LOOK_EVERY_MS) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    const now = await lineage.hosts.servedAt(folder, role);
    if (now === null) return false;
    if (now.getTime() !== before.getTime()) return true;
  }
  return false;
}

/**
 * Finds the host that training goes to first: the one that keeps what an earlier attempt has trained, or an equal
 * training. Null where there is none; what a host that does not answer has kept for this measurement is given up.
 */
export async function trainsThere(
  of: Keyed,
  asking: Asking,
  signal: AbortSignal,
): Promise<KeptElsewhere | null> {
  const { context, replicate } = of;
  const { tried } = asking;
  let { refused } = asking;
  const { checkpoint, _id: key } = replicate;
  const waits = async (at: HostPlace) => refused !== true && (await lives(context, at, 'trainer', signal));
  if (checkpoint !== null && checkpoint.onHost !== null) {
    const place = await placeOf(context, checkpoint.onHost);
    const where = await whereabouts(context, key, checkpoint);
    if (where === 'here') return null;
    if (where === 'elsewhere' && (place.folder !== tried || (await waits(place))))
      return { next: 'there', place };
    await context.lineage.replicates.loseCheckpoint(key, place);
    // its host was waited for once
    if (place.folder === tried) refused = true;
  }
  for (const place of await holdersOfMore(context, replicate)) {
    if (place.folder !== tried || (await waits(place))) return { next: 'there', place };
    await context.lineage.replicates.loseProcesses(key, place);
    refused = true;
  }
  const trainKey = keyOf(of, 'train', null);
  const again = definedFields({ tried, refused });
  return trainKey === null ? null : resultThere(context, replicate, trainKey, { ...again, signal });
}

/**
 * Lists the hosts that keep more finished processes of a measurement than this one, those with the most first: it goes
 * on where the fewest have to be trained again.
 */
async function holdersOfMore(
  context: Keeping,
  { _id: key, processes = [] }: ReplicateDocument,
): Promise<HostPlace[]> {
  const counts = new Map<string, { place: HostPlace; count: number }>();
  let here = 0;
  for (const finished of processes) {
    if (finished.onHost === null) continue;
    const where = await whereabouts(context, key, finished);
    if (where === 'here') here += 1;
    if (where !== 'elsewhere') continue;
    const { folder } = finished.onHost;
    const count = (counts.get(folder)?.count ?? 0) + 1;
    counts.set(folder, { place: await placeOf(context, finished.onHost), count });
  }
  return [...counts.values()]
    .filter(({ count }) => count > here)
    .sort((a, b) => b.count - a.count)
    .map(({ place }) => place);
}

/**
 * Finds the host that keeps the result of an equal training; null where there is none. One that is lost is marked as
 * gone, so that the training that follows takes its place.
 */
export async function resultThere(
  context: Keeping,
  { _id: key, owner }: Pick<ReplicateDocument, '_id' | 'owner'>,
  trainKey: string,
  { tried, refused, signal }: Asking & { signal: AbortSignal },
): Promise<KeptElsewhere | null> {
  const { phases } = context.lineage;
  const equal = await phases.finished(owner, trainKey);
  if (equal?.onHost == null) return null;
  const place = await placeOf(context, equal.onHost);
  const where = await whereabouts(context, key, equal);
  if (where === 'here') return null;
  if (where === 'elsewhere' && place.folder !== tried) return { next: 'there', place };
  const waits = where === 'elsewhere' && refused !== true;
  if (waits && (await lives(context, place, 'trainer', signal))) return null;
  await phases.markGone(
    place,
    equal.files.map(({ sha256 }) => sha256),
  );
  return null;
}

/**
 * Finds what to do with an artifact that is to be evaluated here: null when it is here, else the host that has it. One
 * that is lost is given up: in the search it is trained again.
 * @throws AssayError FILES_LOST, once, when it was lost again and again
 */
export async function evaluatesThere(
  context: Keeping,
  replicate: ReplicateDocument,
  artifact: NonNullable<Trained['artifact']>,
  { tried, refused, signal }: Asking & { signal: AbortSignal },
): Promise<KeptElsewhere | { next: 'lost' } | null> {
  const { onHost } = artifact;
  const { _id: key, purpose } = replicate;
  const where = await whereabouts(context, key, artifact);
  if (where === 'here' || onHost === null) return null;
  const place = await placeOf(context, onHost);
  if (where === 'elsewhere' && place.folder !== tried) return { next: 'there', place };
  const waits = where === 'elsewhere' && refused !== true;
  if (waits && (await lives(context, place, 'evaluator', signal))) return { next: 'there', place };
  await requireKeeping(context, replicate, place);
  const { replicates, phases } = context.lineage;
  const digests = artifact.files.map(({ sha256 }) => sha256);
  // nothing of a claim is trained after the first of its evaluations
  if (purpose === 'claim') await replicates.markGone(place, digests);
  else await replicates.loseArtifact(key, place);
  await phases.markGone(place, digests);
  return { next: 'lost' };
}

/** @throws AssayError FILES_LOST when hosts have lost this artifact too often since a person last looked */
async function requireKeeping(
  { lineage }: Keeping,
  { _id: key, faults, fence }: ReplicateDocument,
  { host }: HostPlace,
): Promise<void> {
  const seen = faults.findLastIndex(({ code }) => code === 'FILES_LOST');
  const lost = faults.slice(seen + 1).filter(({ code }) => code === ARTIFACT_LOST);
  if (lost.length < LOST_ARTIFACTS) return;
  const reason = `the artifact of ${key} was lost ${LOST_ARTIFACTS} times with its host before it was evaluated`;
  await lineage.replicates.fault(key, { fence, what: 'evaluate', reason, code: 'FILES_LOST', host });
  throw new AssayError('FILES_LOST', reason);
}

/** The place of kept files, by the name that its host has now: the queue of a host carries its name. */
async function placeOf(
  { lineage }: { lineage: Pick<Keeping['lineage'], 'hosts'> },
  { host, folder }: HostPlace,
): Promise<HostPlace> {
  return { host: (await lineage.hosts.nameAt(folder)) ?? host, folder };
}
