import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { applyEdit, MAX_FILE, type Edit } from '../../src/domain/text/edits.js';
import { knobsOf, turned } from '../../src/domain/text/knobs.js';
import { collision, foldPath, matchesGlob, MAX_PATH, pathFault } from '../../src/domain/text/paths.js';
import { compilePattern } from '../../src/domain/text/pattern.js';
import { hopeless, readProgress, withPoint, type ProgressPoint } from '../../src/domain/task/progress.js';
import { searchTree } from '../../src/domain/text/search.js';
import { occurrences } from '../../src/domain/text/occurrences.js';
import { knobsIn } from '../../src/model/proposer/conversation-state.js';
import { hostileBytes, RUNS } from './runs.js';

const hostileText = hostileBytes(300).map((bytes) => bytes.toString('utf8'));
/** Two letters, so that a text often holds another, and overlaps itself. */
const repetitive = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 60 });

it('finds the places that a naive search finds', () => {
  fc.assert(
    fc.property(repetitive, repetitive, fc.integer({ min: 1, max: 12 }), (text, wanted, most) => {
      const naive = Array.from({ length: text.length }, (_, at) => at).filter(
        (at) => wanted !== '' && text.startsWith(wanted, at),
      );
      expect(occurrences(text, wanted, most)).toEqual(naive.slice(0, most));
    }),
    RUNS,
  );
});

it('looks at no letter of a text more than a few times, though the text was made for it', () => {
  const [length, half] = [100_000, 25_000];
  const text = 'a'.repeat(length);
  const looks = vi.spyOn(String.prototype, 'charCodeAt');
  try {
    for (const wanted of [
      `b${'a'.repeat(half)}`,
      `${'a'.repeat(half)}b`,
      `${'a'.repeat(half)}b${'a'.repeat(half)}`,
    ]) {
      looks.mockClear();
      expect(occurrences(text, wanted, 1)).toEqual([]);
      expect(looks.mock.calls.length).toBeLessThan(5 * (text.length + wanted.length));
    }
  } finally {
    looks.mockRestore();
  }
});

it.each([
  ['digits', `A = ${'1'.repeat(MAX_FILE)}`],
  ['digits before a mark', `A = ${'1'.repeat(MAX_FILE)} # knob`],
  ['digits in a range', `A = 1 # knob: ${'1'.repeat(MAX_FILE)}`],
  [
    'digits at both ends of a range',
    `A = 1 # knob: ${'1'.repeat(MAX_FILE / 2)}..${'1'.repeat(MAX_FILE / 2)}!`,
  ],
  ['blanks', `${' '.repeat(MAX_FILE)}!`],
  ['blanks after a range', `A = 1 # knob: 0..1${' '.repeat(MAX_FILE)}!`],
  ['letters', 'A'.repeat(MAX_FILE)],
  ['returns', '\r'.repeat(MAX_FILE)],
])('a file of nothing but %s has no knob, and reading it ends', (_what, source) => {
  expect(knobsOf(source)).toEqual([]);
});

it('a knob that any text marks reads back as itself', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true }).map(String),
    fc.constantFrom('1', '.5', '1.', '1e999', '-1e5', '+3', '1..2', '', '0x1', '1_000'),
  );
  fc.assert(
    fc.property(
      fc.tuple(
        fc.constantFrom('A', 'lr_2', '2a', ''),
        number,
        number,
        number,
        fc.constantFrom('', ' log', 'log'),
      ),
      fc.double({ noNaN: true }),
      ([name, value, low, high, log], target) => {
        const knobs = knobsOf(`${name} = ${value}  # knob: ${low}..${high}${log}`);
        for (const knob of knobs) {
          expect([knob.value, knob.low, knob.high].every(Number.isFinite)).toBe(true);
          if (knob.low <= knob.high)
            expect(knobsOf(turned(knob, target))).toMatchObject([{ name: knob.name }]);
        }
      },
    ),
    RUNS,
  );
});

it('tens of thousands of knobs of one name are none', () => {
  const source = 'A = 1 # knob: 0..2\n'.repeat(50_000);
  expect(
    knobsIn(
      new Map([
        ['train.py', source],
        ['other.py', 'B = 1 # knob: 0..2'],
      ]),
    ),
  ).toMatchObject([{ name: 'B' }]);
});

const patternSign = fc.constantFrom(
  ...[
    'a',
    'b',
    '.',
    '(',
    ')',
    '(?:',
    '[',
    ']',
    '[^',
    '-',
    '|',
    '*',
    '+',
    '?',
    '{2}',
    '{0,9}',
    '{100}',
    '{1,}',
  ],
  ...['\\', '\\d', '\\b', '^', '$'],
);

it('a search takes as many steps as it may, and hardly more', () => {
  fc.assert(
    fc.property(
      fc.array(patternSign, { maxLength: 100 }).map((signs) => signs.join('')),
      fc.string({ unit: fc.constantFrom('a', 'b', '1', ' '), maxLength: 200 }),
      fc.nat({ max: 20_000 }),
      (source, line, most) => {
        const found = compilePattern(source)?.find(line, most);
        if (found === undefined) return;
        // one letter may visit every edge between the states
        expect(found.steps).toBeLessThanOrEqual(Math.max(most, line.length + 1500) + 1500 * 300);
        if (found.found === null) expect(found.steps).toBeGreaterThan(most);
      },
    ),
    RUNS,
  );
});

