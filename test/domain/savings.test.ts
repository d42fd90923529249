import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certainMargins, firstMiss, margins } from '../../src/domain/task/gates.js';
import {
  phaseKey,
  seenBy,
  trainReads,
  visibleFiles,
  type PhaseInputs,
} from '../../src/domain/task/phase-key.js';
import { hopeless, readProgress, withPoint, type StopRule } from '../../src/domain/task/progress.js';
import { gateSchema } from '../../src/domain/task/schema/gate.js';
import { taskSchema } from '../../src/domain/task/task.js';

const task = (train: string[], pack: string[]) =>
  taskSchema.parse({
    schema: 'assay.task/1',
    name: 'keyed',
    title: 'keyed',
    metric: { name: 'loss', unit: '', direction: 'minimize' },
    recipe: { editable: ['*'] },
    data: { prepare: 'prepare.py', train: 'train/', search: 'search/' },
    resources: {},
    phases: {
      train: { run: 'true', timeout_s: 1, output: 'out/', reads: train },
      pack: { run: 'true', timeout_s: 1, output: 'artifact/', reads: pack },
    },
    scoring: 'direct',
    evaluate: { run: 'true', timeout_s: 1 },
    specialists: ['solo'],
  });

const digest = fc.constantFrom('a', 'b', 'c');
const tree = fc.record({ 'train.py': digest, 'pack.py': digest, 'lib/x.py': digest });
const filesOf = (found: Record<string, string>) =>
  Object.entries(found).map(([path, sha256]) => ({ path, sha256 }));
const inputs: PhaseInputs = {
  phase: 'train',
  task: 't',
  command: 'c',
  files: [{ path: 'train.py', sha256: 'a' }],
  data: 'd',
  outputs: null,
  seed: 1,
  hostClass: 'h',
  environment: { python: 'p', fs: 'enforced' },
  trainSeconds: 1,
};

describe('what a phase reads', () => {
  it('changes what training reads exactly when a file that it declares changes', () => {
    const spec = task(['train.py', 'lib/', 'train/'], []);
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const same = a['train.py'] === b['train.py'] && a['lib/x.py'] === b['lib/x.py'];
        expect(trainReads(spec, filesOf(a)) === trainReads(spec, filesOf(b))).toBe(same);
      }),
    );
  });

  it('is everything that there is without a declaration', () => {
    const spec = task([], []);
    expect(seenBy(spec, 'train')).toEqual({
      ...{ recipe: null, data: true, outputs: false, cache: false },
    });
    expect(seenBy(spec, 'pack')).toEqual({
      ...{ recipe: null, data: false, outputs: true, cache: false },
    });
    fc.assert(
      fc.property(tree, (found) => {
        expect(visibleFiles(seenBy(spec, 'pack'), filesOf(found))).toEqual(filesOf(found));
      }),
    );
  });

  it('has data and outputs only where it names their folders', () => {
    expect(seenBy(task(['train.py'], ['pack.py']), 'train').data).toBe(false);
    expect(seenBy(task(['train.py'], ['pack.py']), 'pack').outputs).toBe(false);
    expect(seenBy(task(['train.py', 'train/'], ['pack.py', 'out/']), 'pack')).toEqual({
      ...{ recipe: ['pack.py'], data: false, outputs: true, cache: false },
    });
  });

  it('has the cache of a prewarm where it names it, and then depends on what that was made of', () => {
    const warmed = (train: string[]) => {
      const spec = task(train, ['pack.py', 'out/']);
      const prewarm = { run: 'true', timeout_s: 1, output: 'cache/', reads: ['lib/'] };
      return { ...spec, phases: { ...spec.phases, prewarm } };
    };
    expect(seenBy(warmed(['train.py']), 'train').cache).toBe(false);
    expect(seenBy(warmed([]), 'train').cache).toBe(true);
    const seeing = warmed(['train.py', 'cache/']);
    expect(seenBy(seeing, 'train')).toEqual({
      ...{ recipe: ['train.py'], data: false, outputs: false, cache: true },
    });
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const sameTrain = a['train.py'] === b['train.py'];
        const isSame = (spec: typeof seeing) => trainReads(spec, filesOf(a)) === trainReads(spec, filesOf(b));
        expect(isSame(seeing)).toBe(sameTrain && a['lib/x.py'] === b['lib/x.py']);
        expect(isSame(warmed(['train.py']))).toBe(sameTrain);
      }),
    );
  });

  it.each<Partial<PhaseInputs>>([
    { phase: 'pack' },
    { task: 'u' },
    { command: 'd' },
    { files: [{ path: 'train.py', sha256: 'b' }] },
    { files: [{ path: 'other.py', sha256: 'a' }] },
    { data: null },
    { outputs: 'o' },
    { seed: 2 },
    { hostClass: 'i' },
    { environment: { python: 'q', fs: 'enforced' } },
    { trainSeconds: 2 },
  ])('has another key with %j', (other) => {
    expect(phaseKey({ ...inputs, ...other })).not.toBe(phaseKey(inputs));
  });

  it('has a key that does not depend on any order', () => {
    const files = filesOf({ b: '1', a: '2' });
    const reversed = { ...inputs, files: [...files].reverse(), environment: { fs: 'enforced', python: 'p' } };
    expect(phaseKey(reversed)).toBe(phaseKey({ ...inputs, files }));
  });
});

