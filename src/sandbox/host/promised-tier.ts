import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';
import { isWeaker, tierNameSchema, type TierName } from '../../domain/task/isolation.js';
import { surveyTiers } from '../sandbox.js';
import type { Needed } from '../tiers/tiers.js';

const promiseSchema = z.object({ tier: tierNameSchema, at: z.iso.datetime() });

/** Hosts may share a cache. */
const fileIn = (cache: string): string => join(cache, 'isolation', `${hostname()}.json`);

/** Remembers the tier that a person was told this host holds. */
export async function promiseTier(cache: string, tier: TierName): Promise<void> {
  const file = fileIn(cache);
  await mkdir(join(cache, 'isolation'), { recursive: true });
  await writeFile(file, JSON.stringify({ tier, at: new Date().toISOString() }));
}

/**
 * Makes sure that a worker holds the tier that a person was told of.
 * @throws AssayError PLATFORM_UNSUPPORTED when it holds a weaker one
 */
export async function requirePromisedTier(cache: string, tier: TierName, needed: Needed): Promise<void> {
  const promised = await promisedIn(cache);
  if (promised === null || !isWeaker(tier, promised.tier)) return;
  const lacking = (await surveyTiers({ needed })).flatMap(({ tier: name, why }) =>
    why === null || isWeaker(promised.tier, name) ? [] : [`${name}: ${why}`],
  );
  throw new AssayError(
    'PLATFORM_UNSUPPORTED',
    `this worker would hold isolation tier ${tier}, and \`assay doctor\` promised tier ${promised.tier} on ${promised.at.slice(0, 10)}; now ${lacking.join('; ')}`,
    {
      remedy: `Restore what it lacks, or accept tier ${tier}: run \`assay doctor\` again as this user, or set ASSAY_TIER=${tier}.`,
    },
  );
}

async function promisedIn(cache: string): Promise<z.infer<typeof promiseSchema> | null> {
  try {
    return promiseSchema.parse(JSON.parse(await readFile(fileIn(cache), 'utf8')));
  } catch {
    // never promised, or nothing that can be read as one
    return null;
  }
}
