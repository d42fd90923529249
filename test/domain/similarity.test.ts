import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostSimilar, SAME_AT } from '../../src/domain/text/near-duplicates.js';
import { termsWithNumbers } from '../../src/domain/text/text-vectors.js';

describe('terms with numbers', () => {
  it.each([
    ['LR 0.3 → 0.6', ['lr', '0.3', '0.6']],
    ['+lr = 1e-3', ['lr', '1e-3']],
    ['muon_wd=-2.5E+4;', ['muon_wd', '-2.5e+4']],
    ['v1.2 of x3', ['v1', '2', 'of', 'x3']],
    ['', []],
  ])('%s', (text, terms) => {
    expect(termsWithNumbers(text)).toEqual(terms);
  });
});

describe('the most similar text', () => {
  const earlier = ['raise the learning rate of the embedding', 'widen the mlp', 'drop the warm-up'];

  it('is the one that says the same', () => {
    expect(mostSimilar('raise the learning rate of the embedding now', earlier)).toMatchObject({ at: 0 });
    expect(mostSimilar('widen the mlp', earlier)?.cosine).toBeCloseTo(1, 12);
  });

  it('is none where no word is shared', () => {
    expect(mostSimilar('quantise weights', earlier)).toBeNull();
    expect(mostSimilar('anything', [])).toBeNull();
    expect(mostSimilar('', ['', 'a'])).toBeNull();
  });

  it('is below the threshold for another value of one constant', () => {
    expect(
      mostSimilar('lr 0.3 → 0.6\n-lr = 0.3\n+lr = 0.6', ['lr 0.3 → 0.7\n-lr = 0.3\n+lr = 0.7'])?.cosine,
    ).toBeLessThan(SAME_AT);
  });

  it('is a cosine, and 1 for a text that was there', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c', '1', '0.5'), { minLength: 1, maxLength: 6 });
    const texts = fc.array(
      words.map((some) => some.join(' ')),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(texts, fc.nat(), (some, nth) => {
        const found = mostSimilar(some[nth % some.length] ?? '', some);
        expect(found?.cosine).toBeCloseTo(1, 9);
      }),
    );
  });
});
