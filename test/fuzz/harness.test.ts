import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { removeTree } from '../../src/sandbox/remove-tree.js';
import { markIn } from '../../src/sandbox/process/proc-files.js';
import { rowOf } from '../../src/sandbox/process/process-table.js';
import { LARGEST_RESULT, readEvaluation } from '../../src/sandbox/scoring/evaluation-result.js';
import { seal } from '../../src/sandbox/sealing/seal.js';
import { SealRefused } from '../../src/sandbox/sealing/seal-refused.js';
import { parseManifest } from '../../src/tasks/data-manifest.js';
import { parseCall } from '../../src/model/tools/tools.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { pathFault } from '../../src/domain/text/paths.js';
import { hostileBytes, RUNS } from './runs.js';

const hostileText = hostileBytes(300).map((bytes) => bytes.toString('utf8'));

/** JSON that is close to the expected one, with some fields replaced by anything. */
const nearly = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<string> =>
  fc
    .record(
      Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [
          name,
          fc.oneof({ arbitrary: value, weight: 6 }, { arbitrary: fc.jsonValue(), weight: 1 }),
        ]),
      ),
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value));

const metricName = fc.constantFrom(
  'loss',
  'bpb',
  'constructor',
  '__proto__',
  'F1',
  'mAP@0.5',
  'F 1',
  'a'.repeat(65),
  '',
);
const evaluation = fc.oneof(
  hostileText,
  nearly({
    schema: fc.constant('assay.evaluation/1'),
    metrics: fc.dictionary(metricName, fc.oneof(fc.double(), fc.constantFrom(1e308, 5e-324))),
    gates: fc.dictionary(fc.string({ maxLength: 9 }), fc.boolean()),
    feedback: fc.string(),
  }),
  nearly({
    schema: fc.constant('assay.evaluation/1'),
    failure: fc.record({
      kind: fc.constantFrom('protocol', 'late', 'other'),
      reason: fc.string({ maxLength: 3000 }),
    }),
  }),
);

it('a result is an evaluation of finite numbers, or is refused in few words', () => {
  fc.assert(
    fc.property(evaluation, (text) => {
      const read = readEvaluation(text);
      if ('fault' in read) {
        expect(read.fault).not.toBe('');
        expect(read.fault.length).toBeLessThanOrEqual(1000);
        return;
      }
      const { evaluation: found } = read;
      if ('failure' in found) expect(found.failure.reason.length).toBeLessThanOrEqual(2000);
      else
        for (const [name, value] of Object.entries(found.metrics)) {
          expect(name).toMatch(/^\p{L}\S{0,63}$/u);
          expect(name in {}).toBe(false);
          expect(Number.isFinite(value)).toBe(true);
        }
    }),
    RUNS,
  );
});

it.each([
  ['lists as deep as it may be long', '['.repeat(LARGEST_RESULT)],
  ['lists that end', `${'['.repeat(LARGEST_RESULT / 2 - 1)}${']'.repeat(LARGEST_RESULT / 2 - 1)}`],
  ['a number of as many digits', '1'.repeat(LARGEST_RESULT)],
  ['more than is read', ' '.repeat(LARGEST_RESULT) + '{}'],
  [
    'deep lists in a metric',
    `{"schema":"assay.evaluation/1","metrics":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`,
  ],
  [
    'thousands of wrong metrics',
    `{"schema":"assay.evaluation/1","metrics":{${Array.from({ length: 5000 }, (_, at) => `"${at}":1`).join()}}}`,
  ],
  ['its own prototype', '{"schema":"assay.evaluation/1","metrics":{"__proto__":{"loss":0}}}'],
])('a result of %s gives no metric', (_what, text) => {
  const read = readEvaluation(text);
  if ('fault' in read) expect(read.fault.length).toBeLessThanOrEqual(1000);
  else expect(read.evaluation).toMatchObject({ metrics: {} });
  expect(JSON.stringify(read)).not.toContain('"loss"');
});

it('the length of a result counts in bytes, as it is read', () => {
  const text = 'ä'.repeat(LARGEST_RESULT / 2 + 1);
  expect(readEvaluation(text)).toEqual({ fault: expect.stringContaining('is longer than') as string });
});

const manifest = fc.oneof(
  hostileText,
  nearly({
    schema: fc.constant('assay.data/1'),
    files: fc.array(
      fc.record({
        path: fc.oneof(
          hostileText,
          fc.constantFrom('a/b', '../a', 'a/../../b', '/etc/passwd', '..', 'a/..', 'a\0b', '...'),
        ),
        bytes: fc.oneof(fc.integer(), fc.double()),
        sha256: hostileText,
      }),
      { maxLength: 4 },
    ),
  }),
);

it('a manifest of data names files below its folder, or is refused', () => {
  fc.assert(
    fc.property(manifest, (text) => {
      let files;
      try {
        ({ files } = parseManifest(text));
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        return;
      }
      for (const { path, bytes } of files) {
        expect(path.startsWith('/') || path.split('/').includes('..') || path.includes('\0')).toBe(false);
        expect(Number.isSafeInteger(bytes) && bytes >= 0).toBe(true);
      }
    }),
    RUNS,
  );
});

const toolInput = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      command: fc.constantFrom('view', 'create', 'str_replace', 'insert', 'undo', '__proto__'),
      path: hostileText,
      view_range: fc.oneof(hostileText, fc.array(fc.double(), { maxLength: 4 })),
      old_str: hostileText,
      new_str: hostileText,
      file_text: hostileText,
      insert_line: fc.double(),
      insert_text: hostileText,
      pattern: hostileText,
      trial: fc.double(),
      limit: fc.double(),
      hypothesis: hostileText,
      expected_delta: fc.double(),
      note: hostileText,
    },
    { requiredKeys: [] },
  ),
);

