import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/domain/errors.js';
import type { LedgerDocument } from '../../src/lineage/documents/ledger.js';
import { ModelFault } from '../../src/model/client.js';
import { withPrices } from '../../src/model/pricing.js';
import type { TurnRef } from '../../src/session/conversation.js';
import { takeTurn, type TurnResult } from '../../src/session/take-turn.js';
import { conversing } from '../builders/conversing.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { PROVIDER_FAULTS, WHOLE, type Outcome, type ProviderFault } from './provider-faults.js';

const PAGE = fileURLToPath(new URL('../../docs/model-faults.md', import.meta.url));
const prices = withPrices({
  asOf: '2026-12-01',
  source: 'this test',
  models: { 'offline-proposer': [{ input: 4, output: 20 }] },
});

let seeded: Seeded;
beforeAll(async () => {
  seeded = await seedCampaign();
});
afterAll(() => seeded.lineage.close());

/** One turn against a server that answers as the fault says, then well. */
async function turn(
  fault: ProviderFault,
  at: TurnRef,
  server: ScriptedServer,
): Promise<{ outcome: Outcome; waitMs: number | null }> {
  const endpoints = { endpointOf: () => ({ baseUrl: server.url, apiKey: 'key' }) };
  const signal = new AbortController().signal;
  const attempt = (): Promise<TurnResult> =>
    takeTurn({ lineage: seeded.lineage, endpoints, prices }, at, signal);
  try {
    return { outcome: outcomeOf(await attempt()), waitMs: null };
  } catch (error) {
    if (!(error instanceof ModelFault)) throw error;
    if (ERRORS[error.code].retry === false) return { outcome: 'blocked', waitMs: null };
    // as the workflow does it, after a pause
    expect(outcomeOf(await attempt())).toBe('answered');
    return { outcome: 'tried again', waitMs: error.retryAfterMs };
  }
}

function outcomeOf(result: TurnResult): Outcome {
  if (result.kind === 'closed') return 'session ends';
  if (result.kind === 'wait') throw new Error('it waits');
  if (result.ends !== null) return 'session ends';
  return result.tools.length > 0 ? 'answered' : 'told';
}

interface Measured {
  outcome: Outcome;
  requests: number;
  cost: ProviderFault['cost'];
  faulty: LedgerDocument | undefined;
}

function costOf(row: LedgerDocument | undefined): ProviderFault['cost'] {
  if (row === undefined || row.certainty === 'unpaid') return 'nothing';
  if (row.certainty === 'unknown') return 'its upper bound';
  return row.certainty === 'estimated' ? 'as its events told' : 'as counted';
}

async function measure(fault: ProviderFault): Promise<Measured> {
  const { lineage, owner } = seeded;
  const server = await startScriptedServer([fault.answer, { blocks: WHOLE }]);
  try {
    const { session } = await conversing({ lineage, owner }, { role: 'opt' });
    const at = { owner, session, turn: 0 };
    const { outcome, waitMs } = await turn(fault, at, server);
    const { attempts } = await lineage.sessions.attempts(session, 0);
    const keys = Array.from({ length: attempts }, (_, index) => `${session}/0/${index + 1}`);
    const rows = await lineage.budgets.settled(keys);
    const faulty = rows.find(({ _id }) => _id === keys[0]);
    expect(Object.values((await lineage.budgets.get(owner)).open)).toEqual([]);
    if (fault.what === '429 with retry-after') expect(waitMs).toBe(7000);
    return { outcome, requests: server.requests.length, cost: costOf(faulty), faulty };
  } finally {
    await server.stop();
  }
}

const table = new Map<string, Measured>();

describe('a fault of the provider', () => {
  it.each(PROVIDER_FAULTS.map((fault) => [fault.what, fault] as const))('%s', async (_, fault) => {
    const trials = await seeded.lineage.trials.totals(seeded.owner);
    const measured = await measure(fault);
    table.set(fault.what, measured);
    expect({ outcome: measured.outcome, cost: measured.cost }).toEqual({
      outcome: fault.outcome,
      cost: fault.cost,
    });
    expect(measured.requests).toBe(fault.outcome === 'tried again' ? 2 : 1);
    const { spent, reserved } = measured.faulty ?? {};
    expect(spent?.microUsd ?? 0).toBeLessThanOrEqual(reserved?.microUsd ?? 0);
    if (fault.cost === 'as its events told') expect(spent?.tokens).toBeLessThan((reserved?.tokens ?? 0) / 2);
    expect(await seeded.lineage.trials.totals(seeded.owner)).toEqual(trials);
  });

  it('is in docs/model-faults.md as it was measured (ASSAY_RECORD=1 writes it again)', async () => {
    const text = page();
    if (process.env['ASSAY_RECORD'] !== undefined) await writeFile(PAGE, text);
    expect(await readFile(PAGE, 'utf8')).toBe(text);
  });
});

const SAYS: Record<Outcome, string> = {
  'tried again':
    'the request is made again after a pause, for as long as it takes; `assay status` says what is waited for',
  blocked: 'the campaign is blocked until a person has fixed it and resumes it',
  'session ends': 'the session ends by itself, and its role goes on with a next one',
  told: 'the model is told, and goes on',
  answered: 'the reply is used',
};

function page(): string {
  const rows = PROVIDER_FAULTS.map(({ what }) => {
    const found = table.get(what);
    if (found === undefined) throw new Error(`${what} was not measured`);
    const { outcome, cost } = found;
    const words = what.startsWith('a pause') ? 'the reply is continued, without a word' : SAYS[outcome];
    return `| ${what} | ${words} | ${cost} |`;
  });
  return [
    '# Faults of model providers',
    '',
    'Written by `ASSAY_RECORD=1 npx vitest run test/session/provider-faults.test.ts`, which makes each fault on a server of its own that speaks the Messages API over HTTP; not to be edited by hand.',
    '',
    'No reply that arrived whole is lost, and no trial is charged to a fault. A reply whose stream breaks off is charged by what its events said: the prompt as the provider counted it in `message_start`, the reply as counted in `message_delta`, else a token for each byte of text that arrived, and all the tokens that were asked for where the model was thinking. Where nothing arrived and the request may have been worked on, it counts at the most that it can have cost.',
    '',
    '| fault | what follows | what the request costs |',
    '| --- | --- | --- |',
    ...rows,
    '',
    '## Endpoints',
    '',
    `\`ANTHROPIC_BASE_URL\` names an endpoint that speaks the Messages API with streaming and tools. The key is sent as \`Authorization: Bearer …\`; \`ASSAY_MODEL_AUTH=x-api-key\` sends it in that header instead, for endpoints and proxies that read no other.`,
    '',
    'Gateways that put other models behind the Messages shape (LiteLLM, OpenRouter, vLLM and the like) should work where they stream, take tools with client-side results, and report usage: give the model by its id there and, for a dollar budget, its price (`ASSAY_PRICES`). What has been tried is this server of ours alone, with both headers; no other provider or gateway has been run against it. Models whose id does not begin with `claude-` are not asked to think and are not told an effort. Cache marks are always sent; an endpoint has to ignore those that it does not know.',
    '',
  ].join('\n');
}
