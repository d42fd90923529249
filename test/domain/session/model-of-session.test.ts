import { describe, expect, it } from 'vitest';
import { modelOfSession } from '../../../src/domain/session/model-of-session.js';
import {
  allModels,
  mostReplyTokens,
  type FrozenModels,
  type ModelSetting,
} from '../../../src/domain/session/model-settings.js';

const setting = (id: string, weight = 1): ModelSetting => ({
  ...{ id, weight, offline: false, price: null, effort: null },
  ...{ thinking: 'adaptive', maxTokens: 32_000, window: 200_000 },
});
const frozen = (more: Partial<FrozenModels>): FrozenModels => ({
  ...{ model: { id: 'one', offline: false }, price: null, maxTokens: 16_000, models: [], roleModels: {} },
  ...more,
});
const drawn = (of: FrozenModels, role = 'opt', sessions = 2000): Map<string, number> => {
  const counts = new Map<string, number>();
  for (let at = 0; at < sessions; at += 1) {
    const { id } = modelOfSession(of, { role, session: `o/${role}-1/${at}` });
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
};

describe('the model of a session', () => {
  it('is the only one of a campaign from before there were several', () => {
    expect(modelOfSession(frozen({}), { role: 'opt', session: 's' })).toMatchObject({
      id: 'one',
      maxTokens: 16_000,
      thinking: 'adaptive',
    });
    expect(allModels(frozen({})).map(({ id }) => id)).toEqual(['one']);
  });

  it('is drawn by weight, and the same for the same session', () => {
    const of = frozen({ models: [setting('a', 3), setting('b', 1)] });
    expect((drawn(of).get('a') ?? 0) / 2000).toBeCloseTo(0.75, 1);
    expect(drawn(of)).toEqual(drawn(of));
  });

  it('is the role’s own where it has some', () => {
    const of = frozen({ models: [setting('a')], roleModels: { arch: [setting('big')] } });
    expect([...drawn(of, 'arch', 20).keys()]).toEqual(['big']);
    expect([...drawn(of, 'opt', 20).keys()]).toEqual(['a']);
    expect(allModels(of).map(({ id }) => id)).toEqual(['a', 'big']);
  });

  it.each([
    ['claude-opus-4-20250514', 32_000],
    ['claude-opus-4-5-20251101', 64_000],
    ['claude-haiku-4-5', 64_000],
    ['claude-opus-5-5', 128_000],
    ['another', 128_000],
  ])('%s may be asked for at most %i tokens', (id, most) => {
    expect(mostReplyTokens(id)).toBe(most);
  });
});
