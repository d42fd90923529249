import { randomBytes } from 'node:crypto';
import { BSON, type Db } from 'mongodb';
import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';
import { explain } from '../../domain/text/explain.js';
import { collectDigests } from '../blob-store/references.js';
import { KINDS } from '../document-kinds.js';
import { snapshotDocument } from '../documents/snapshot.js';
import { isDuplicateKey } from '../typed-collection.js';
import { tooNew } from '../written.js';
import {
  ARCHIVED,
  archivedFilter,
  isArchivedOf,
  type ArchivedKind,
  type ArchivedOwner,
} from './archive-kinds.js';

interface Row {
  _id: string;
}

const rowSchema = z.looseObject({ _id: z.string() });
/** Fields that are never written out: who has them could derive held-out data, or seeds that are still to come. */
const SECRETS: Readonly<Partial<Record<ArchivedKind, string>>> = { campaigns: 'secret', tasks: 'dataSecret' };

/** A document of an archive that was checked, and can be stored. */
export interface ArchivedDocument {
  kind: ArchivedKind;
  row: Record<string, unknown> & { _id: string };
}

/** Name of an imported campaign here, and the time of its import. */
export interface Imported {
  name: string;
  at: Date;
}

/** The documents of one campaign as lines of text, and back. Dates and bytes are written as MongoDB's Extended JSON. */
export class CampaignArchive {
  constructor(private readonly database: Db) {}

  /** Writes each document of a kind as a line, whole as it is stored but for its secrets, in the order of their ids. */
  async *lines(kind: ArchivedKind, of: ArchivedOwner, digests: Set<string>): AsyncGenerator<string> {
    const found = this.database
      .collection<Row>(KINDS[kind].collection)
      .find(archivedFilter(kind, of))
      .sort({ _id: 1 });
    for await (const document of found) {
      collectDigests(document, digests);
      const secret = SECRETS[kind];
      yield onOneLine(BSON.EJSON.stringify(secret === undefined ? document : { ...document, [secret]: '' }));
    }
  }

  /** Reads the trees among these digests, and adds the digests of their files. */
  async trees(digests: Set<string>): Promise<string[]> {
    const ids = [...digests];
    const trees: string[] = [];
    for (let at = 0; at < ids.length; at += PAGE) {
      const filter = { _id: { $in: ids.slice(at, at + PAGE) } };
      for await (const document of this.database.collection<Row>(KINDS.snapshots.collection).find(filter)) {
        const { _id, files } = snapshotDocument.parse(document);
        trees.push(_id);
        for (const { sha256 } of files) digests.add(sha256);
      }
    }
    return trees.sort();
  }

  /** The stored contents among these digests. */
  async contents(digests: ReadonlySet<string>): Promise<string[]> {
    const ids = [...digests].sort();
    const found: string[] = [];
    for (let at = 0; at < ids.length; at += PAGE) {
      const filter = { _id: { $in: ids.slice(at, at + PAGE) } };
      const rows = this.database
        .collection<Row>(KINDS.blobs.collection)
        .find(filter)
        .project<Row>({ _id: 1 });
      for await (const { _id } of rows) found.push(_id);
    }
    return found.sort();
  }

  /** Returns true where the campaign is here already, whatever its name is. */
  async has({ owner }: ArchivedOwner): Promise<boolean> {
    return (await this.database.collection(KINDS.campaigns.collection).countDocuments({ owner })) > 0;
  }

  /**
   * Checks a line without storing it.
   * @throws AssayError ARCHIVE_INVALID, or STORE_SCHEMA for a document of a newer assay
   */
  read(kind: ArchivedKind, of: ArchivedOwner, line: string): ArchivedDocument {
    const row = rowSchema.safeParse(parsed(line));
    if (!row.success) throw new AssayError('ARCHIVE_INVALID', `it is no document: ${explain(row.error)}`);
    const refused = tooNew(KINDS[kind], row.data);
    if (refused !== null) throw refused;
    const checked = KINDS[kind].schema.safeParse(row.data);
    if (!checked.success) throw new AssayError('ARCHIVE_INVALID', explain(checked.error));
    if (!isArchivedOf(kind, of, row.data))
      throw new AssayError('ARCHIVE_INVALID', `${row.data._id} belongs to no ${kind} of ${of.owner}`);
    return { kind, row: row.data };
  }

  /** Stores a document unless it is there. A campaign is marked as foreign, and a task gets a secret of this store. */
  async store({ kind, row }: ArchivedDocument, imported: Imported): Promise<void> {
    try {
      await this.database
        .collection<Row>(KINDS[kind].collection)
        .insertOne({ ...row, ...ownFields(kind, row, imported) });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  /** The kinds of an archive, in the order in which they are stored. */
  get kinds(): readonly ArchivedKind[] {
    return ARCHIVED.map(([kind]) => kind);
  }
}

const PAGE = 500;

/** JSON without the two characters that are line ends to some readers and not to JSON. */
export const onOneLine = (json: string): string =>
  json.replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`);

function parsed(line: string): unknown {
  try {
    return BSON.EJSON.parse(line);
  } catch {
    throw new AssayError('ARCHIVE_INVALID', 'it is no JSON');
  }
}

/** Fields that an imported document has of this store. */
function ownFields(
  kind: ArchivedKind,
  row: Record<string, unknown>,
  { name, at }: Imported,
): Record<string, unknown> {
  if (kind === 'tasks') return { dataSecret: randomBytes(32).toString('hex') };
  if (kind === 'trials') return { campaign: name };
  if (kind !== 'campaigns') return {};
  const frozen = rowSchema.partial().parse(row.frozen);
  // reconciling and workers have nothing to do with it
  return {
    _id: name,
    frozen: { ...frozen, name },
    foreign: { name: row._id, importedAt: at },
    settledAt: at,
  };
}
