import { describe, expect, it } from 'vitest';
import { campaignInputSchema } from '../../src/domain/campaign.js';
import { explain } from '../../src/domain/explain.js';

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
});
