import { afterAll, beforeAll, expect, it } from 'vitest';
import { modelOfSession } from '../../src/domain/session/model-of-session.js';
import { startScriptedServer } from '../model/scripted-server.js';
import { LONG, Person } from '../cli/person.js';
import { edit, finish, submit } from './script.js';
import { openWorld, until, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

it(
  'waits out a provider that is away, says so, and charges it to no trial; each turn records the model of its session',
  LONG,
  async () => {
    const gone = await startScriptedServer([]);
    const port = Number(new URL(gone.url).port);
    await gone.stop();
    const person = new Person(world, gone);
    const input = {
      task: 'tiny',
      specialists: ['solo'],
      trials: 1,
      models: ['a', { id: 'b', weight: 2, effort: 'low' }],
    };
    const fleet = await world.fleet({ ANTHROPIC_BASE_URL: gone.url, ANTHROPIC_API_KEY: 'test-key' });
    const handle = await world.start('outage', { ...input, roleModels: { solo: ['c', 'd'] } });
    await until('two failed requests', async () => {
      const found = await world.lineage.campaigns.find('outage');
      const rows = found === null ? [] : await world.lineage.budgets.rows(found.owner, 100);
      return rows.filter(({ what }) => what === 'model').length > 1 || null;
    });
    const { status, reason } = await person.told('outage', 'provider');
    expect([status.state, reason.about]).toEqual(['waiting', ['solo-1']]);
    expect(reason.text).toContain('MODEL_UNREACHABLE');
    expect(await world.trials('outage')).toEqual([]);
    const model = await startScriptedServer([edit('X = 1.0', 'X = 2.0'), submit('better'), finish], port);
    await handle.result();
    const { owner, frozen, state } = await world.campaign('outage');
    expect(state).toBe('finished');
    const rows = await world.lineage.budgets.rows(owner, 100);
    const failed = rows.filter(({ what, certainty }) => what === 'model' && certainty !== 'known');
    expect(failed.length).toBeGreaterThan(1);
    for (const row of failed) expect(row).toMatchObject({ certainty: 'unpaid', spent: { tokens: 0 } });
    expect((await world.trials('outage')).map(({ status }) => status)).toEqual(['keep']);
    const [session] = await world.lineage.sessions.latest(owner, 1);
    const id = session?._id ?? '';
    const drawn = modelOfSession(frozen, { role: 'solo', session: id }).id;
    expect(['c', 'd']).toContain(drawn);
    expect(model.requests.map(({ body }) => body.model)).toEqual([drawn, drawn]);
    expect(await world.lineage.sessions.asked(id, 0)).toMatchObject({ model: drawn, maxTokens: 32_000 });
    await fleet.stop();
    await model.stop();
    await person.stop();
  },
);
