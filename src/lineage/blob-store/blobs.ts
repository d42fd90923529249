import {
  Binary,
  GridFSBucket,
  MongoGridFSChunkError,
  MongoRuntimeError,
  type Db,
  type ObjectId,
} from 'mongodb';
import { z } from 'zod';
import type { Clock } from '../../domain/campaign/clock.js';
import { sha256, treeDigest } from '../../domain/digest.js';
import { AssayError } from '../../domain/errors.js';
import { blobDocument } from '../documents/blob.js';
import type { StoredFile } from '../documents/snapshot.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';
import { deleteLarge } from './large-files.js';
import { renew } from './stored-at.js';

/** Above this many bytes a blob goes to GridFS; the fallback store drops a connection that sends over 16 MB. */
const INLINE_LIMIT = 4 * 1024 * 1024;

/** Returns true when chunks of a GridFS file, or all of it, are not there. */
const isIncomplete = (error: unknown): error is MongoRuntimeError =>
  error instanceof MongoGridFSChunkError ||
  (error instanceof MongoRuntimeError && 'code' in error && error.code === 'ENOENT');

/** A file in memory. */
export interface FileBytes {
  path: string;
  bytes: Uint8Array;
}

/** Content-addressed bytes and trees: stored content never changes, and storing it again does nothing. */
export class Blobs {
  private readonly blobs;
  private readonly snapshots;
  private readonly bucket;

  constructor(
    database: Db,
    private readonly clock: Clock,
  ) {
    this.blobs = new TypedCollection(database, KINDS.blobs);
    this.snapshots = new TypedCollection(database, KINDS.snapshots);
    this.bucket = new GridFSBucket(database, { bucketName: 'large' });
  }

  /** Stores bytes and returns their digest. */
  async put(content: string | Uint8Array): Promise<string> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const digest = sha256(bytes);
    // known content may be freed while its time is renewed, and new content be stored by another process first
    while (!(await renew(this.blobs, digest, this.clock.wall()))) if (await this.insert(digest, bytes)) break;
    return digest;
  }

  /** Returns false when another process has stored it meanwhile. */
  private async insert(digest: string, bytes: Uint8Array): Promise<boolean> {
    const large = bytes.byteLength > INLINE_LIMIT;
    const file = large ? await this.upload(digest, bytes) : null;
    const mine = await this.blobs.insertOnce({
      _id: digest,
      bytes: bytes.byteLength,
      inline: large ? null : new Binary(bytes),
      file,
      storedAt: this.clock.wall(),
    });
    if (!mine && file !== null) await deleteLarge(this.bucket, file);
    return mine;
  }

  /** A crash leaves chunks under an id that nothing names, never a blob with missing bytes. */
  private async upload(digest: string, bytes: Uint8Array): Promise<ObjectId> {
    const stream = this.bucket.openUploadStream(digest);
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject).on('finish', resolve);
      stream.end(Buffer.from(bytes));
    });
    return stream.id;
  }

  /** Returns the bytes of a digest, checked against it. */
  async get(digest: string): Promise<Buffer> {
    const blob = await this.blobs.require(digest);
    const bytes = blob.inline === null ? await this.downloadOf(blob) : Buffer.from(blob.inline.buffer);
    if (sha256(bytes) !== digest)
      throw new AssayError('STORE_DOCUMENT', `blob ${digest} does not match its digest`);
    return bytes;
  }

  /** Digests the stored bytes again; returns their number and the fault found, or null. */
  async examine(digest: string): Promise<{ bytes: number; wrong: string | null }> {
    const found = await this.blobs.raw.findOne({ _id: digest });
    if (found === null) return { bytes: 0, wrong: 'it is not in the store' };
    const blob = blobDocument.safeParse(found);
    if (!blob.success) return { bytes: 0, wrong: 'it does not have the shape of a blob' };
    const { inline, file, bytes: said } = blob.data;
    try {
      const bytes = inline === null ? await this.download(file) : Buffer.from(inline.buffer);
      const size = bytes.byteLength;
      if (sha256(bytes) !== digest) return { bytes: size, wrong: 'its bytes have another digest' };
      return { bytes: size, wrong: size === said ? null : `it has ${size} bytes and says ${said}` };
    } catch (error) {
      // an unreachable store says nothing about its files
      if (!(error instanceof MongoRuntimeError) && !(error instanceof AssayError)) throw error;
      return { bytes: 0, wrong: `its bytes cannot be read: ${error.message}` };
    }
  }

  /** @throws AssayError STORE_DOCUMENT when a part of it is missing */
  private async downloadOf({ _id, file }: { _id: string; file: ObjectId | null }): Promise<Buffer> {
    try {
      return await this.download(file);
    } catch (error) {
      if (!isIncomplete(error)) throw error;
      throw new AssayError('STORE_DOCUMENT', `a part of blob ${_id} is missing: ${error.message}`, {
        cause: error,
        remedy: '`assay audit` lists what is damaged; restore the store from a backup.',
      });
    }
  }

  private async download(file: ObjectId | null): Promise<Buffer> {
    if (file === null) throw new AssayError('STORE_DOCUMENT', 'a blob has neither bytes nor a file');
    const chunks: Buffer[] = [];
    for await (const chunk of this.bucket.openDownloadStream(file))
      chunks.push(Buffer.from(z.instanceof(Uint8Array).parse(chunk)));
    return Buffer.concat(chunks);
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
