import type { Db } from 'mongodb';
import { randomBytes } from 'node:crypto';
import { treeDigest } from '../domain/digest.js';
import { AssayError } from '../domain/errors.js';
import { splitReference } from '../domain/task/profiles.js';
import type { Task } from '../domain/task/task.js';
import type { Blobs, FileBytes } from './blob-store/blobs.js';
import { type TaskDocument } from './documents/task.js';
import { KINDS } from './document-kinds.js';
import { TypedCollection } from './typed-collection.js';

/** Tasks by digest, and the digest that each name currently stands for. */
export class Tasks {
  private readonly tasks;
  private readonly names;

  constructor(
    database: Db,
    private readonly blobs: Blobs,
  ) {
    this.tasks = new TypedCollection(database, KINDS.tasks);
    this.names = new TypedCollection(database, KINDS.taskNames);
  }

  /** Stores a task folder, which is known by its digest from then on; its name stands for what it stood for. */
  async store(spec: Task, files: readonly FileBytes[]): Promise<TaskDocument> {
    const stored = await this.blobs.putFiles(files);
    const digest = treeDigest(stored);
    await this.tasks.insertOnce({
      _id: digest,
      name: spec.name,
      spec,
      files: stored,
      dataSecret: randomBytes(32).toString('hex'),
      manifest: null,
      pushedAt: new Date(),
    });
    return this.get(digest);
  }

  /**
   * Stores a task folder. Its reference, the name of a task with that of a profile which is not its default, points to
   * it from then on, unless a person has given that one to another.
   */
  async push(
    spec: Task,
    files: readonly FileBytes[],
    by: 'person' | 'bundled',
    reference = spec.name,
  ): Promise<TaskDocument> {
    const stored = await this.store(spec, files);
    const { _id: digest } = stored;
    await this.names.insertOnce({ _id: reference, digest, by });
    const renamed = by === 'person' ? { _id: reference } : { _id: reference, by };
    await this.names.update(renamed, { $set: { digest, by } });
    return stored;
  }

  async get(digest: string): Promise<TaskDocument> {
    return this.tasks.require(digest);
  }

  /** Returns true when a person, not assay itself, has given this name to a task. */
  async isPushed(name: string): Promise<boolean> {
    return (await this.names.get(name))?.by === 'person';
  }

  /** Finds a task by name or by digest. */
  async find(reference: string): Promise<TaskDocument | null> {
    const name = await this.names.get(reference);
    return this.tasks.get(name?.digest ?? reference);
  }

  /** Tasks by name, in their default profiles. */
  async list(): Promise<TaskDocument[]> {
    const names = (await this.names.list({}, { sort: { _id: 1 }, limit: 1000 })).filter(
      ({ _id }) => splitReference(_id).profile === null,
    );
    return (await this.tasks.many(names.map((name) => name.digest))).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  }

  /** Profiles of a named task that a reference leads to, the default first; empty for a task without any. */
  async profiles(name: string): Promise<string[]> {
    const usual = (await this.find(name))?.spec.profile;
    const named = await this.names.list(
      { _id: { $gt: `${name}@`, $lt: `${name}A` } },
      { sort: { _id: 1 }, limit: 1000 },
    );
    const others = named.flatMap(({ _id }) => splitReference(_id).profile ?? []);
    return [...new Set([...(usual === undefined ? [] : [usual]), ...others])];
  }

  /**
   * Records the manifest of the prepared data, as the first host wrote it.
   * @throws AssayError DATA_MISMATCH when this host prepared something else
   */
  async agreeOnManifest(digest: string, manifest: string): Promise<void> {
    await this.tasks.update({ _id: digest, manifest: null }, { $set: { manifest } });
    const stored = await this.get(digest);
    if (stored.manifest !== manifest)
      throw new AssayError(
        'DATA_MISMATCH',
        `the prepared data of "${stored.name}" on this host differs from what other hosts use`,
      );
  }
}
