import { START } from '../../domain/keys.js';
import type { TrialStatus } from '../../domain/statuses.js';
import { NOTHING } from '../../lineage/budgets/budgets.js';
import type { Amounts } from '../../lineage/documents/budget.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { LedgerDocument } from '../../lineage/documents/ledger.js';
import type { Saving } from '../../lineage/documents/saving.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { TrialPlace } from '../../lineage/audit-reader.js';
import { modelCosts, type ModelCostLine } from './model-costs.js';
import { trialsOfRows } from './row-trial.js';
import { plus } from './spending.js';

/** Costs of one part of a campaign. */
export interface CostLine {
  /** Name of the role, the phase or the status; null for what was spent on no trial. */
  of: string | null;
  /** Requests and phases. */
  rows: number;
  spent: Amounts;
  /** The part of `spent` that could not be measured, so that it counts at its upper bound. */
  unknown: Amounts;
}

/** Costs of one campaign; each of the three divisions adds up to `total`. */
export interface Costs {
  campaign: string;
  state: CampaignDocument['state'];
  currency: 'USD';
  /** The price that it spends by; null where none was known for its model. */
  price: { model: string; asOf: string; source: string } | null;
  model: string;
  total: Omit<CostLine, 'of'>;
  byRole: CostLine[];
  byPhase: CostLine[];
  /** By the status of the trial; a request counts to the trial that its session submitted next. */
  byStatus: CostLine[];
  /** Costs of requests to models and the gain that they brought, by role and by model. */
  models: { byRole: ModelCostLine[]; byModel: ModelCostLine[] };
  /**
   * Requests and phases that were lost, replies that broke off and count by what their events told, and those that cost
   * nothing because nothing was done.
   */
  lost: { unknown: number; estimated: number; unpaid: number };
  /** Held for what has not ended; not in the total. */
  open: { rows: number; reserved: Amounts };
  /** Accelerator time that was not needed, by why; not in the total. */
  saved: { rows: number; acceleratorMs: number; byKind: Record<Saving['kind'], Kind> };
}

interface Kind {
  rows: number;
  acceleratorMs: number;
}

/** `assay.costs/1`. */
export interface CostsModel {
  schema: 'assay.costs/1';
  asOf: string;
  campaigns: Costs[];
}

/** Reads the whole ledger of each campaign. @throws AssayError CAMPAIGN_UNKNOWN */
export async function costsModel(
  lineage: Lineage,
  names: readonly string[],
  onCampaign: (name: string) => void = () => undefined,
): Promise<CostsModel> {
  const campaigns: Costs[] = [];
  for (const name of names) {
    onCampaign(name);
    campaigns.push(await costsOf(lineage, name));
  }
  return { schema: 'assay.costs/1', asOf: new Date().toISOString(), campaigns };
}

async function costsOf(lineage: Lineage, name: string): Promise<Costs> {
  const campaign = await lineage.campaigns.byName(name);
  const { owner, frozen } = campaign;
  const budget = await lineage.budgets.find(owner);
  const { documents: rows } = await lineage.records.ledger(owner);
  const { documents: trials } = await lineage.records.places(owner);
  const settled = new Set(rows.map(({ _id }) => _id));
  const open = Object.values(budget?.open ?? {}).filter(({ key }) => !settled.has(key));
  const { documents: replies } = await lineage.records.usages(owner);
  const { documents: decisions } = await lineage.records.decisions(owner);
  const { price } = frozen;
  return {
    campaign: name,
    state: campaign.state,
    currency: 'USD',
    model: frozen.model.id,
    price: price === null ? null : { model: frozen.model.id, asOf: price.asOf, source: price.source },
    ...divided(rows, trials),
    models: modelCosts({ frozen, rows, replies, trials, decisions }),
    open: {
      rows: open.length,
      reserved: open.reduce((sum, { reserved }) => plus(sum, reserved), NOTHING),
    },
  };
}

/** The ledger by role, phase and status of the trials. */
export function divided(
  rows: readonly LedgerDocument[],
  trials: readonly TrialPlace[],
): Pick<Costs, 'total' | 'byRole' | 'byPhase' | 'byStatus' | 'lost' | 'saved'> {
  const spent = rows.filter(({ what, certainty }) => what !== 'saved' && certainty !== 'unpaid');
  const statusOf = statusesOf(trials);
  return {
    total: summed(spent),
    byRole: linesBy(spent, ({ role }) => role),
    byPhase: linesBy(spent, ({ what }) => what),
    byStatus: linesBy(spent, statusOf),
    lost: {
      unknown: rows.filter(({ certainty }) => certainty === 'unknown').length,
      estimated: rows.filter(({ certainty }) => certainty === 'estimated').length,
      unpaid: rows.filter(({ certainty }) => certainty === 'unpaid').length,
    },
    saved: savedIn(rows.flatMap(({ saved }) => saved ?? [])),
  };
}

function linesBy(rows: readonly LedgerDocument[], key: (row: LedgerDocument) => string | null): CostLine[] {
  const groups = new Map<string | null, LedgerDocument[]>();
  for (const row of rows) {
    const own = groups.get(key(row));
    if (own === undefined) groups.set(key(row), [row]);
    else own.push(row);
  }
  const lines = [...groups].map(([of, own]) => ({ of, ...summed(own) }));
  return lines.sort(
    (a, b) =>
      b.spent.microUsd - a.spent.microUsd ||
      b.spent.acceleratorMs - a.spent.acceleratorMs ||
      b.spent.tokens - a.spent.tokens,
  );
}

function summed(rows: readonly LedgerDocument[]): Omit<CostLine, 'of'> {
  const unknown = rows.filter(({ certainty }) => certainty === 'unknown');
  const add = (some: readonly LedgerDocument[]): Amounts =>
    some.reduce((sum, row) => plus(sum, row.spent), NOTHING);
  return { rows: rows.length, spent: add(rows), unknown: add(unknown) };
}

function savedIn(savings: readonly Saving[]): Costs['saved'] {
  const of = (some: readonly Saving[]): Kind => ({
    rows: some.length,
    acceleratorMs: some.reduce((sum, each) => sum + each.acceleratorMs, 0),
  });
  const kind = (wanted: Saving['kind']): Kind => of(savings.filter((each) => each.kind === wanted));
  return { ...of(savings), byKind: { reuse: kind('reuse'), stop: kind('stop') } };
}

/**
 * Status under which a trial is shown: the start is no proposal, and one that has not ended has no status.
 */
type Shown = TrialStatus | 'start' | 'running';

function statusesOf(trials: readonly TrialPlace[]): (row: LedgerDocument) => Shown | null {
  const byNumber = new Map<number, Shown>();
  for (const { number, status } of trials)
    byNumber.set(number, number === START ? 'start' : (status ?? 'running'));
  const trialOf = trialsOfRows(trials);
  return (row) => {
    const number = trialOf(row);
    // a phase whose trial is not in the list has been submitted since the list was read
    return number === null ? null : (byNumber.get(number) ?? (row.trial === null ? null : 'running'));
  };
}
