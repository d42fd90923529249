import type { Db } from 'mongodb';
import { z } from 'zod';
import type { SeededRun } from '../../domain/decision/alike.js';
import { AssayError } from '../../domain/errors.js';
import { seedOf } from '../../domain/digest.js';
import { shifted } from '../../domain/devices/calibration.js';
import { TIME_RATIO } from '../../domain/task/task.js';
import { LOST } from '../../domain/trial/lost-workers.js';
import type { Fault } from '../documents/fault.js';
import type { HostPlace } from '../documents/on-host.js';
import {
  trainedSchema,
  type Checkpoint,
  type Evaluated,
  type FinishedProcess,
  type Holder,
  type ReplicateDocument,
  type Trained,
} from '../documents/replicate.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';

/** Identity of a measurement. */
export interface ReplicateIdentity {
  owner: string;
  snapshot: string;
  purpose: ReplicateDocument['purpose'];
  index: number;
  hostClass: string;
  /**
   * Digest of what training reads of the snapshot, so that replicates that train the same have the same seed.
   */
  reads?: string;
  /** What is added to its metrics, see the document. */
  shift?: Record<string, number>;
}

export function replicateKey(identity: Omit<ReplicateIdentity, 'reads' | 'shift'>): string {
  const { owner, snapshot, purpose, index, hostClass } = identity;
  return `${owner}/${snapshot}/${purpose}-${index}/${hostClass}`;
}

type Results = Pick<ReplicateDocument, 'trained' | 'evaluated' | 'shift'>;

/** Returns all metrics measured of a replicate, as they would be on the campaign's first class of hosts. */
export function metricsOf({ trained, evaluated, shift }: Results): Record<string, number> {
  return shifted({ ...trained?.metrics, ...evaluated?.metrics }, shift);
}

/** A replicate with its metrics as they would be on the campaign's first class of hosts. */
export function onFirstClass<R extends Results>(replicate: R): R {
  const { trained, evaluated, shift } = replicate;
  const moved = <T extends { metrics: Record<string, number> } | null>(results: T): T =>
    results === null ? results : { ...results, metrics: shifted(results.metrics, shift) };
  return { ...replicate, trained: moved(trained), evaluated: moved(evaluated) };
}

/**
 * Returns the measurements of one metric, without the runs that do not have it. For times the artifact is left out,
 * since equal ones are trained in different times.
 */
export const seededRuns = (runs: readonly ReplicateDocument[], metric: string): SeededRun[] =>
  runs.flatMap((run) => {
    const score = metricsOf(run)[metric];
    return score === undefined
      ? []
      : [{ score, artifact: metric === TIME_RATIO ? null : (run.trained?.artifact?.digest ?? null) }];
  });

const FAULTS_KEPT = 50;

/** Code of the fault of a replicate whose artifact was lost with its host. */
export const ARTIFACT_LOST = 'ARTIFACT_LOST';
/** The same of what training left, which costs no evaluation. */
const CHECKPOINT_LOST = 'CHECKPOINT_LOST';

const codesShape = z.object({ faults: z.array(z.object({ code: z.string().nullable().default(null) })) });
const speedsShape = z.object({ trained: trainedSchema.pick({ runs: true }) });

/** Measurements and the attempts at them. Results are published once, by the attempt that holds the fence. */
export class Replicates {
  private readonly collection;

  constructor(database: Db) {
    this.collection = new TypedCollection(database, KINDS.replicates);
  }

  /** Returns the replicate, created with its seed on first use. */
  async open(
    { reads, shift = {}, ...identity }: ReplicateIdentity,
    trial: number,
    secret: string,
  ): Promise<ReplicateDocument> {
    const id = replicateKey(identity);
    const found = await this.collection.get(id);
    if (found !== null) return found;
    await this.collection.insertOnce({
      _id: id,
      ...identity,
      shift,
      // a control differs from the run that it is compared with in its host alone
      seed: seedOf(
        secret,
        identity.purpose === 'control' ? 'search' : identity.purpose,
        reads ?? identity.snapshot,
        identity.index,
      ),
      trial,
      fence: 0,
      holder: null,
      checkpoint: null,
      trained: null,
      evaluated: null,
      faults: [],
    });
    return this.collection.require(id);
  }

  /** Reads the host's speed in the trainings of a campaign on one host class, where it was known. */
  async trainingSpeeds(owner: string, hostClass: string): Promise<number[]> {
    const runs: number[] = [];
    const found = this.collection.raw.find(
      { owner, hostClass, trained: { $ne: null } },
      { projection: { 'trained.runs': 1 } },
    );
    for await (const document of found)
      for (const { phase, hostSpeed, reusedFrom } of speedsShape.parse(document).trained.runs)
        if (phase === 'train' && hostSpeed !== null && reusedFrom === null) runs.push(hostSpeed);
    return runs;
  }

  async get(key: string): Promise<ReplicateDocument> {
    return this.collection.require(key);
  }

  async many(keys: readonly string[]): Promise<ReplicateDocument[]> {
    return this.collection.many(keys);
  }

  /**
   * Begins a new attempt: earlier ones can no longer publish. A holder that never released it was lost with its
   * process, which is recorded as an infrastructure fault.
   */
  async beginAttempt(key: string, holder: Holder): Promise<ReplicateDocument> {
    const before = await this.collection.require(key);
    if (before.holder !== null)
      await this.fault(key, {
        fence: before.fence,
        what: before.holder.what,
        reason: 'the attempt was lost with its worker',
        code: LOST,
        host: before.holder.host,
      });
    const begun = await this.collection.change({ _id: key }, { $inc: { fence: 1 }, $set: { holder } });
    if (begun === null) throw new AssayError('STORE_DOCUMENT', `replicate ${key} is missing`);
    return begun;
  }

