import {
  BSON,
  MongoServerError,
  type Collection,
  type Db,
  type Filter,
  type Sort,
  type UpdateFilter,
} from 'mongodb';
import { AssayError } from '../domain/errors.js';
import type { DocumentKind } from './document-kinds.js';
import { tooNew, writtenNow } from './written.js';

/** Bytes of a document that every MongoDB takes. */
const LARGEST_DOCUMENT = 16 * 1024 * 1024;

interface Row {
  _id: string;
}

/** Returns true when a write failed because a unique key exists already. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11000;
}

/**
 * A collection that parses every document it reads and records the writer of every document. Fields that a newer
 * assay has added are ignored and kept: no document, nor an object within one, is ever replaced as a whole. It offers
 * only what every store can guarantee: single-document writes, unique keys and compare-and-set.
 */
export class TypedCollection<T extends { _id: string }> {
  readonly raw: Collection<Row>;

  constructor(
    database: Db,
    private readonly kind: DocumentKind<T>,
  ) {
    this.raw = database.collection<Row>(kind.collection);
  }

  private parse(document: unknown): T {
    const refused = tooNew(this.kind, document);
    if (refused !== null) throw refused;
    const parsed = this.kind.schema.safeParse(document);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`;
    throw new AssayError('STORE_DOCUMENT', `a document of ${this.raw.collectionName} is malformed${where}`);
  }

  async get(id: string): Promise<T | null> {
    return this.find({ _id: id });
  }

  async find(filter: Filter<Row>): Promise<T | null> {
    const document = await this.raw.findOne(filter);
    return document === null ? null : this.parse(document);
  }

  /** Like {@link get}, for a document that must exist. */
  async require(id: string): Promise<T> {
    const document = await this.get(id);
    if (document === null)
      throw new AssayError('STORE_DOCUMENT', `${this.raw.collectionName} ${id} is missing`);
    return document;
  }

  async many(ids: readonly string[]): Promise<T[]> {
    return ids.length === 0 ? [] : this.list({ _id: { $in: [...ids] } }, { limit: ids.length });
  }

  /** @param options.fields what is read of each document, for schemas that want no more; default: all of it */
  async list(
    filter: Filter<Row>,
    options: { sort?: Sort; limit: number; fields?: readonly string[] },
  ): Promise<T[]> {
    let cursor = this.raw.find(filter);
    if (options.fields !== undefined)
      cursor = cursor.project<Row>(
        Object.fromEntries(['written', ...options.fields].map((field) => [field, 1])),
      );
    if (options.sort !== undefined) cursor = cursor.sort(options.sort);
    const documents = await cursor.limit(options.limit).toArray();
    return documents.map((document) => this.parse(document));
  }

  /** Sorted ids of the documents that match, also of those that this assay cannot read. */
  async ids(filter: Filter<Row>, limit: number): Promise<string[]> {
    const rows = this.raw.find(filter).project<Row>({ _id: 1 }).sort({ _id: 1 }).limit(limit);
    return (await rows.toArray()).map(({ _id }) => _id);
  }

  /**
   * Inserts unless one of its unique keys is taken; returns whether it did.
   * @throws AssayError STORE_REFUSED for a document that no store takes
   */
  async insertOnce(document: T): Promise<boolean> {
    const whole = { ...document, ...this.written() };
    this.requireStorable(document._id, whole);
    try {
      await this.raw.insertOne(whole);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /**
   * Does one compare-and-set; returns the document after the update, or null if the filter matched nothing.
   */
  async change(filter: Filter<Row>, update: UpdateFilter<Row>): Promise<T | null> {
    const document = await this.raw.findOneAndUpdate(filter, update, { returnDocument: 'after' });
    return document === null ? null : this.parse(document);
  }

  async update(
    filter: Filter<Row>,
    update: UpdateFilter<Row>,
    options: { upsert?: boolean } = {},
  ): Promise<boolean> {
    const made = options.upsert === true ? { ...update, $setOnInsert: this.written() } : update;
    const result = await this.raw.updateOne(filter, made, options);
    return result.modifiedCount + result.upsertedCount > 0;
  }

  /** The fallback store drops a connection that sends more, which looks like an outage. */
  private requireStorable(id: string, whole: object): void {
    const bytes = BSON.calculateObjectSize(whole);
    if (bytes <= LARGEST_DOCUMENT) return;
    throw new AssayError(
      'STORE_REFUSED',
      `${this.raw.collectionName} ${id} would have ${bytes} bytes; a document has at most ${LARGEST_DOCUMENT}`,
    );
  }

  private written() {
    return { written: writtenNow(this.kind.version) };
  }

  async remove(filter: Filter<Row>): Promise<void> {
    await this.raw.deleteOne(filter);
  }
}