const bytes = fc.nat(2000);
const gate = fc
  .record({
    metric: fc.constantFrom('bytes', 'code_bytes', 'loss'),
    max: fc.option(bytes, { nil: undefined }),
    min: bytes,
  })
  .map((found) => gateSchema.parse({ name: 'g', known: 'pack', ...found }));

describe('a gate before any compute', () => {
  it('blocks only what every artifact would miss as well', () => {
    fc.assert(
      fc.property(fc.array(gate), bytes, bytes, (gates, code, artifact) => {
        if (firstMiss(certainMargins(gates, code)) === undefined) return;
        const exact = margins(gates, { code_bytes: code, bytes: code + artifact });
        expect(firstMiss(exact)).toBeDefined();
      }),
    );
  });

  it('blocks code that is over a limit on its own, with the exact excess', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 500 }), (max, over) => {
        const gates = [gateSchema.parse({ name: 'g', metric: 'bytes', max, known: 'pack' })];
        expect(firstMiss(certainMargins(gates, max + over))?.over).toBe(over);
        expect(firstMiss(certainMargins(gates, max))).toBeUndefined();
      }),
    );
  });
});

const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const shares = fc
  .uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 12 })
  .map((found) => found.sort((a, b) => a - b).map((share) => share / 100));
const curve = shares.chain((at) =>
  fc
    .array(value, { minLength: at.length, maxLength: at.length })
    .map((values) => at.map((share, index) => ({ share, value: values[index] ?? 0 }))),
);
const complete = curve.map((points) => [...points.filter(({ share }) => share < 1), { share: 1, value: 0 }]);
const rule: fc.Arbitrary<StopRule> = fc.record({
  direction: fc.constantFrom('minimize', 'maximize'),
  after: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
  spread: fc.double({ min: 1e-3, max: 10, noNaN: true }),
  spreads: fc.double({ min: 2, max: 10, noNaN: true }),
  catch_up: fc.double({ min: 1, max: 5, noNaN: true }),
});

describe('a run that its own progress shows hopeless', () => {
  it('is not saved by worse progress', () => {
    const worse = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(rule, complete, curve, worse, (by, reference, run, more) => {
        if (hopeless(by, reference, run) === null) return;
        const sign = by.direction === 'minimize' ? 1 : -1;
        const lower = run.map((point) => ({ ...point, value: point.value + sign * more }));
        expect(hopeless(by, reference, lower)).not.toBeNull();
      }),
    );
  });

  it('is never one that says nothing, is judged too early, or has no whole reference', () => {
    fc.assert(
      fc.property(rule, complete, curve, (by, reference, run) => {
        expect(hopeless(by, reference, [])).toBeNull();
        expect(
          hopeless(
            by,
            reference,
            run.filter(({ share }) => share < by.after),
          ),
        ).toBeNull();
        expect(hopeless(by, [], run)).toBeNull();
        expect(
          hopeless(
            by,
            reference.filter(({ share }) => share < 0.9),
            run,
          ),
        ).toBeNull();
      }),
    );
  });

  it('is never the reference itself', () => {
    fc.assert(
      fc.property(rule, complete, (by, reference) => {
        const falling = reference.map(({ share }) => ({
          share,
          value: by.direction === 'minimize' ? 1 - share : share,
        }));
        expect(hopeless(by, falling, falling)).toBeNull();
      }),
    );
  });

  it('is told by strict lines only', () => {
    expect(readProgress('{"schema":"assay.progress/1","share":0.5,"value":2}')).toEqual({
      share: 0.5,
      value: 2,
    });
    for (const line of [
      '',
      '{',
      'null',
      '{"schema":"assay.progress/1","share":0.5,"value":1e999}',
      '{"schema":"assay.progress/1","share":0.5,"value":"2"}',
      '{"schema":"assay.progress/1","share":0.5,"value":null}',
      '{"schema":"assay.progress/1","share":1.5,"value":2}',
      '{"schema":"assay.progress/1","share":0.5,"value":2,"more":1}',
    ])
      expect(readProgress(line)).toBeNull();
  });

  it('moves forward in time only', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }), value })),
        (said) => {
          const points = said.reduce<readonly { share: number; value: number }[]>(withPoint, []);
          points.forEach((point, index) => {
            const before = points[index - 1];
            if (before !== undefined) expect(point.share).toBeGreaterThan(before.share);
          });
        },
      ),
    );
  });
});
