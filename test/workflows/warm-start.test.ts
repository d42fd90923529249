import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { campaignInputSchema } from '../../src/domain/campaign/campaign.js';
import { warmStartOf } from '../../src/cli/use-cases/warm-start.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { finish, submit, turnKnob } from './script.js';
import { openWorld, type World } from './world.js';

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  const session = [
    turnKnob('X = 1.0', 'X = 2.0'),
    submit('nearer'),
    turnKnob('X = 2.0', 'X = 2.5'),
    submit('nearer still'),
  ];
  // the second campaign proposes nothing
  model = await startScriptedServer([...session, finish, finish, finish, finish, finish, finish, finish]);
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

const asked = (name: string) => warmStartOf(world.lineage, name);

describe('a warm start', () => {
  it('measures what another campaign has adopted anew, before anything is proposed', async () => {
    const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
    const input = { task: 'tiny', model: 'scripted', specialists: ['solo'], trials: 4 };
    await (await world.start('first', input)).result();
    const steps = await asked('first:5');
    expect(steps.map(({ requestId }) => requestId)).toEqual(['warm-t00001', 'warm-t00002']);
    expect(await asked('first')).toEqual(steps.slice(1));
    await (await world.start('second', { ...input, warmStart: steps })).result();
    const trials = (await world.trials('second')).sort((a, b) => a.number - b.number);
    expect(trials.map(({ number, status, role, hypothesis }) => [number, status, role, hypothesis])).toEqual([
      [1, 'keep', 'person', 'Warm start, first/t00001: nearer'],
      [2, 'keep', 'person', 'Warm start, first/t00002: nearer still'],
    ]);
    const [measured] = (await world.lineage.replicates.many(trials.at(-1)?.replicates ?? [])).map(
      ({ owner }) => owner,
    );
    expect(measured).toBe((await world.campaign('second')).owner);
    const [session] = await world.lineage.sessions.latest((await world.campaign('second')).owner, 10);
    expect(session?.base).toBe(2);
    await fleet.stop();
  });

  it.each([
    ['', '--warm-start is NAME'],
    ['first:0', '--warm-start is NAME'],
    ['first:21', '--warm-start is NAME'],
    ['nobody', 'nobody'],
    ['first:x', 'first:x'],
  ])('%j is refused', async (name, words) => {
    await expect(asked(name)).rejects.toThrow(words);
  });

  it('is not for a single submission, and has a bound', () => {
    const one = { snapshot: '0'.repeat(64), hypothesis: 'h', requestId: 'r' };
    const wrong = (input: object) => campaignInputSchema.safeParse({ task: 'tiny', ...input }).success;
    expect(wrong({ warmStart: [one], submission: one })).toBe(false);
    expect(wrong({ warmStart: Array.from({ length: 21 }, () => one) })).toBe(false);
    expect(wrong({ warmStart: [one] })).toBe(true);
  });
});
