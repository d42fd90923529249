import {
  campaignInputSchema,
  frozenCampaignSchema,
  type FrozenCampaign,
} from '../../src/domain/campaign/campaign.js';

/** The frozen settings of a small campaign of the tiny task, measured by one run under the rule `greedy`, without a claim. */
export function frozenOf(name: string, owner: string, more: Record<string, unknown> = {}): FrozenCampaign {
  const input = campaignInputSchema.parse({ task: 'tiny' });
  return frozenCampaignSchema.parse({
    name,
    owner,
    task: { name: 'tiny', digest: '0'.repeat(64), title: 'tiny' },
    pool: 'cpu',
    lanes: [],
    limits: {
      trials: 10,
      submissions: 40,
      hours: null,
      hoursWithoutGain: null,
      microUsd: null,
      acceleratorMs: null,
    },
    trainSeconds: null,
    calibration: 1,
    model: { id: 'offline-proposer', offline: true },
    turns: input.turns,
    maxTokens: input.maxTokens,
    trainHeartbeatSeconds: 5,
    phaseSeconds: { prepare: 1, train: 1, evaluate: 1 },
    exclusive: { search: false, claim: true },
    attributes: [],
    rule: 'greedy',
    ruleVersion: 2,
    claim: { runs: 0, confidence: 0.99, error: 0.01, at: [] },
    submission: null,
    startedAt: new Date().toISOString(),
    ...more,
  });
}
