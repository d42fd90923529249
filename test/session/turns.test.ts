import { afterEach, describe, expect, it } from 'vitest';
import { NUDGE } from '../../src/domain/session/continuation.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { withPrices } from '../../src/model/pricing.js';
import { takeTurn, type TurnResult } from '../../src/session/take-turn.js';
import { runTools } from '../../src/session/tools/run-tools.js';
import { conversing } from '../builders/conversing.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';
import {
  say,
  startScriptedServer,
  use,
  type ScriptedServer,
  type ScriptStep,
} from '../model/scripted-server.js';

const prices = withPrices({
  asOf: '2026-12-01',
  source: 'this test',
  models: { 'offline-proposer': [{ input: 0.01, output: 0.01 }] },
});

let seeded: Seeded;
let server: ScriptedServer;

async function begin(
  script: ScriptStep[],
  more: Record<string, unknown> = {},
): Promise<(turn: number) => Promise<TurnResult>> {
  seeded = await seedCampaign(undefined, undefined, { turns: 300, ...more });
  server = await startScriptedServer(script);
  const { lineage, owner } = seeded;
  const { session } = await conversing({ lineage, owner });
  const endpoints = { endpointOf: () => ({ baseUrl: server.url, apiKey: 'key' }) };
  const { signal } = new AbortController();
  return async (turn) => {
    const at = { owner, session, turn };
    const result = await takeTurn({ lineage, endpoints, prices }, at, signal);
    // a retry, or a replay, finds the same; in a long session at some turns
    if (turn < 10 || turn % 20 === 0)
      expect(await takeTurn({ lineage, endpoints, prices }, at, signal)).toEqual(result);
    if (result.kind === 'reply' && result.tools.length > 0)
      await runTools({ lineage, check: null, monitor: { signal, tell: () => undefined } }, at);
    return result;
  };
}

afterEach(async () => {
  await server.stop();
  await seeded.lineage.close();
});

const bodyOf = (request: number): string => JSON.stringify(server.requests[request]?.body.messages.slice(1));
const view = { blocks: [use(EDIT_TOOL, { command: 'view', path: 'train.py' })] };

describe('the turns of a session', () => {
  it('nudge, tell of a cut reply and raise its limit, leave a refused reply out, and end after three silent ones', async () => {
    const turn = await begin(
      [
        view,
        { blocks: [], stopReason: 'max_tokens' },
        { blocks: [say('searching')], stopReason: 'pause_turn' },
        { blocks: [say('something that was refused')], stopReason: 'refusal' },
        { blocks: [say('hm')] },
        { blocks: [say('well')] },
      ],
      { maxTokens: 1000 },
    );
    const ends: (string | null)[] = [];
    for (let at = 0; at < 6; at += 1) {
      const result = await turn(at);
      ends.push(result.kind === 'reply' ? result.ends : result.kind);
    }
    expect(ends).toEqual([
      null,
      null,
      null,
      null,
      null,
      'the model called no tool 3 times in a row (end_turn)',
    ]);
    expect(server.requests.map(({ body }) => body.max_tokens)).toEqual([1000, 1000, 2000, 2000, 2000, 2000]);
    expect(bodyOf(2)).toContain('2000 tokens, thinking included');
    expect(server.requests[3]?.body.messages.at(-1)?.role).toBe('assistant');
    expect(bodyOf(4)).toContain('safety filter');
    expect(bodyOf(4)).not.toContain('something that was refused');
    expect(bodyOf(5)).toContain(NUDGE);
    const { lineage, owner } = seeded;
    const [session] = await lineage.sessions.latest(owner, 1);
    expect(await lineage.sessions.asked(session?._id ?? '', 2)).toEqual({
      model: 'offline-proposer',
      effort: null,
      thinking: 'adaptive',
      maxTokens: 2000,
      cache: '5m',
    });
  });

  it('stay within the window over 200 turns with large files, and their prompts keep their beginning for many turns', async () => {
    const large = 'x = 1  # a line of the recipe\n'.repeat(200);
    const script = Array.from({ length: 200 }, (_, at): ScriptStep => {
      const blocks = [
        use(EDIT_TOOL, { command: 'create', path: 'train.py', file_text: `# ${at}\n${large}` }),
      ];
      return ({ body }) => {
        const tokens = Math.ceil(JSON.stringify([body.system, body.tools, body.messages]).length / 4);
        expect(tokens).toBeLessThan(60_000);
        return { blocks, usage: { input_tokens: tokens, output_tokens: 1600 } };
      };
    });
    const turn = await begin(script, { models: [model], contextShare: 0.6 });
    for (let at = 0; at < 200; at += 1) expect(await turn(at)).toMatchObject({ kind: 'reply', ends: null });
    server.assertDone();
    const prefixes = server.requests.map(({ body }) =>
      JSON.stringify(body.messages.slice(0, 12).map(unmarked)),
    );
    const changes = prefixes.filter((prefix, at) => at > 6 && prefix !== prefixes[at - 1]).length;
    expect(changes).toBeLessThan(8);
  }, 300_000);

  it('end by themselves where the newest exchanges alone do not fit', async () => {
    const turn = await begin([{ ...view, usage: { input_tokens: 59_500 } }], { models: [model] });
    await turn(0);
    expect(await turn(1)).toEqual({
      kind: 'closed',
      reason: 'the conversation no longer fits into the context of the model',
    });
  });

  it('tell the model when its session has had its trials, and carry out no submit after that', async () => {
    const submit = { blocks: [use('submit_trial', { hypothesis: 'one more', expected_delta: -1 })] };
    const turn = await begin([view, view, view, view, submit], { sessionTrials: 1 });
    for (const at of [0, 1, 2, 3]) expect(await turn(at)).toMatchObject({ ends: null });
    const { lineage, owner } = seeded;
    const [session] = await lineage.sessions.latest(owner, 1);
    const trial = await seeded.submit('an edit');
    await lineage.sessions.addSubmitted(session?._id ?? '', trial.number);
    expect(await turn(4)).toMatchObject({ submits: [], ends: 'the cap of 1 trials a session' });
    expect(bodyOf(4)).toContain('This session has had its 1 trials and ends with your next reply');
  });
});

const model = {
  ...{ id: 'offline-proposer', offline: true, price: null, weight: 1, effort: null },
  ...{ thinking: 'adaptive', maxTokens: 1000, window: 60_000 },
};

/** A message without its cache marks. */
const unmarked = (message: unknown): unknown =>
  JSON.parse(JSON.stringify(message, (key, value: unknown) => (key === 'cache_control' ? undefined : value)));
