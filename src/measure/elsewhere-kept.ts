import { setTimeout as sleep } from 'node:timers/promises';
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

/** What is asked of a host that may lack files. */
type Keeping = Pick<HostContext, 'kept'> & {
  lineage: Pick<HostContext['lineage'], 'hosts' | 'replicates' | 'phases'>;
};

/** A living host reports each minute. */
const REPORTED_MS = 75_000;
const LOOK_EVERY_MS = 3000;

/** Times that one artifact may be lost before its campaign needs a person. */
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
  { tried, refused }: Asking,
  signal: AbortSignal,
): Promise<KeptElsewhere | null> {
  const { context, replicate } = of;
  const { checkpoint, _id: key, owner } = replicate;
  const waits = async (at: HostPlace) => refused !== true && (await lives(context, at, 'trainer', signal));
  if (checkpoint !== null && checkpoint.onHost !== null) {
    const place = placeOf(checkpoint.onHost);
    const where = await whereabouts(context, key, checkpoint);
    if (where === 'here') return null;
    if (where === 'elsewhere' && (place.folder !== tried || (await waits(place))))
      return { next: 'there', place };
    await context.lineage.replicates.loseCheckpoint(key, place);
  }
  const trainKey = keyOf(of, 'train', null);
  const equal = trainKey === null ? null : await context.lineage.phases.finished(owner, trainKey);
  if (equal?.onHost == null || equal.onHost.folder === tried) return null;
  const where = await whereabouts(context, key, equal);
  return where === 'elsewhere' ? { next: 'there', place: placeOf(equal.onHost) } : null;
}

/**
 * Finds what to do with an artifact that is to be evaluated here: null when it is here, else the host that has it. One
 * that is lost is given up: in the search it is trained again.
 * @throws AssayError HOST_FAULT when it was lost again and again
 */
export async function evaluatesThere(
  context: Keeping,
  { _id: key, faults, purpose }: ReplicateDocument,
  artifact: NonNullable<Trained['artifact']>,
  { tried, refused, signal }: Asking & { signal: AbortSignal },
): Promise<KeptElsewhere | { next: 'lost' } | null> {
  const { onHost } = artifact;
  const where = await whereabouts(context, key, artifact);
  if (where === 'here' || onHost === null) return null;
  const place = placeOf(onHost);
  if (where === 'elsewhere' && place.folder !== tried) return { next: 'there', place };
  const waits = where === 'elsewhere' && refused !== true;
  if (waits && (await lives(context, place, 'evaluator', signal))) return { next: 'there', place };
  if (faults.filter(({ code }) => code === ARTIFACT_LOST).length >= LOST_ARTIFACTS)
    throw new AssayError(
      'HOST_FAULT',
      `the artifact of ${key} was lost ${LOST_ARTIFACTS} times with its host before it was evaluated`,
    );
  const { replicates, phases } = context.lineage;
  const digests = artifact.files.map(({ sha256 }) => sha256);
  // nothing of a claim is trained after the first of its evaluations
  if (purpose === 'claim') await replicates.markGone(place, digests);
  else await replicates.loseArtifact(key, place);
  await phases.markGone(place, digests);
  return { next: 'lost' };
}

const placeOf = ({ host, folder }: HostPlace): HostPlace => ({ host, folder });
