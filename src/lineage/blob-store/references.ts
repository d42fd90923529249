import type { Db } from 'mongodb';

const DIGEST = /[0-9a-f]{64}/g;
/** Collections whose documents are content, and keep nothing alive by themselves. */
const CONTENT = new Set(['blobs', 'snapshots', 'large.files', 'large.chunks']);

/**
 * Adds every digest that a value names, anywhere in it. It looks at all fields and not at those of a schema, so that
 * what only a newer assay has stored counts as well.
 */
export function collectDigests(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') {
    for (const [digest] of value.matchAll(DIGEST)) into.add(digest);
  } else if (Array.isArray(value)) {
    for (const item of value) collectDigests(item, into);
  } else if (isPlain(value)) {
    for (const [key, field] of Object.entries(value)) {
      collectDigests(key, into);
      collectDigests(field, into);
    }
  }
}

/** Returns true for an object of fields, as opposed to a date, an id or bytes. */
const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Reads every record of the store and returns the digests that they name. */
export async function referencedDigests(database: Db): Promise<Set<string>> {
  const referenced = new Set<string>();
  const collections = await database.listCollections({}, { nameOnly: true }).toArray();
  for (const { name } of collections) {
    if (CONTENT.has(name) || name.startsWith('system.')) continue;
    for await (const document of database.collection(name).find()) collectDigests(document, referenced);
  }
  return referenced;
}
