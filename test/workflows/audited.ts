import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { audit, type AuditModel } from '../../src/analysis/audit/audit.js';
import { outsideOf } from '../../src/cli/use-cases/audit-outside.js';
import type { Lineage } from '../../src/lineage/lineage.js';
import { sweepDeadWorkers } from '../../src/sandbox/host/worker-folders.js';

/** Store and folders of a world's campaigns. */
export interface AuditedWorld {
  lineage: Lineage;
  client: Client;
  temporal: { address: string; namespace: string };
  home: string;
}

/** Audits campaigns of a world with everything that can be seen of them. */
export async function auditOf(
  { lineage, client, temporal, home }: AuditedWorld,
  names: readonly string[],
): Promise<AuditModel> {
  const servers = {
    temporal: { ...temporal, uiUrl: null, how: '' },
    store: { url: '', database: '', how: '' },
    alone: false,
    others: () => Promise.resolve([]),
    stop: () => Promise.resolve(),
  };
  return audit(lineage, names, outsideOf({ servers, client: () => Promise.resolve(client) }, home));
}

/** Every violation in a line: `N CAMPAIGN ABOUT: SAYS`. */
export const violationsOf = ({ invariants }: AuditModel): string[] =>
  invariants.flatMap(({ number, violations }) =>
    violations.map(({ campaign, about, says }) => `${number} ${campaign} ${about}: ${says}`),
  );

/**
 * Audits a world at the end of a test: no campaign of it violates an invariant, except for what the test itself
 * broke. Folders of killed workers are swept first, as the next worker would do.
 */
export async function endsAudited(world: AuditedWorld, expected: readonly RegExp[]): Promise<void> {
  await sweepDeadWorkers(join(world.home, 'work'));
  const names = (await world.lineage.campaigns.list(1000)).map(({ _id }) => _id);
  const found = violationsOf(await auditOf(world, names));
  const unexpected = found.filter((line) => !expected.some((known) => known.test(line)));
  const missing = expected.filter((known) => !found.some((line) => known.test(line)));
  if (unexpected.length > 0)
    throw new Error(`the audit at the end of this file found\n  ${unexpected.join('\n  ')}`);
  if (missing.length > 0)
    throw new Error(`the audit did not find ${missing.map(({ source }) => source).join(', ')}`);
}
