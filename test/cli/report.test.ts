import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TWIN } from '../analysis/archive/released-twin.js';
import { runHere } from '../bad-input/assay.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-report-'));
});
afterEach(() => rm(folder, { recursive: true }));

const assay = (...args: string[]) => runHere(['report', ...args], { ASSAY_HOME: folder });

async function fill(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

const PLAIN = 'acc\tverdict\n0.5\tbase\n0.6\tyes\n';
const MAPPING = `schema: assay.columns/1
metric: { name: acc, direction: maximize }
columns: { score: acc, status: verdict }
statuses: { base: start, yes: keep }
`;

describe('a report on an archive', () => {
  it('is written as a page and as Markdown, one of each run', async () => {
    await fill({ 'a/one/blackboard/results.tsv': TWIN, 'a/two/results.tsv': TWIN, 'a/notes/x.txt': '' });
    const { stdout, exitCode } = await assay('--archive', join(folder, 'a'), '--into', join(folder, 'out'));
    expect(exitCode).toBe(0);
    const files = ['one-report.html', 'one-report.md', 'two-report.html', 'two-report.md'];
    expect(stdout.trim().split('\n')).toEqual(files.map((file) => join(folder, 'out', file)));
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(files);
    expect(await readFile(join(folder, 'out/one-report.md'), 'utf8')).toContain('# one\n');
  });

  it('takes the meaning of columns from beside the table, or from a file', async () => {
    await fill({ 'run/results.tsv': PLAIN, 'run/columns.yaml': MAPPING, 'bare/results.tsv': PLAIN });
    const shape = z.object({
      schema: z.literal('assay.report/1'),
      reports: z.array(z.object({ name: z.string(), improvement: z.object({ gain: z.number() }) })),
    });
    for (const args of [['run'], ['bare', '--columns', join(folder, 'run/columns.yaml')]]) {
      const [run = '', ...more] = args;
      const { stdout } = await assay('--archive', join(folder, run), ...more, '--json');
      const [report] = shape.parse(JSON.parse(stdout)).reports;
      expect([report?.name, report?.improvement.gain.toFixed(3)]).toEqual([run, '0.100']);
    }
  });

  it.each([
    ['nothing in it', {}, /has no results\.tsv, and none of its folders has one/],
    ['columns of an unknown form', { 'results.tsv': PLAIN }, /are of no form that assay knows: acc, verdict/],
    [
      'a mapping with a fault',
      { 'results.tsv': PLAIN, 'columns.yaml': MAPPING.replace('maximize', 'up') },
      /columns\.yaml: metric\.direction:/,
    ],
    ['a mapping that is no YAML', { 'results.tsv': PLAIN, 'columns.yaml': '{' }, /columns\.yaml is no YAML/],
    [
      'a mapping of other columns',
      { 'results.tsv': PLAIN, 'columns.yaml': MAPPING.replace('score: acc', 'score: loss') },
      /results\.tsv has no column "loss"/,
    ],
  ])('is refused with %s', async (_, files, message) => {
    await fill({ ...files, 'other.txt': '' });
    const { exitCode, stderr } = await assay('--archive', folder);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });

  it.each([
    ['neither a campaign nor an archive', []],
    ['both', ['night-1', '--archive', '.']],
    ['columns of a campaign', ['night-1', '--columns', 'x.yaml']],
  ])('is not made of %s', async (_, args) => {
    const { exitCode, stderr } = await assay(...args);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--archive/);
  });
});