  /** Ends an attempt without a result. */
  async release(key: string, fence: number): Promise<void> {
    await this.collection.update({ _id: key, fence }, { $set: { holder: null } });
  }

  /** Invalidates every attempt on these replicates without a successor: none can publish any more. */
  async giveUp(keys: readonly string[]): Promise<void> {
    for (const key of keys)
      await this.collection.update(
        { _id: key, holder: { $ne: null }, $or: [{ trained: null }, { evaluated: null }] },
        { $inc: { fence: 1 }, $set: { holder: null } },
      );
  }

  async fault(key: string, fault: Omit<Fault, 'at'>): Promise<void> {
    await this.collection.update(
      { _id: key },
      { $push: { faults: { $each: [{ ...fault, at: new Date() }], $slice: -FAULTS_KEPT } } },
    );
  }

  /** Counts the faults with a code of all measurements of a snapshot for one purpose. */
  async faultCount(
    { owner, snapshot, purpose }: Pick<ReplicateDocument, 'owner' | 'snapshot' | 'purpose'>,
    code: string,
  ): Promise<number> {
    const found = this.collection.raw.find(
      { owner, snapshot, purpose, 'faults.code': code },
      { projection: { 'faults.code': 1 } },
    );
    let count = 0;
    for await (const document of found)
      count += codesShape.parse(document).faults.filter((fault) => fault.code === code).length;
    return count;
  }

  /** Stores the checkpoint; the first one counts, and an overtaken attempt writes nothing. */
  async keepCheckpoint(key: string, checkpoint: Checkpoint): Promise<void> {
    await this.collection.update(
      { _id: key, fence: checkpoint.fence, trained: null, checkpoint: null },
      { $set: { checkpoint } },
    );
  }

  /** Stores a finished process, in place of one of its number out of reach; an overtaken attempt writes nothing. */
  async keepProcess(key: string, finished: FinishedProcess): Promise<void> {
    const { processes = [] } = await this.collection.require(key);
    const others = processes.filter(({ process }) => process !== finished.process);
    // no other attempt adds any while this one has the fence
    await this.collection.update(
      { _id: key, fence: finished.fence, trained: null },
      { $set: { processes: [...others, finished] } },
    );
  }

  /** Records that the processes kept on a host are lost, so that they are trained again. */
  async loseProcesses(key: string, place: HostPlace): Promise<void> {
    const { processes = [], fence } = await this.collection.require(key);
    const left = processes.filter(({ onHost }) => onHost?.folder !== place.folder);
    if (left.length === processes.length) return;
    const change = { $set: { processes: left } };
    if (await this.collection.update({ _id: key, fence, trained: null }, change))
      await this.fault(key, await this.lost(key, place, CHECKPOINT_LOST));
  }

  /** Drops what was kept of a training that has to be done again. */
  async dropCheckpoint(key: string, fence: number): Promise<void> {
    await this.collection.update({ _id: key, fence, trained: null }, { $set: { checkpoint: null } });
  }

  /** Records that the outputs of training kept on a host are lost, so that it trains again. */
  async loseCheckpoint(key: string, place: HostPlace): Promise<void> {
    const filter = { _id: key, 'checkpoint.onHost.folder': place.folder, trained: null };
    if (await this.collection.update(filter, { $set: { checkpoint: null } }))
      await this.fault(key, await this.lost(key, place, CHECKPOINT_LOST));
  }

  /**
   * Records that an artifact is lost before it was evaluated, so that it is trained again: no attempt before that can
   * publish.
   */
  async loseArtifact(key: string, place: HostPlace): Promise<void> {
    const filter = { _id: key, 'trained.artifact.onHost.folder': place.folder, evaluated: null };
    const again = { trained: null, checkpoint: null, processes: [], holder: null };
    if (await this.collection.update(filter, { $set: again, $inc: { fence: 1 } }))
      await this.fault(key, await this.lost(key, place, ARTIFACT_LOST));
  }

  private async lost(key: string, { host }: HostPlace, code: string): Promise<Omit<Fault, 'at'>> {
    const { fence } = await this.collection.require(key);
    const what = code === ARTIFACT_LOST ? 'its artifact' : 'what training left';
    const reason = `${what} was kept on ${host} and is lost with it`;
    return { fence, what: 'train', reason, code, host };
  }

  /** Marks artifacts of which a host keeps some file no more; their scores stay valid. */
  async markGone({ folder }: HostPlace, digests: readonly string[]): Promise<void> {
    await this.collection.raw.updateMany(
      {
        'trained.artifact.onHost.folder': folder,
        'trained.artifact.onHost.gone': null,
        'trained.artifact.files.sha256': { $in: [...digests] },
      },
      { $set: { 'trained.artifact.onHost.gone': new Date() } },
    );
  }

  /** @throws AssayError OVERTAKEN when a later attempt has begun and has not published */
  async publishTrained(key: string, trained: Trained): Promise<Trained> {
    await this.collection.update(
      { _id: key, fence: trained.fence, trained: null },
      { $set: { trained, holder: null, checkpoint: null, processes: [] } },
    );
    return this.published((await this.collection.require(key)).trained, key, trained.fence);
  }

  /** @throws AssayError OVERTAKEN when a later attempt has begun and has not published */
  async publishEvaluated(key: string, evaluated: Evaluated): Promise<Evaluated> {
    await this.collection.update(
      { _id: key, fence: evaluated.fence, evaluated: null },
      { $set: { evaluated, holder: null } },
    );
    return this.published((await this.collection.require(key)).evaluated, key, evaluated.fence);
  }

  private published<T>(result: T | null, key: string, fence: number): T {
    if (result !== null) return result;
    throw new AssayError('OVERTAKEN', `attempt ${fence} on ${key} was overtaken before it could publish`);
  }
}
