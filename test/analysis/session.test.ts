import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionModel, sessionsModel } from '../../src/analysis/read-models/session.js';
import { renderHead, renderSum, renderTurns } from '../../src/cli/render/session.js';
import { callKey, sessionKey } from '../../src/domain/keys.js';
import type { Reply } from '../../src/domain/session/conversation.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';

const USAGE = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 50, cacheWriteTokens: 10 };
const VIEW = Array.from({ length: 40 }, (_, at) => `row ${at}`).join('\n');
const amounts = (microUsd: number) => ({ microUsd, acceleratorMs: 0, tokens: 0 });

const NOTE = `what was learned\n${'and more '.repeat(100)}`;

let seeded: Seeded;
let session: string;

/** Stores a session as the model activities do: one turn whose first request was lost, and one without a reply yet. */
async function converse({ lineage, owner }: Seeded): Promise<string> {
  const id = sessionKey(owner, 'arch-0', 3);
  const { snapshot } = await lineage.trials.require(owner, 0);
  await lineage.sessions.open({
    ...{
      _id: id,
      owner,
      role: 'arch',
      lane: 'arch-0',
      index: 3,
      base: 0,
      snapshot,
      submitted: [],
      repeats: [],
    },
    roleStart: null,
    cache: '5m',
    system: await lineage.blobs.put(Buffer.from('you are arch')),
    opening: await lineage.blobs.put(Buffer.from(VIEW)),
    ...{ openedAt: new Date(), closedAt: null, closedBecause: null },
  });
  const reply: Reply = {
    ...{ id: 'm1', model: 'claude', stopReason: 'tool_use', usage: USAGE },
    content: [
      { type: 'thinking', thinking: 'secret' },
      { type: 'text', text: 'I try a wider layer' },
      { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'muon' } },
      { type: 'web_search_tool_result', tool_use_id: 's1', content: [{ url: 'https://arxiv.org/1' }] },
      { type: 'tool_use', id: 't1', name: 'edit', input: { command: 'view', path: 'train.py' } },
      { type: 'tool_use', id: 't2', name: 'check', input: {} },
    ],
  };
  for (const [attempt, certainty] of [
    [1, 'unknown'],
    [2, 'known'],
  ] as const) {
    expect(await lineage.sessions.attempt(id, 0)).toBe(attempt);
    const key = callKey(id, 0, attempt);
    await lineage.budgets.reserve({
      owner,
      key,
      amounts: amounts(500),
      what: 'model',
      role: 'arch',
      trial: null,
    });
    await lineage.budgets.settle(owner, key, certainty === 'known' ? amounts(300) : 'upper-bound', certainty);
  }
  await lineage.sessions.store({ session: id, turn: 0, attempt: 2 }, reply, null);
  await lineage.sessions.answer({
    ...{ _id: callKey(id, 0, 0), session: id, turn: 0, index: 0, toolUseId: 't1', tool: 'edit' },
    ...{ text: 'x = 1', isError: false, snapshot, base: 0, at: new Date() },
  });
  await lineage.sessions.attempt(id, 1);
  await lineage.sessions.addNote(id, { call: callKey(id, 0, 2), text: NOTE, at: new Date() });
  await lineage.sessions.addProbe(id, {
    ...{ call: callKey(id, 0, 3), kind: 'probe', hypothesis: 'it fits', command: 'python train.py' },
    ...{ wallMs: 1234.5, exit: 1, ended: 'exit status 1, 1.2 s', output: snapshot, at: new Date() },
  });
  return id;
}

beforeAll(async () => {
  seeded = await seedCampaign();
  session = `${seeded.name}/arch-0/3`;
  await converse(seeded);
});
afterAll(() => seeded.lineage.close());

describe('a session', () => {
  it('is shown as the model had it, each call with its answer', async () => {
    const model = await sessionModel(seeded.lineage, session);
    expect(model).toMatchObject({
      session,
      role: 'arch',
      base: 't00000',
      system: 'you are arch',
      view: VIEW,
    });
    expect(model.turns).toHaveLength(2);
    expect(model.turns[0]).toMatchObject({
      ...{ attempts: 2, model: 'claude', stopReason: 'tool_use', text: 'I try a wider layer', usage: USAGE },
      calls: [
        {
          tool: 'edit',
          input: { command: 'view', path: 'train.py' },
          answer: { text: 'x = 1', isError: false },
        },
        { tool: 'check', input: {}, answer: null },
      ],
    });
    expect(model.turns[1]).toMatchObject({ attempts: 1, model: null, calls: [], microUsd: null });
  });

  it('tells what each turn cost, and how much of it lost requests may be', async () => {
    const model = await sessionModel(seeded.lineage, session);
    expect(model.turns[0]).toMatchObject({ microUsd: 800, unknownMicroUsd: 500 });
    expect(model).toMatchObject({ microUsd: 800, unknownMicroUsd: 500 });
  });

  it('is rendered with long texts cut, and whole on request', async () => {
    const model = await sessionModel(seeded.lineage, session);
    const head = renderHead(model, false);
    expect(head).toContain('row 11\n');
    expect(head).not.toContain('row 12');
    expect(head).toContain('28 lines more');
    expect(renderHead(model, true)).toContain('row 39');
    const [turn] = renderTurns(model.turns, false);
    expect(turn).toContain('1 request lost before');
    expect(turn).toContain('I try a wider layer');
    expect(turn).toContain('path: train.py');
    expect(turn).toContain('no answer yet');
    expect(turn).not.toContain('secret');
    expect(turn).toMatch(/web_search muon\n +https:\/\/arxiv\.org\/1/);
    expect(model.turns[0]?.web).toEqual([
      { tool: 'web_search', asked: 'muon', addresses: ['https://arxiv.org/1'] },
    ]);
    expect(model.probes).toMatchObject([{ kind: 'probe', seconds: 1.235, exit: 1, hypothesis: 'it fits' }]);
    expect(renderSum(model)).toContain('probe python train.py: exit status 1, 1.2 s (it fits)');
    expect(model.notes).toEqual([NOTE]);
    expect(renderSum(model)).toContain(`note\n  what was learned\n  ${'and more '.repeat(100)}`);
    expect(renderSum(model)).toMatch(/it runs[^]*nothing[^]*2 turns, \$0\.0008, of it up to \$0\.0005/);
  });

  it('is listed with its campaign', async () => {
    const { sessions } = await sessionsModel(seeded.lineage, seeded.name, 10);
    expect(sessions).toMatchObject([{ session, closedAt: null, closedBecause: null }]);
  });

  it.each([
    ['demo', 'USAGE'],
    ['a/b', 'USAGE'],
    ['a/b/c', 'USAGE'],
    ['nope/arch-0/0', 'CAMPAIGN_UNKNOWN'],
  ])('%s is refused as %s', async (reference, code) => {
    await expect(sessionModel(seeded.lineage, reference)).rejects.toMatchObject({ code, exit: 2 });
  });

  it('that is not there is told with what lists them', async () => {
    const missing = sessionModel(seeded.lineage, `${seeded.name}/arch-0/9`);
    await expect(missing).rejects.toMatchObject({ code: 'SESSION_UNKNOWN', exit: 2 });
  });
});
