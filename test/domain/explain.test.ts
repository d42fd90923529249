import { describe, expect, it } from 'vitest';
import { campaignInputSchema } from '../../src/domain/campaign/campaign.js';
import { explain } from '../../src/domain/text/explain.js';

const wrong = (fields: Record<string, unknown>): string => {
  const { error } = campaignInputSchema.safeParse({ task: 'tiny', ...fields });
  return error === undefined ? 'accepted' : explain(error);
};

describe('what is wrong with a campaign', () => {
  it('is said in words of the field and its bound', () => {
    expect(wrong({ trials: 0 })).toBe('trials: must be more than 0');
    expect(wrong({ trials: 2_000_000 })).toBe('trials: must be at most 1000000');
    expect(wrong({ trails: 3 })).toBe('unknown field "trails"');
    expect(wrong({})).toBe('accepted');
  });

  it('of whose claims are more, or later, than can be measured is said as well', () => {
    const claims = (runs: number, at: number[]) => wrong({ trials: 40, claim: { runs, at } });
    expect(claims(8, [10, 41])).toBe('claim.at: 41 is beyond the 40 trials');
    expect(claims(0, [10])).toBe('claim.at: nothing is claimed (claim.runs is 0)');
    expect(claims(100, [1, 2, 3, 4, 5])).toBe('claim.at: 6 claims of 100 runs are over 500 runs of each');
    expect(claims(100, [1, 2, 3, 4])).toBe('accepted');
  });
});
