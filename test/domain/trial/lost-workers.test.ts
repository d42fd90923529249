import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeLosses, LOST, LOST_WORKERS, type LossFacts } from '../../../src/domain/trial/lost-workers.js';

const lost = (what: string, host = 'a') => ({ what, host, code: LOST });
const faulty = { what: 'train', host: 'a', code: 'HOST_FAULT' };
const FACTS: LossFacts = {
  faults: [lost('prepare'), lost('train', 'b'), lost('evaluate', 'c')],
  pardoned: 0,
  isolated: true,
  othersGoOn: true,
};

describe('a trial that loses workers', () => {
  it.each<[string, Partial<LossFacts>, string]>([
    ['three, in three phases and on three hosts', {}, 'park'],
    ['three, with nothing else to do', { othersGoOn: false }, 'block'],
    ['three, where a recipe may have killed them', { isolated: false }, 'crash'],
    ['three, alone, where a recipe may have killed them', { isolated: false, othersGoOn: false }, 'crash'],
    ['two', { faults: [lost('train'), lost('train')] }, 'goesOn'],
    ['two, and other faults', { faults: [lost('train'), faulty, faulty, lost('train')] }, 'goesOn'],
    ['three that a person has seen', { pardoned: 3 }, 'goesOn'],
    ['two more than a person has seen', { pardoned: 1 }, 'goesOn'],
  ])('%s', (_what, facts, kind) => {
    expect(judgeLosses({ ...FACTS, ...facts }).kind).toBe(kind);
  });

  it('is told what was lost, where', () => {
    expect(judgeLosses(FACTS)).toEqual({
      kind: 'park',
      lost: 3,
      reason: '3 workers were lost with it (prepare on a, train on b, evaluate on c)',
    });
    const more = judgeLosses({ ...FACTS, faults: [lost('train', 'z'), ...FACTS.faults], pardoned: 1 });
    expect(more).toMatchObject({
      reason: expect.stringMatching(/^4 workers .*, and 1 before\)$/) as unknown,
    });
  });

  it('continues exactly as long as fewer than three losses have not been examined by a person', () => {
    const fault = fc.constantFrom(lost('train'), lost('prepare', 'b'), faulty);
    fc.assert(
      fc.property(
        fc.array(fault),
        fc.nat({ max: 10 }),
        fc.boolean(),
        fc.boolean(),
        (faults, pardoned, isolated, othersGoOn) => {
          const count = faults.filter(({ code }) => code === LOST).length;
          const { kind } = judgeLosses({ faults, pardoned, isolated, othersGoOn });
          expect(kind === 'goesOn').toBe(count - pardoned < LOST_WORKERS);
          if (kind === 'park' || kind === 'block') expect(isolated).toBe(true);
        },
      ),
    );
  });
});
