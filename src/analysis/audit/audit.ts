import { setTimeout as sleep } from 'node:timers/promises';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { Digested } from './digested.js';
import { storeFacts } from './store-facts.js';
import type { Checked, HostSide, KeptHere, ServerSide, Violation } from './facts.js';
import { INVARIANTS, type Invariant } from './invariants.js';
import { checkHost } from './leases.js';

/** Facts that an audit can see beside the store; a string says why they are missing. */
export interface Outside {
  server: (campaign: CampaignDocument, open: readonly TrialDocument[]) => Promise<ServerSide | string>;
  host: () => Promise<HostSide | string>;
  /** Null where this host keeps nothing. */
  kept: () => Promise<KeptHere | null>;
}

/** Result of one invariant over all campaigns of the audit. */
export interface InvariantLine extends Pick<Invariant, 'number' | 'says'> {
  examined: Record<string, number>;
  notExamined: { what: string; why: string }[];
  violations: Violation[];
}

/** `assay.audit/1`. */
export interface AuditModel {
  schema: 'assay.audit/1';
  asOf: string;
  /** True when no invariant is violated, as far as it was examined. */
  ok: boolean;
  campaigns: string[];
  invariants: InvariantLine[];
}

export interface AuditProgress {
  /** The campaign that is read, and which of how many it is. */
  onCampaign?: (name: string, at: number, of: number) => void;
  /** Bytes whose digests were computed so far. */
  onBytes?: (bytes: number) => void;
}

/** Time after which a contradiction is checked again: work in motion looks wrong for a moment. */
const AGAIN_MS = 1500;

/**
 * Checks all invariants of these campaigns. A campaign that something contradicts is read once more after a moment,
 * and only what contradicts both times is told: the others were caught in a change.
 * @throws AssayError CAMPAIGN_UNKNOWN
 */
export async function audit(
  lineage: Lineage,
  names: readonly string[],
  outside: Outside,
  { onCampaign, onBytes }: AuditProgress = {},
): Promise<AuditModel> {
  const digested = new Digested(lineage, await outside.kept(), onBytes);
  const found = new Map<number, Checked[]>(INVARIANTS.map(({ number }) => [number, []]));
  for (const [at, name] of names.entries()) {
    onCampaign?.(name, at + 1, names.length);
    const checked = await twice(() => checkCampaign(lineage, name, outside, digested));
    for (const [number, each] of checked) found.get(number)?.push(each);
  }
  const host = await twice(async () => new Map([[5, checkHost(await outside.host())]]));
  for (const [number, each] of host) found.get(number)?.push(each);
  const invariants = INVARIANTS.map(({ number, says }) => ({
    number,
    says,
    ...merged(found.get(number) ?? []),
  }));
  return {
    schema: 'assay.audit/1',
    asOf: new Date().toISOString(),
    ok: invariants.every(({ violations }) => violations.length === 0),
    campaigns: [...names],
    invariants,
  };
}

/** By the number of the invariant. */
type Results = ReadonlyMap<number, Checked>;

async function checkCampaign(
  lineage: Lineage,
  name: string,
  outside: Outside,
  digested: Digested,
): Promise<Results> {
  // work that ends meanwhile is gone from the host before the store is read
  const host = await outside.host();
  const store = await storeFacts(lineage, name, digested);
  const open = store.trials.documents.filter(({ status }) => status === null);
  const server = await outside.server(store.campaign, open);
  return new Map(INVARIANTS.map(({ number, check }) => [number, check({ store, server, host })]));
}

async function twice(look: () => Promise<Results>): Promise<Results> {
  const before = await look();
  if ([...before.values()].every(({ violations }) => violations.length === 0)) return before;
  await sleep(AGAIN_MS);
  const again = await look();
  return new Map(
    [...again].map(([number, checked]) => {
      const seen = new Set(before.get(number)?.violations.map(keyOf));
      return [number, { ...checked, violations: checked.violations.filter((each) => seen.has(keyOf(each))) }];
    }),
  );
}

const keyOf = ({ campaign, about }: Violation): string => `${campaign} ${about}`;

function merged(checked: readonly Checked[]): Omit<InvariantLine, 'number' | 'says'> {
  const examined: Record<string, number> = {};
  const notExamined = new Map<string, { what: string; why: string }>();
  for (const each of checked) {
    for (const [what, count] of Object.entries(each.examined)) examined[what] = (examined[what] ?? 0) + count;
    for (const one of each.notExamined) notExamined.set(`${one.what} ${one.why}`, one);
  }
  const violations = checked.flatMap((each) => each.violations);
  return { examined, notExamined: [...notExamined.values()], violations };
}
