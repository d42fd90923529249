import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWeaker } from '../../src/domain/task/isolation.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { LONG, Person } from '../cli/person.js';
import { TIERS } from '../sandbox/programs.js';
import { START } from '../workflows/one-trial.js';
import { submit, turnKnob } from '../workflows/script.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { lacks } from '../lacks.js';

const CAN_HOLD_C = TIERS.some((tier) => !isWeaker(tier, 'C'));

const isMissing = lacks(!CAN_HOLD_C, 'a demanded tier C, which cannot be held here');
describe.skipIf(isMissing)('a campaign that demands tier C', () => {
  let world: World;
  let model: ScriptedServer;
  let person: Person;
  beforeAll(async () => {
    world = await openWorld();
    model = await startScriptedServer([
      turnKnob(START, 'X = 2.0  # knob: -10..10\nSLEEP = 0.0'),
      submit('held'),
    ]);
    person = new Person(world, model);
  });
  afterAll(async () => {
    await person.stop();
    await world.stop();
    await model.stop();
  });

  it(
    'waits, and says for what, while only a weaker worker is there; then a fitting one runs it all',
    { timeout: 2 * LONG.timeout },
    async () => {
      const answers = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
      await world.worker({ ...answers, ASSAY_TIER: 'E', ASSAY_HOST: 'open' }).ready;
      const input = { task: 'tiny', model: 'scripted', specialists: ['solo'], trials: 1, isolation: 'C' };
      await world.start('closed', input);
      const id =
        'no_worker:isolation:ISOLATION_TOO_WEAK: the campaign demands isolation tier C or stronger, and open holds tier E';
      const { status, reason } = await person.told('closed', id);
      expect(status.state).toBe('waiting');
      expect(reason.text).toMatch(/^t00000 waits for a worker that may run it: /);
      expect(reason.remedy).toContain('`assay doctor`');
      expect((await world.campaign('closed')).control).toBe('running');

      await world.worker({ ASSAY_TIER: '', ASSAY_HOST: 'held' }, ['trainer', 'evaluator']).ready;
      await until(
        'the campaign to finish',
        async () => ((await world.campaign('closed')).state === 'finished' ? true : null),
        300,
      );
      const { owner } = await world.campaign('closed');
      const trials = await world.lineage.trials.latest(owner, 10);
      expect((await world.trials('closed')).map(({ number, status: ended }) => [number, ended])).toEqual([
        [1, 'keep'],
      ]);
      const replicates = await world.lineage.replicates.many(trials.flatMap((trial) => trial.replicates));
      const tiers = replicates.flatMap(
        ({ trained }) => trained?.runs.map(({ isolation }) => isolation.tier) ?? [],
      );
      expect(tiers.length).toBeGreaterThan(0);
      expect(tiers.filter((tier) => isWeaker(tier, 'C'))).toEqual([]);
      expect(replicates.flatMap(({ faults }) => faults)).toEqual([]);
    },
  );
});
