import { expect, it } from 'vitest';
import { sessionKey } from '../../src/domain/keys.js';
import { countedCharactersPerToken } from '../../src/session/counted-tokens.js';
import { seedCampaign } from '../builders/stored-campaign.js';

it('a lane learns from its session before how many characters its provider counts as a token', async () => {
  const { lineage, owner } = await seedCampaign();
  const { frozen } = await lineage.campaigns.byOwner(owner);
  const { spec } = await lineage.tasks.get(frozen.task.digest);
  const counted = (index: number) =>
    countedCharactersPerToken(lineage, { frozen, spec }, { owner, lane: 'opt-1', index });
  expect(await counted(0)).toBeNull();
  expect(await counted(1)).toBeNull();

  const session = sessionKey(owner, 'opt-1', 0);
  const { snapshot } = await lineage.trials.require(owner, 0);
  const [system, opening] = [
    await lineage.blobs.put('s'.repeat(30_000)),
    await lineage.blobs.put('o'.repeat(30_000)),
  ];
  await lineage.sessions.open({
    ...{ _id: session, owner, role: 'opt', lane: 'opt-1', index: 0, base: 0, snapshot, system, opening },
    ...{ submitted: [], openedAt: new Date(), closedAt: null, closedBecause: null },
  });
  expect(await counted(1)).toBeNull();
  await lineage.sessions.attempt(session, 0);
  await lineage.sessions.store(
    { session, turn: 0, attempt: 1 },
    {
      ...{ id: 'msg', model: 'm', content: [], stopReason: 'end_turn' },
      usage: { inputTokens: 5000, outputTokens: 0, cacheReadTokens: 10_000, cacheWriteTokens: 5000 },
    },
  );
  const ratio = await counted(1);
  // the tools count as well
  expect(ratio).toBeGreaterThan(3);
  expect(ratio).toBeLessThan(6);
  await lineage.close();
});
