import { describe, expect, it } from 'vitest';
import { columnsSchema, type ColumnsInput } from '../../../src/analysis/archive/columns.js';
import { contradictions } from '../../../src/analysis/archive/contradictions.js';
import { knownColumns } from '../../../src/analysis/archive/known-columns.js';
import { missingColumns, readTable } from '../../../src/analysis/archive/read-table.js';
import { sideContradictions } from '../../../src/analysis/archive/side-records.js';
import type { ArchiveRun } from '../../../src/analysis/archive/archive-run.js';
import { CONTRADICTING, TWIN } from './released-twin.js';

function released(text: string): ArchiveRun {
  const header = text.slice(0, text.indexOf('\n')).split('\t');
  return readTable('twin', text, columnsSchema.parse(knownColumns(header)));
}

describe('a table with the oddities of the release', () => {
  const run = released(TWIN);
  const trial = (number: number) => run.trajectory.trials[number - 1];

  it('is read whole, and tells what was put right', () => {
    expect(run).toMatchObject({ rows: 7, refused: [] });
    expect(run.repairs).toEqual({
      ...{ ragged: 1, multiline: 1, unclosed: 0, prefixedParents: 1, embedded: 1, oddNumbers: 1 },
    });
    expect(contradictions(run)).toEqual([]);
  });

  it('sets the start apart and numbers the proposals', () => {
    expect(run.trajectory.start).toMatchObject({ id: '000', number: 0, score: 1 });
    expect(run.trajectory.trials.map(({ id, number }) => `${id}:${number}`)).toEqual([
      ...['001:1', '002:2', '003:3', '004:4', '005:5', '006:6'],
    ]);
  });

  it('keeps a text over several lines, finds a prefixed parent, reads a number in words', () => {
    expect(trial(2)).toMatchObject({
      hypothesis: 'first line\nsecond "line"',
      parent: 1,
      expectedDelta: -0.02,
      role: 'opt',
      domain: 'arch',
    });
  });

  it('puts a ragged row right, its notes apart from its hypothesis', () => {
    expect(trial(3)).toMatchObject({
      hypothesis: 'wider it',
      expectedDelta: -0.005,
      ending: 'size_blocked',
      score: 0.85,
      artifactBytes: 1100,
      parent: 1,
      times: { trainMs: 60_000, evaluateMs: 50_000, totalMs: 120_000 },
      costs: { acceleratorMs: 960_000 },
    });
  });

  it('tells faults of the infrastructure from crashes', () => {
    expect(run.trajectory.trials.slice(3).map(({ ending }) => ending)).toEqual([
      ...['infrastructure', 'preflight_crash', 'infrastructure'],
    ]);
    expect(trial(5)?.cause).toBe('ValueError: bad (train.py:7 in main)');
  });
});

describe('a table that contradicts itself', () => {
  const run = released(CONTRADICTING);

  it('names the rows that it cannot read', () => {
    expect(run.refused).toEqual([{ line: 11, why: 'its status "lost in thought" is not in the mapping' }]);
  });

  it('lists each contradiction with its trials', () => {
    const found = contradictions(run).map(({ kind, count, examples }) => [kind, count, ...examples]);
    expect(found).toEqual([
      ['id', 1, '001'],
      ['parent', 1, '002'],
      ['parent-order', 1, '003'],
      ['parent-time', 1, '005'],
      ['order', 1, '001'],
      ['delta', 1, '002'],
      ['keep', 1, '003'],
      ['keep', 1, '001'],
      ['limit', 1, '003'],
    ]);
  });
});

describe('files beside a table', () => {
  const run = released(TWIN);
  const agreeing = {
    best: JSON.stringify({ exp_id: '001', val_bpb: 0.9 }),
    tree: `exp_id\tpath\n${[
      '000',
      '000/001',
      '000/001/002',
      '000/001/003',
      '000/001/004',
      '000/001/005',
      '000/001/006',
    ]
      .map((path) => `${path.slice(-3)}\t${path}`)
      .join('\n')}`,
    snapshots: ['001_opt'],
  };

  it('that agree contradict nothing', () => {
    expect(sideContradictions(run, agreeing)).toEqual([]);
  });

  it.each([
    ['another best', { best: JSON.stringify({ exp_id: '002', val_bpb: 0.9 }) }, 'best', ['001']],
    ['another score', { best: JSON.stringify({ exp_id: '001', val_bpb: 0.8 }) }, 'best', ['001']],
    ['no best at all', { best: '{' }, 'best', ['best.json']],
    ['a lost ancestor', { tree: agreeing.tree.replace('000/001/002', '002') }, 'tree', ['002']],
    ['no tree at all', { tree: 'nothing' }, 'tree', ['tree.tsv']],
    ['lost code', { snapshots: [] }, 'snapshot', ['001']],
    ['code of nothing', { snapshots: ['001_opt', '009_opt'] }, 'snapshot', ['009_opt']],
  ])('%s is listed', (_, other, kind, examples) => {
    expect(sideContradictions(run, { ...agreeing, ...other })).toMatchObject([{ kind, examples }]);
  });
});

describe('a plain results.tsv', () => {
  const MAPPING: ColumnsInput = {
    schema: 'assay.columns/1',
    metric: { name: 'accuracy', direction: 'maximize' },
    columns: { score: 'acc', status: 'verdict', hypothesis: 'what', dollars: 'usd', parent: 'of' },
    statuses: { base: 'start', yes: 'keep', no: 'discard', boom: 'crash' },
    metrics: ['loss'],
    no_score: [0],
  };
  const columns = columnsSchema.parse(MAPPING);
  const text =
    'acc\tverdict\twhat\tusd\tof\tloss\n0.5\tbase\t\t\t\t1\n0.6\tyes\tbigger\t0.25\t\t0.9\n0\tboom\thuge\t0.5\t1\t\n';

  it('is read by its mapping', () => {
    const { trajectory } = readTable('plain', text, columns);
    expect(trajectory.start).toMatchObject({ score: 0.5 });
    expect(trajectory.trials).toMatchObject([
      {
        id: '1',
        ending: 'keep',
        score: 0.6,
        metrics: { loss: 0.9 },
        costs: { microUsd: 250_000 },
        role: 'all',
      },
      { id: '2', ending: 'crash', score: null, runs: [], parent: 1 },
    ]);
  });

  it('tells which columns of the mapping it lacks', () => {
    expect(missingColumns(['acc', 'verdict', 'usd', 'of'], columns)).toEqual(['what', 'loss']);
  });

  it('is known where it is the common form', () => {
    expect(knownColumns(['commit', 'val_bpb', 'memory_gb', 'status', 'description'])?.metric.name).toBe(
      'val_bpb',
    );
    expect(knownColumns(['a', 'b'])).toBeNull();
  });
});