it.each([
  ['a class of hundreds', `[${'ab'.repeat(140)}]*c`],
  ['hundreds of alternatives, a hundred times', `(${'|'.repeat(280)}){100}c`],
  ['a part of a part of a part', '((a{0,9}){0,9}){0,9}c'],
])('a pattern with %s pays for each of them', (_what, pattern) => {
  const found = searchTree(new Map([['a', `${'a'.repeat(20_000)}\n`.repeat(40)]]), pattern);
  expect('text' in found && found.text).toMatch(/stopped here|searched as plain text/);
});

const path = fc.oneof(
  hostileText,
  fc
    .array(
      fc.constantFrom(
        'a',
        'A',
        '..',
        '.',
        '.git',
        'GIT~1',
        'é',
        'é',
        '/',
        '\\',
        ' ',
        '\0',
        'train.py',
        '／',
        '‥',
        '․',
      ),
      {
        maxLength: 150,
      },
    )
    .map((parts) => parts.join('')),
);

it('a path is refused, or leads nowhere but into the recipe', () => {
  fc.assert(
    fc.property(path, path, (name, other) => {
      if (pathFault(name) !== null) return;
      expect(name.length).toBeLessThanOrEqual(MAX_PATH);
      expect(name).not.toMatch(/^\/|\\|\0|(^|\/)\.\.?(\/|$)/u);
      for (const segment of ['.git', '..', '.', '']) expect(foldPath(name).split('/')).not.toContain(segment);
      if (other !== name && foldPath(other) === foldPath(name))
        expect(collision(name, [other])).not.toBeNull();
    }),
    RUNS,
  );
});

it.each([
  ['stars', 'a'.repeat(MAX_PATH), `${'*a'.repeat(100)}b`],
  ['folders of any depth', `${'a/'.repeat(119)}a`, `${'**/'.repeat(80)}b`],
])('a path is compared with a glob of many %s, which backtracking would never end', (_what, name, glob) => {
  expect(matchesGlob(name, [glob])).toBe(false);
});

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ command: fc.constant('view' as const), path, range: fc.tuple(fc.integer(), fc.integer()) }),
  fc.record({ command: fc.constant('create' as const), path, text: hostileText }),
  fc.record({
    command: fc.constant('str_replace' as const),
    path: fc.constantFrom('train.py', 'missing.py'),
    old: fc.oneof(repetitive, hostileText),
    new: hostileText,
  }),
  fc.record({
    command: fc.constant('insert' as const),
    path: fc.constant('train.py'),
    line: fc.integer(),
    text: hostileText,
  }),
  fc.record({ command: fc.constant('search' as const), pattern: hostileText, path }),
);

it('an edit is carried out or refused in words, and what it leaves can be stored', () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 5 }), repetitive, (edits, text) => {
      let files: ReadonlyMap<string, string> = new Map([['train.py', text]]);
      for (const one of edits) {
        const result = applyEdit(files, one, ['**']);
        if ('error' in result) {
          expect(result.error.length).toBeLessThan(10_000);
          continue;
        }
        files = result.files;
        for (const [name, content] of files) {
          expect(pathFault(name)).toBeNull();
          expect(content).not.toMatch(/\0|\p{Cs}/u);
        }
      }
    }),
    RUNS,
  );
});

const progressLine = fc.oneof(
  hostileText,
  fc
    .record({
      schema: fc.constantFrom('assay.progress/1', 'other'),
      share: fc.oneof(fc.double(), fc.constantFrom<unknown>('1', null, [0], 1e999)),
      value: fc.oneof(fc.double(), fc.constantFrom<unknown>('0.1', null, true)),
    })
    .map((line) => JSON.stringify(line)),
  fc.constantFrom(
    '{"schema":"assay.progress/1","share":0.5,"value":1e999}',
    '{"schema":"assay.progress/1","share":0.5,"value":1,"__proto__":{}}',
    `{"schema":${'['.repeat(480)}`,
  ),
);

it('a line of progress is a point of finite numbers or nothing', () => {
  fc.assert(
    fc.property(progressLine, (line) => {
      const point = readProgress(line);
      if (point === null) return;
      expect(point.share).toBeGreaterThanOrEqual(0);
      expect(point.share).toBeLessThanOrEqual(1);
      expect(Number.isFinite(point.value)).toBe(true);
    }),
    RUNS,
  );
});

const point: fc.Arbitrary<ProgressPoint> = fc.record({
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  value: fc.double({ noNaN: true, noDefaultInfinity: true }),
});
const curve = fc
  .array(point, { maxLength: 40 })
  .map((points) => points.reduce<readonly ProgressPoint[]>(withPoint, []));

it('points only ever move forward, are bounded, and never make a run hopeless by a number that is none', () => {
  fc.assert(
    fc.property(curve, curve, fc.constantFrom('minimize', 'maximize'), (reference, run, direction) => {
      for (const points of [reference, run])
        expect(points.every(({ share }, at) => at === 0 || share > (points[at - 1]?.share ?? 1))).toBe(true);
      const rule = { direction, after: 0.1, spread: 1, spreads: 2, catch_up: 2 } as const;
      const found = hopeless(rule, reference, run);
      if (found !== null) expect([found.end, found.value, found.reference].every(Number.isFinite)).toBe(true);
    }),
    RUNS,
  );
});

it('a training that prints for ever has as many points as are kept', () => {
  let points: readonly ProgressPoint[] = [];
  for (let at = 1; at <= 2000; at += 1) points = withPoint(points, { share: at / 2000, value: at });
  expect(points).toHaveLength(500);
});