it('a tool call of a model is checked, or answered with what is wrong in bounded words', () => {
  const name = fc.oneof(
    fc.constantFrom(
      EDIT_TOOL,
      'search',
      'check',
      'lineage',
      'read_trial',
      'rebase',
      'submit_trial',
      'finish',
    ),
    hostileText,
  );
  fc.assert(
    fc.property(name, toolInput, (tool, input) => {
      const call = parseCall({ type: 'tool_use', id: 'x', name: tool, input });
      if (call.tool === 'malformed') expect(call.error.length).toBeLessThanOrEqual(2000);
      if (call.tool === 'submit_trial') expect(Number.isFinite(call.expectedDelta ?? 0)).toBe(true);
      if (call.tool === 'rebase' || call.tool === 'read_trial')
        expect(Number.isSafeInteger(call.trial)).toBe(true);
    }),
    RUNS,
  );
});

it('a process is read by its numbers, whatever name it gave itself', () => {
  const name = fc.oneof(
    hostileText,
    fc.constantFrom(') Z 1 1 1', 'a) S 0 0', '((((', '\n', ' ', 'x) R 1 (y'),
  );
  const number = fc.nat({ max: 4_000_000 });
  fc.assert(
    fc.property(name, number, number, number, (comm, parent, group, pages) => {
      const rest = Array.from({ length: 49 }, () => '0');
      Object.assign(rest, { 0: 'S', 1: parent, 2: group, 19: '777', 21: pages });
      const row = rowOf(42, `42 (${comm.replaceAll('\0', '')}) ${rest.join(' ')}\n`);
      expect(row).toMatchObject({ pid: 42, parent, group, start: '777', zombie: false });
    }),
    RUNS,
  );
});

it('the mark of a run is the variable of its name and nothing else', () => {
  const variable = fc.oneof(
    hostileText.map((text) => text.replaceAll('\0', '')),
    fc.constantFrom(
      'XASSAY_RUN=other',
      'A=ASSAY_RUN=other',
      'ASSAY_RUN',
      'ASSAY_RUNS=other',
      '\nASSAY_RUN=other',
    ),
  );
  fc.assert(
    fc.property(fc.array(variable), fc.array(variable), (before, after) => {
      const others = before.filter((text) => !text.startsWith('ASSAY_RUN='));
      expect(markIn([...others, 'ASSAY_RUN=mine/1', ...after, ''].join('\0'))).toBe('mine/1');
      expect(markIn([...others, ''].join('\0'))).toBeNull();
    }),
    RUNS,
  );
});

const fileName = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('a', 'é', 'é', 'a b', '-rf', '\n', '\x1b[2J', '\u2028', ' ', '…')
      .map((text) => Buffer.from(text)),
  )
  .filter(
    (bytes) => !bytes.includes(0) && !bytes.includes(47) && !['.', '..'].includes(bytes.toString('latin1')),
  );

it('an output of any names is sealed under the very same, or refused', async () => {
  const root = await mkdtemp(join(tmpdir(), 'assay-fuzz-'));
  const base = Buffer.from(`${root}/`);
  try {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fileName, { maxLength: 4, selector: String }), async (names) => {
        rmSync(root, { recursive: true });
        mkdirSync(root);
        for (const name of names) writeFileSync(Buffer.concat([base, name]), 'x');
        const sealed = await seal(root, { maxBytes: 1000, maxEntries: 10 }).catch((error: unknown) => error);
        if (sealed instanceof SealRefused) return;
        expect(sealed).toMatchObject({ bytes: names.reduce((sum, name) => sum + 1 + name.length + 1, 0) });
        const found = sealed instanceof Object && 'files' in sealed ? sealed.files : [];
        expect(found).toMatchObject(
          names
            .map((name) => name.toString())
            .sort()
            .map((path) => ({ path })),
        );
      }),
      { numRuns: Math.min(RUNS.numRuns, 1000) },
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});

it('an output whose paths are longer than the system takes is refused, as the recipe’s', async () => {
  const root = await mkdtemp(join(tmpdir(), 'assay-fuzz-'));
  const home = process.cwd();
  try {
    process.chdir(root);
    for (let depth = 0; depth < 25; depth += 1) {
      mkdirSync('d'.repeat(250));
      process.chdir('d'.repeat(250));
    }
    await expect(seal(root, { maxBytes: 1e6, maxEntries: 100 })).rejects.toMatchObject({
      limit: { name: 'names' },
    });
  } finally {
    process.chdir(home);
    await removeTree(root);
  }
});

it('nothing that a path of a tool call says leads out of the recipe', () => {
  fc.assert(
    fc.property(hostileText, (path) => {
      const call = parseCall({
        type: 'tool_use',
        id: 'x',
        name: EDIT_TOOL,
        input: { command: 'view', path },
      });
      expect(call.tool).toBe('edit');
      if (pathFault(path) === null) expect(path).not.toMatch(/^\/|\0/);
    }),
    RUNS,
  );
});

it.each([
  ['{"loss": 0.1}', { loss: 0.1 }],
  ['{"loss": -0.1}', null],
  ['{"loss": "0.1"}', null],
  ['{"loss": 1e999}', null],
])('standard errors of %s are read as %j', (errors, expected) => {
  const read = readEvaluation(
    `{"schema": "assay.evaluation/1", "metrics": {"loss": 1}, "standard_errors": ${errors}}`,
  );
  if (expected === null)
    expect(read).toEqual({ fault: expect.stringContaining('standard_errors') as string });
  else expect(read).toMatchObject({ evaluation: { standard_errors: expected }, notes: [] });
});
