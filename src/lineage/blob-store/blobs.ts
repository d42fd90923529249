import { readFile } from 'node:fs/promises';
import { Binary, MongoRuntimeError, type Db, type ObjectId } from 'mongodb';
import type { z } from 'zod';
import type { Clock } from '../../domain/campaign/clock.js';
import { sha256, treeDigest } from '../../domain/digest.js';
import { AssayError } from '../../domain/errors.js';
import { blobDocument } from '../documents/blob.js';
import type { StoredFile } from '../documents/snapshot.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';
import type { ContentStore, FileOnHost } from './content-store.js';
import { chunksOf, digestOf, writeDigested } from './digested-bytes.js';
import { LargeFiles } from './large-files.js';
import { renew } from './stored-at.js';

/** Above this many bytes a blob goes to GridFS; the fallback store drops a connection that sends over 16 MB. */
const INLINE_LIMIT = 4 * 1024 * 1024;

/** A file in memory. */
export interface FileBytes {
  path: string;
  bytes: Uint8Array;
}

/** Place of the bytes of a blob: in its document, or in a large file. */
interface Placed {
  bytes: number;
  inline: Binary | null;
  file: ObjectId | null;
}

/** Content-addressed bytes and trees: stored content never changes, and storing it again does nothing. */
export class Blobs implements ContentStore {
  private readonly blobs;
  private readonly snapshots;
  private readonly large;

  constructor(
    database: Db,
    private readonly clock: Clock,
  ) {
    this.blobs = new TypedCollection(database, KINDS.blobs);
    this.snapshots = new TypedCollection(database, KINDS.snapshots);
    this.large = new LargeFiles(database);
  }

  /** Stores bytes and returns their digest. */
  async put(content: string | Uint8Array): Promise<string> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const digest = sha256(bytes);
    if (bytes.byteLength > INLINE_LIMIT) await this.store(digest, () => this.upload(digest, [bytes]));
    else
      await this.store(digest, () =>
        Promise.resolve({ bytes: bytes.byteLength, inline: new Binary(bytes), file: null }),
      );
    return digest;
  }

  async putFile({ path, sha256: digest, bytes }: FileOnHost): Promise<void> {
    if (bytes > INLINE_LIMIT) await this.store(digest, () => this.upload(digest, chunksOf(path)));
    else if ((await this.put(await readFile(path))) !== digest) throw changed(path, digest);
  }

  async has(digest: string): Promise<boolean> {
    return renew(this.blobs, digest, this.clock.wall());
  }

  /** Known content may be freed while its time is renewed, and new content be stored by another process first. */
  private async store(digest: string, place: () => Promise<Placed>): Promise<void> {
    while (!(await this.has(digest))) {
      const placed = await place();
      if (await this.blobs.insertOnce({ _id: digest, ...placed, storedAt: this.clock.wall() })) return;
      if (placed.file !== null) await this.large.delete(placed.file);
    }
  }

  private async upload(
    digest: string,
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<Placed> {
    const { bytes, sha256: found, file } = await this.large.upload(digest, source);
    if (found === digest) return { bytes, inline: null, file };
    await this.large.delete(file);
    throw changed('a file', digest);
  }

  /** Returns the bytes of a digest, checked against it. */
  async get(digest: string): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.read(await this.blobs.require(digest))) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    requireDigest(digest, sha256(bytes));
    return bytes;
  }

  async writeTo(digest: string, path: string): Promise<void> {
    const blob = await this.blobs.require(digest);
    await writeDigested(this.read(blob), path, (written) => requireDigest(digest, written.sha256));
  }

  async examine(digest: string): Promise<{ bytes: number; wrong: string | null }> {
    const found = await this.blobs.raw.findOne({ _id: digest });
    if (found === null) return { bytes: 0, wrong: 'it is not in the store' };
    const blob = blobDocument.safeParse(found);
    if (!blob.success) return { bytes: 0, wrong: 'it does not have the shape of a blob' };
    const { bytes: said } = blob.data;
    try {
      const { bytes, sha256: is } = await digestOf(this.read(blob.data));
      if (is !== digest) return { bytes, wrong: 'its bytes have another digest' };
      return { bytes, wrong: bytes === said ? null : `it has ${bytes} bytes and says ${said}` };
    } catch (error) {
      // an unreachable store says nothing about its files
      if (!(error instanceof MongoRuntimeError) && !(error instanceof AssayError)) throw error;
      return { bytes: 0, wrong: `its bytes cannot be read: ${error.message}` };
    }
  }

  private async *read({ _id, inline, file }: z.infer<typeof blobDocument>): AsyncGenerator<Uint8Array> {
    if (inline !== null) yield Buffer.from(inline.buffer);
    else if (file !== null) yield* this.large.read(_id, file);
    else throw new AssayError('STORE_DOCUMENT', 'a blob has neither bytes nor a file');
  }

  async text(digest: string): Promise<string> {
    return (await this.get(digest)).toString('utf8');
  }

  /** Stores every file, without naming them as a tree. */
  async putFiles(files: readonly FileBytes[]): Promise<StoredFile[]> {
    const stored: StoredFile[] = [];
    for (const file of files)
      stored.push({ path: file.path, sha256: await this.put(file.bytes), bytes: file.bytes.byteLength });
    return stored.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Stores a tree and returns its digest. */
  async putTree(files: readonly FileBytes[]): Promise<string> {
    return this.putStored(await this.putFiles(files));
  }

  /** Stores a tree that is a stored one but for the given files; returns its digest. */
  async putChanged(tree: string, changed: readonly FileBytes[]): Promise<string> {
    // the stored one keeps its files from being freed meanwhile
    await this.hasTree(tree);
    const fresh = await this.putFiles(changed);
    const replaced = new Set(fresh.map(({ path }) => path));
    const kept = (await this.tree(tree)).filter(({ path }) => !replaced.has(path));
    return this.putStored([...kept, ...fresh].sort((a, b) => (a.path < b.path ? -1 : 1)));
  }

  /**
   * Stores a tree of files whose contents are stored; returns its digest.
   * @throws AssayError STORE_DOCUMENT where one is not
   */
  async putTreeOf(files: readonly StoredFile[]): Promise<string> {
    for (const { sha256: digest } of files)
      if (!(await this.has(digest))) throw new AssayError('STORE_DOCUMENT', `blob ${digest} is not stored`);
    return this.putStored([...files]);
  }

  private async putStored(files: StoredFile[]): Promise<string> {
    const digest = treeDigest(files);
    while (!(await renew(this.snapshots, digest, this.clock.wall())))
      if (await this.snapshots.insertOnce({ _id: digest, files, storedAt: this.clock.wall() })) break;
    return digest;
  }

  /** Returns true for a stored tree, which then stays long enough to be referred to. */
  async hasTree(digest: string): Promise<boolean> {
    return renew(this.snapshots, digest, this.clock.wall());
  }

  async tree(digest: string): Promise<StoredFile[]> {
    return (await this.snapshots.require(digest)).files;
  }

  async readFiles(files: readonly StoredFile[]): Promise<FileBytes[]> {
    const read: FileBytes[] = [];
    for (const file of files) read.push({ path: file.path, bytes: await this.get(file.sha256) });
    return read;
  }

  async readTree(digest: string): Promise<FileBytes[]> {
    return this.readFiles(await this.tree(digest));
  }
}

function requireDigest(digest: string, found: string): void {
  if (found !== digest) throw new AssayError('STORE_DOCUMENT', `blob ${digest} does not match its digest`);
}

const changed = (path: string, digest: string): AssayError =>
  new AssayError('HOST_FAULT', `${path} was changed while it was stored as ${digest}`);
