import { expect, it } from 'vitest';
import { keptFacts } from '../../src/analysis/audit/kept-files.js';
import { Digested } from '../../src/analysis/audit/digested.js';
import type { Lineage } from '../../src/lineage/lineage.js';

const DIGEST = 'a'.repeat(64);
const files = [{ path: 'model.bin', sha256: DIGEST, bytes: 5 }];
const place = { host: 'gpu1', folder: 'here', gone: null };
const what = 'artifact of r';

/** A store that is not asked, and a host that keeps one file, if it does. */
const digested = (keeps: boolean, wrong: string | null = null): Digested => {
  const lineage: Pick<Lineage, 'blobs'> = {
    get blobs(): never {
      throw new Error('the store was asked');
    },
  };
  return new Digested(lineage, {
    folder: 'here',
    keeps: () => Promise.resolve(keeps),
    examine: () => Promise.resolve({ bytes: 5, wrong }),
  });
};

it.each([
  ['gone', { ...place, gone: new Date(0) }, true, /^gone with its host, gpu1/],
  ['on another host', { ...place, folder: 'there' }, true, /^its files are on gpu1, and this audit/],
  ['freed by its host', place, false, /^gpu1 keeps it no more$/],
])('an artifact that is %s is not examined', async (_how, onHost, keeps, why) => {
  const facts = await keptFacts([{ what, onHost, files }], digested(keeps));
  expect(facts).toMatchObject({ blobs: [], outOfReach: [{ what }] });
  expect(facts.outOfReach[0]?.why).toMatch(why);
});

it.each([null, 'its bytes have another digest'])(
  'an artifact that this host keeps is examined: %s',
  async (wrong) => {
    const facts = await keptFacts([{ what, onHost: place, files }], digested(true, wrong));
    expect(facts).toEqual({
      blobs: [{ what: 'artifact of r: model.bin', digest: DIGEST, bytes: 5, first: true, wrong }],
      outOfReach: [],
    });
  },
);
