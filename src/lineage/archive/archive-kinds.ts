import type { KINDS } from '../document-kinds.js';

/** Keys by which a campaign's documents are found. */
export interface ArchivedOwner {
  owner: string;
  /** Digest of its task. */
  task: string;
}

/** Way in which the documents of a kind belong to a campaign. */
type Belongs = 'id' | 'below' | 'owner' | 'task';

/**
 * Kinds of documents that an archive of a campaign holds, in the order in which they are stored: the campaign comes
 * last, so that one which is half stored is none.
 */
export const ARCHIVED = [
  ['tasks', 'task'],
  ['budgets', 'id'],
  ['counters', 'id'],
  ['trials', 'owner'],
  ['twins', 'below'],
  ['replicates', 'owner'],
  ['calibrations', 'owner'],
  ['phases', 'owner'],
  ['decisions', 'owner'],
  ['claims', 'owner'],
  ['sessions', 'owner'],
  ['turns', 'below'],
  ['replies', 'below'],
  ['answers', 'below'],
  ['ledger', 'owner'],
  ['leaderboards', 'below'],
  ['statuses', 'below'],
  ['campaigns', 'owner'],
] as const satisfies readonly (readonly [keyof typeof KINDS, Belongs])[];

export type ArchivedKind = (typeof ARCHIVED)[number][0];

const BELONGS: ReadonlyMap<ArchivedKind, Belongs> = new Map(ARCHIVED);

/** Query for the documents of a kind. */
export function archivedFilter(kind: ArchivedKind, { owner, task }: ArchivedOwner) {
  switch (BELONGS.get(kind)) {
    case 'task':
      return { _id: task };
    case 'id':
      return { _id: owner };
    case 'owner':
      return { owner };
    default:
      // `0` comes right after the slash
      return { _id: { $gte: `${owner}/`, $lt: `${owner}0` } };
  }
}

/** Returns true for a document that belongs to the campaign, so that no archive can write into another one. */
export function isArchivedOf(
  kind: ArchivedKind,
  { owner, task }: ArchivedOwner,
  document: { _id: string; owner?: unknown },
): boolean {
  switch (BELONGS.get(kind)) {
    case 'task':
      return document._id === task;
    case 'id':
      return document._id === owner;
    case 'owner':
      return document.owner === owner && (kind === 'campaigns' || document._id.startsWith(`${owner}/`));
    default:
      return document._id.startsWith(`${owner}/`);
  }
}
