import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { campaignInputSchema } from '../../src/domain/campaign/campaign.js';
import { genericLanes } from '../../src/domain/session/roles.js';
import { openSession } from '../../src/session/open-session.js';
import { candidate } from '../builders/candidate.js';
import { runningCampaign } from '../builders/running-campaign.js';
import { openWorld, type World } from '../workflows/world.js';

describe('roles of a campaign', () => {
  it.each([
    ['generic:1', 1],
    ['generic:8', 8],
    ['generic:64', 64],
    ['generic:0', null],
    ['generic:65', null],
    ['generic:', null],
    ['generic', null],
    ['single', null],
  ])('%s has so many lanes: %s', (roles, lanes) => {
    expect(genericLanes(roles)).toBe(lanes);
  });

  it.each([
    [{ roles: 'nobody' }, 'specialists, single, or generic:N'],
    [{ roles: 'generic:100' }, 'specialists, single, or generic:N'],
    [{ roles: 'single', specialists: ['opt'] }, 'only with roles'],
    [{ lineage: 'maybe' }, 'lineage'],
  ])('%j is refused', (input, words) => {
    const parsed = campaignInputSchema.safeParse({ task: 'tiny', ...input });
    expect(JSON.stringify(parsed.error?.issues)).toContain(words);
  });
});

describe('campaigns with', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  // no workflow runs here, and the start was only said to be measured
  afterAll(() => world.stop([/it has no status, its workflow is missing/, /none of its measurements/]));

  it.each([
    ['single', ['generalist-1']],
    ['generic:3', ['generic-1', 'generic-2', 'generic-3']],
  ])('roles %s have their lanes, whose prompts are equal', async (roles, lanes) => {
    const { lineage } = world;
    const more = { roles, specialists: undefined };
    const owner = await runningCampaign(world, `roles-${lanes.length}`, more);
    const { frozen } = await lineage.campaigns.byOwner(owner);
    expect(frozen.lanes.map(({ lane }) => lane)).toEqual(lanes);
    await lineage.decisions.decide(candidate(owner, 0, 2));
    const prompts = new Set<string>();
    for (const { role, lane } of frozen.lanes) {
      const opened = await openSession(lineage, { owner, role, lane, index: 0 });
      if (opened.kind !== 'open') throw new Error(opened.kind);
      prompts.add((await lineage.sessions.get(opened.session)).system);
    }
    expect(prompts.size).toBe(1);
    for (const prompt of prompts)
      expect(await lineage.blobs.text(prompt)).toContain('You work on the whole recipe');
  });

  it('a prompt that its first session had, which later ones have as well', async () => {
    const { lineage } = world;
    const owner = await runningCampaign(world, 'prompts', { roles: 'single', specialists: undefined });
    await lineage.decisions.decide(candidate(owner, 0, 2));
    const first = { system: await lineage.blobs.put('as it was then'), roleStart: 6 };
    expect(await lineage.campaigns.freezePrompt(owner, 'generalist', first)).toEqual(first);
    const later = { system: await lineage.blobs.put('as a newer assay words it'), roleStart: 5 };
    expect(await lineage.campaigns.freezePrompt(owner, 'generalist', later)).toEqual(first);
    const opened = await openSession(lineage, { owner, role: 'generalist', lane: 'generalist-1', index: 0 });
    if (opened.kind !== 'open') throw new Error(opened.kind);
    expect(await lineage.sessions.get(opened.session)).toMatchObject(first);
  });
});
