import { describe, expect, it } from 'vitest';
import { contradictions } from '../../../src/analysis/archive/contradictions.js';
import { columnsSchema } from '../../../src/analysis/archive/columns.js';
import { knownColumns } from '../../../src/analysis/archive/known-columns.js';
import { readTable } from '../../../src/analysis/archive/read-table.js';
import { archiveReport } from '../../../src/analysis/report/archive-report.js';
import type { ReportDocument } from '../../../src/analysis/report/blocks.js';
import { ticks } from '../../../src/analysis/report/figures/axes.js';
import { html } from '../../../src/analysis/report/html.js';
import { markdown } from '../../../src/analysis/report/markdown.js';
import { trajectoryOf } from '../../builders/trajectory.js';
import { CONTRADICTING, TWIN } from '../archive/released-twin.js';

function reportOf(text: string): ReportDocument {
  const header = text.slice(0, text.indexOf('\n')).split('\t');
  const run = readTable('twin', text, columnsSchema.parse(knownColumns(header)));
  return archiveReport({ run, contradictions: contradictions(run) }).document;
}

/** A search with a plateau, adoptions, expectations and hours, so that every figure is drawn. */
function fullReport(hypothesis = 'try it'): ReportDocument {
  const trials = Array.from({ length: 40 }, (_, at) => ({
    score: 0.9 + 0.001 * ((at * 7) % 20),
    ending: at === 3 ? ('keep' as const) : ('discard' as const),
    metrics: { bpb: 0.7835 },
    expectedDelta: -0.01 * (at % 5),
    endedAt: at * 60_000,
    hypothesis,
    role: hypothesis,
  }));
  const run = { ...{ rows: 40, refused: [], recorded: new Map() }, trajectory: trajectoryOf(trials) };
  const repairs = { ragged: 0, multiline: 0, unclosed: 0, prefixedParents: 0, embedded: 0, oddNumbers: 0 };
  return archiveReport({ run: { ...run, repairs }, contradictions: [] }).document;
}

describe('a report as a page', () => {
  it('needs nothing from outside, and no script to be read', () => {
    const page = html(reportOf(TWIN));
    expect(page).not.toMatch(/(?:src|href)="(?!#)/);
    expect(page).not.toMatch(/url\(|@import/);
    expect(page).toContain("default-src 'none'");
    expect(page.match(/<script>/g)).toHaveLength(1);
    expect(page).toContain('prefers-color-scheme: dark');
  });

  it('draws every figure, without a number that is none', () => {
    const document = fullReport();
    const figures = document.sections.flatMap(({ blocks }) =>
      blocks.flatMap((block) => (block.kind === 'figure' ? [block.figure.kind] : [])),
    );
    expect(figures.sort()).toEqual(['calibration', 'outcomes', 'plateau', 'rates', 'scores']);
    const page = html(document);
    expect(page.match(/<svg /g)).toHaveLength(5);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('shows what models wrote, and lets none of it be markup', () => {
    const hostile = `<img src=x onerror="alert(1)"> & 'quotes' \u202e`;
    const page = html(fullReport(hostile));
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &#39;quotes&#39;');
    expect(page).not.toContain('\u202e');
  });

  it('of a search without any trial is a report too', () => {
    const text = TWIN.split('\n').slice(0, 2).join('\n');
    const page = html(reportOf(`${text}\n`));
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    expect(page).toContain('Nothing was adopted.');
  });
});

it('a report in Markdown has the same sections, and its tables one width', () => {
  const document = reportOf(CONTRADICTING);
  const lines = markdown(document).split('\n');
  expect(lines.filter((line) => line.startsWith('## '))).toHaveLength(document.sections.length);
  let width = 0;
  for (const line of lines) {
    const cells = line.startsWith('|') ? line.replaceAll('\\|', '').split('|').length : 0;
    if (width > 0 && cells > 0) expect(cells, line).toBe(width);
    width = cells;
  }
  expect(lines.join('\n')).toContain('trials whose parent is not in the table');
});

it('ticks are round and within', () => {
  expect(ticks([0, 10], 5)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(ticks([0.781, 0.789], 4)).toEqual([0.782, 0.784, 0.786, 0.788]);
  expect(ticks([1, 1])).toEqual([1]);
});
