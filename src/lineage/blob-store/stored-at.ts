import { z } from 'zod';
import type { TypedCollection } from '../typed-collection.js';

/**
 * Age from which content that is stored again gets a new time. It is far below the age at which content may be freed,
 * so that whoever stores it has the difference to refer to it.
 */
export const RENEWED_AFTER_MS = 3_600_000;

const rowSchema = z.object({ storedAt: z.date().nullish() });

/**
 * Renews the time of content that is stored again, where there is any; returns false if there is none, since it may
 * have been freed meanwhile.
 */
export async function renew<T extends { _id: string }>(
  content: TypedCollection<T>,
  digest: string,
  now: Date,
): Promise<boolean> {
  const found = await content.raw.findOne({ _id: digest }, { projection: { storedAt: 1 } });
  if (found === null) return false;
  const { storedAt } = rowSchema.parse(found);
  if (storedAt != null && now.getTime() - storedAt.getTime() < RENEWED_AFTER_MS) return true;
  const renewed = await content.raw.updateOne({ _id: digest }, { $set: { storedAt: now } });
  return renewed.matchedCount === 1;
}
