import type { ModelCostLine } from '../../analysis/statistics/model-costs.js';
import type { CostLine, Costs } from '../../analysis/statistics/costs.js';
import { plus } from '../../analysis/statistics/spending.js';
import type { Amounts } from '../../lineage/documents/budget.js';
import { integer } from './numbers.js';
import type { Paint } from './paint.js';
import { columns } from './table.js';
import { oneLine } from './text.js';

const NOTHING: Amounts = { microUsd: 0, acceleratorMs: 0, tokens: 0 };

/** Renders where one campaign's money and accelerator time went. */
export function renderCosts(costs: Costs, paint: Paint): string {
  const { campaign, total, byRole, byPhase, byStatus, models } = costs;
  return [
    `${paint('bold', campaign)}  in US dollars, and seconds of one accelerator slot`,
    priceText(costs),
    '',
    tableOf('ROLE', byRole, total),
    '',
    tableOf('PHASE', byPhase, total),
    '',
    tableOf('TRIAL ENDED AS', byStatus, total),
    '',
    modelTable('REQUESTS OF', models.byRole),
    '',
    modelTable('MODEL', models.byModel),
    '',
    ...besides(costs),
  ].join('\n');
}

function priceText({ price, model }: Costs): string {
  if (price === null)
    return `the price of ${oneLine(model)} is not known: its tokens are counted, dollars are not`;
  return `prices of ${oneLine(price.model)} as of ${price.asOf}: ${oneLine(price.source)}`;
}

function tableOf(title: string, lines: readonly CostLine[], total: Costs['total']): string {
  const row = (of: string, { rows, spent, unknown }: Omit<CostLine, 'of'>): string[] => [
    of,
    integer(rows),
    integer(spent.tokens),
    usd(spent.microUsd),
    seconds(spent.acceleratorMs),
    lostText(unknown),
  ];
  return columns(
    [
      { title },
      { title: 'ROWS', right: true },
      { title: 'TOKENS', right: true },
      { title: 'USD', right: true },
      { title: 'ACCELERATOR S', right: true },
      { title: 'OF IT LOST' },
    ],
    [
      ...lines.map((line) => row(line.of === null ? '(no trial)' : oneLine(line.of), line)),
      row('total', total),
    ],
  );
}

/** Renders costs and gains of requests: the share of their prompts that came from a cache, and the price of a gain. */
function modelTable(title: string, lines: readonly ModelCostLine[]): string {
  return columns(
    [
      { title },
      { title: 'REQUESTS', right: true },
      { title: 'USD', right: true },
      { title: 'FROM CACHE', right: true },
      { title: 'ADOPTED', right: true },
      { title: 'BELIEVED GAIN', right: true },
      { title: 'USD PER UNIT OF GAIN', right: true },
    ],
    lines.map(({ of, requests, microUsd, promptTokens, cachedTokens, adopted, gain, microUsdPerGain }) => [
      oneLine(of),
      integer(requests),
      usd(microUsd),
      promptTokens === 0 ? '-' : `${((100 * cachedTokens) / promptTokens).toFixed(0)} %`,
      integer(adopted),
      adopted === 0 ? '-' : String(Number(gain.toPrecision(4))),
      microUsdPerGain === null ? '-' : usd(microUsdPerGain),
    ]),
  );
}

/** Lines beside the tables, in no total except for lost requests. */
function besides({ lost, open, saved, total }: Costs): string[] {
  const { reuse, stop } = saved.byKind;
  return [
    lost.unknown === 0
      ? 'nothing was lost as unknown'
      : `lost as unknown, counted above at the most that it can have cost: ${lost.unknown} rows, ${orNothing(lostText(total.unknown))}`,
    ...(lost.estimated === 0
      ? []
      : [`replies that broke off, counted by what their events told: ${lost.estimated} rows`]),
    ...(lost.unpaid === 0 ? [] : [`unpaid, counted as nothing: ${lost.unpaid} rows`]),
    ...(open.rows === 0
      ? []
      : [`held for what has not ended: ${open.rows} rows, ${orNothing(lostText(open.reserved))}`]),
    ...(saved.rows === 0
      ? []
      : [
          `saved, in no total: ${seconds(saved.acceleratorMs)} s of accelerator time ` +
            `(results taken over ${reuse.rows} times: ${seconds(reuse.acceleratorMs)} s, ` +
            `hopeless runs ended early ${stop.rows} times: ${seconds(stop.acceleratorMs)} s)`,
        ]),
  ];
}

/** One line a campaign, and their sum. */
export function renderAllCosts(all: readonly Costs[]): string {
  const row = (name: string, state: string, rows: number, spent: Amounts, savedMs: number): string[] => [
    name,
    state,
    integer(rows),
    integer(spent.tokens),
    usd(spent.microUsd),
    seconds(spent.acceleratorMs),
    seconds(savedMs),
  ];
  const sum = all.reduce((amounts, { total }) => plus(amounts, total.spent), NOTHING);
  const rows = all.reduce((count, { total }) => count + total.rows, 0);
  const savedMs = all.reduce((ms, { saved }) => ms + saved.acceleratorMs, 0);
  return columns(
    [
      { title: 'CAMPAIGN' },
      { title: 'STATE' },
      { title: 'ROWS', right: true },
      { title: 'TOKENS', right: true },
      { title: 'USD', right: true },
      { title: 'ACCELERATOR S', right: true },
      { title: 'SAVED S', right: true },
    ],
    [
      ...all.map(({ campaign, state, total, saved }) =>
        row(campaign, state, total.rows, total.spent, saved.acceleratorMs),
      ),
      row('total', '', rows, sum, savedMs),
    ],
  );
}

const usd = (microUsd: number): string => (microUsd / 1e6).toFixed(4);
const seconds = (ms: number): string => (ms / 1000).toFixed(1);

const orNothing = (text: string): string => (text === '' ? 'nothing' : text);

/** The parts of an amount that are there. */
function lostText({ microUsd, acceleratorMs, tokens }: Amounts): string {
  return [
    ...(microUsd === 0 ? [] : [`$${usd(microUsd)}`]),
    ...(tokens === 0 ? [] : [`${integer(tokens)} tokens`]),
    ...(acceleratorMs === 0 ? [] : [`${seconds(acceleratorMs)} s`]),
  ].join(', ');
}
