import { describe, expect, it } from 'vitest';
import { comparisonReport } from '../../../src/analysis/report/comparison-report.js';
import { html } from '../../../src/analysis/report/html.js';
import { markdown } from '../../../src/analysis/report/markdown.js';
import { runFacts } from '../../../src/analysis/report/run-facts.js';
import { trajectoryOf } from '../../builders/trajectory.js';

type Steps = Parameters<typeof trajectoryOf>[0];

const run = (name: string, steps: Steps, metric = {}) => {
  const made = trajectoryOf(steps);
  const trajectory = { ...made, name, metric: { ...made.metric, ...metric } };
  return { trajectory, facts: runFacts(trajectory), claimed: 'nothing' };
};

const GOOD: Steps = [
  { score: 0.9, ending: 'keep' },
  { score: 0.8, ending: 'keep' },
];
const BAD: Steps = [{ score: 1.2, ending: 'discard' }, { ending: 'crash' }];

describe('a comparison', () => {
  it('puts searches side by side, with their courses in one figure', () => {
    const document = comparisonReport([run('<one>', GOOD), run('two', BAD)]);
    const page = html(document);
    expect(page).toContain('class="course c0"');
    expect(page).toContain('class="course c1"');
    expect(page).toContain('&lt;one&gt;');
    expect(page).not.toContain('<one>');
    const text = markdown(document);
    expect(text).toMatch(/\| trials \| 2 \| 2 \|/);
    expect(text).toMatch(/\| adopted \| 2 \| 0 \|/);
    expect(text).toContain('a difference between them is what happened, and not an effect');
  });

  it('is refused of searches that are ranked by other metrics, of none and of too many', () => {
    expect(() => comparisonReport([run('one', GOOD), run('two', GOOD, { name: 'other' })])).toThrow(
      'ranked by other',
    );
    expect(() => comparisonReport([run('one', GOOD), run('two', GOOD, { direction: 'maximize' })])).toThrow();
    expect(() => comparisonReport([])).toThrow('not 0');
    expect(() => comparisonReport(Array.from({ length: 9 }, () => run('one', GOOD)))).toThrow('not 9');
  });
});
