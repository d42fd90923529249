import fc from 'fast-check';
import { expect, it } from 'vitest';
import { reachedLimit } from '../../src/domain/money/budget.js';
import { seedOf, treeDigest } from '../../src/domain/digest.js';
import { changesBetween, unifiedDiff } from '../../src/domain/text/diff.js';
import { fieldOf, parseTrialRef, trialWorkflowId } from '../../src/domain/keys.js';

const key = fc.string({ minLength: 1, maxLength: 40 });

it('makes different keys different field names without dots and dollars', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(fieldOf(a)).not.toMatch(/[.$]/);
      expect(fieldOf(a) === fieldOf(b)).toBe(a === b);
    }),
  );
});

it('reads back every trial that it writes for people', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_999_999 }), (number) => {
      expect(parseTrialRef(trialWorkflowId('night-1', number))).toEqual({ campaign: 'night-1', number });
    }),
  );
  expect(parseTrialRef('t7')).toEqual({ campaign: null, number: 7 });
  expect(parseTrialRef('seven')).toBeNull();
});

it('gives a tree one digest whatever the order of its files, and another one when a path or content changes', () => {
  const file = fc.record({ path: key, sha256: key });
  fc.assert(
    fc.property(fc.uniqueArray(file, { selector: (one) => one.path, minLength: 1 }), (files) => {
      expect(treeDigest([...files].reverse())).toBe(treeDigest(files));
      const [first, ...rest] = files;
      expect(treeDigest([{ path: first?.path ?? '', sha256: `${first?.sha256 ?? ''}x` }, ...rest])).not.toBe(
        treeDigest(files),
      );
    }),
  );
});

it('derives seeds of 31 bits that depend on everything they are derived from', () => {
  const seed = seedOf('secret', 'search', 'digest', 0);
  expect(seed).toBe(seedOf('secret', 'search', 'digest', 0));
  expect(
    new Set([
      seed,
      seedOf('other', 'search', 'digest', 0),
      seedOf('secret', 'claim', 'digest', 0),
      seedOf('secret', 'search', 'digest', 1),
    ]).size,
  ).toBe(4);
  expect(seed).toBeLessThan(2 ** 31);
});

it('shows what changed between two trees, and nothing when nothing did', () => {
  const tree = (text: string) => [{ path: 'train.py', bytes: Buffer.from(text) }];
  expect(unifiedDiff(tree('a\n'), tree('a\n'))).toBe('');
  const diff = unifiedDiff(tree('a\nb\n'), tree('a\nc\n'));
  expect(changesBetween(diff)).toBe('-b\n+c');
  expect(
    unifiedDiff(tree('a\n'), [...tree('a\n'), { path: 'w', bytes: Uint8Array.of(0xff, 0xfe) }]),
  ).toContain('Binary files');
});

it('ends a campaign at the first limit that it reaches', () => {
  const limits = {
    trials: 10,
    submissions: 40,
    hours: 1,
    hoursWithoutGain: null,
    microUsd: null,
    acceleratorMs: null,
  };
  const progress = { submitted: 5, counted: 5, ranMs: 0, sinceGainMs: 0 };
  expect(reachedLimit(limits, progress)).toBeNull();
  expect(reachedLimit(limits, { ...progress, counted: 10 })).toMatchObject({ limit: 'trials' });
  expect(reachedLimit(limits, { ...progress, submitted: 40 })).toMatchObject({ limit: 'submissions' });
  expect(reachedLimit(limits, { ...progress, ranMs: 3_600_000 })).toMatchObject({ limit: 'hours' });
  expect(
    reachedLimit({ ...limits, hoursWithoutGain: 2 }, { ...progress, sinceGainMs: 7_200_000 }),
  ).toMatchObject({ limit: 'hoursWithoutGain' });
});
