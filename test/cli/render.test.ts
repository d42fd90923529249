import { describe, expect, it } from 'vitest';
import type { TrialSummary } from '../../src/analysis/read-models/trial-summary.js';
import type { DecisionView, TrialRecord } from '../../src/analysis/read-models/trial-record.js';
import { describeControl } from '../../src/cli/render/control-answer.js';
import { isObeyed, wasResumed } from '../../src/cli/use-cases/control.js';
import { renderDiff } from '../../src/cli/render/diff.js';
import { renderEvent } from '../../src/cli/render/events.js';
import { renderDoctor } from '../../src/cli/render/doctor.js';
import { bytes, duration, score, signed, usd } from '../../src/cli/render/numbers.js';
import { plain, type Paint } from '../../src/cli/render/paint.js';
import { shellWord } from '../../src/cli/render/shell-word.js';
import { clean, cut, oneLine } from '../../src/cli/render/text.js';
import { renderRecord } from '../../src/cli/render/trial.js';
import { renderTrials } from '../../src/cli/render/trials.js';
import { checkPlatform } from '../../src/cli/supported.js';

const METRIC = { name: 'loss', unit: 'nats', direction: 'minimize' } as const;
const LINE: TrialSummary = {
  trial: 't00002',
  number: 2,
  role: 'arch',
  lane: 'arch-1',
  parent: 't00000',
  status: 'discard',
  stage: 'ended',
  labels: [],
  stageAt: '2026-01-01T00:00:10.000Z',
  score: 1.75,
  delta: -0.25,
  believed: null,
  expectedDelta: -0.1,
  domain: null,
  hypothesis: 'wider',
  lesson: 'not better than trial 1',
  duplicateOf: null,
  submittedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:10.000Z',
  elapsedMs: 10_000,
  savedMs: 0,
};
const ISOLATED = {
  fs: 'enforced',
  net: 'enforced',
  pid: 'enforced',
  mem: 'advisory',
  pids: 'advisory',
  disk: 'advisory',
  gpu: 'none',
  secrets: 'enforced',
  cpu: 'advisory',
  channels: 'open',
} as const;
const RECORD: TrialRecord = {
  ...LINE,
  schema: 'assay.trial/1',
  asOf: '2026-01-01T00:00:10.000Z',
  campaign: 'demo',
  workflowId: 'demo/t00002',
  task: { name: 'tiny', digest: '0'.repeat(64), title: 'tiny' },
  metric: METRIC,
  session: { id: 's/arch-1/0', index: 0, turn: 3 },
  snapshot: '1'.repeat(64),
  parentSnapshot: '2'.repeat(64),
  metrics: { loss: 1.75, bytes: 24_120 },
  recipeReported: [],
  margins: [{ gate: 'size', metric: 'bytes', value: 24_120, limit: 24_000, side: 'max', over: 120 }],
  failure: null,
  projection: null,
  feedback: '',
  cancelledBy: null,
  replicates: [
    {
      purpose: 'search',
      index: 0,
      hostClass: 'small',
      seed: null,
      attempts: 1,
      worksNow: null,
      artifact: null,
      phases: [],
      metrics: { loss: 1.75 },
      standardErrors: {},
      sharesTraining: null,
      saved: [],
      infra: [],
    },
  ],
  isolation: { tier: 'C', ...ISOLATED },
  decision: null,
  estimate: null,
  comparison: null,
  diff: '--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-X = 1\n+X = 2\n',
  remark: 'nothing is claimed',
};
const marked: Paint = (colour, text) => `<${colour}>${text}</${colour}>`;
const shown = (record: Partial<TrialRecord>): string =>
  renderRecord({ ...RECORD, ...record }, { paint: plain, color: false });

describe('numbers', () => {
  it('always carry their unit, and no score is not a score of 0', () => {
    expect(score(null)).toBe('-');
    expect(score(2.659996926)).toBe('2.6600');
    expect(score(0.000123)).toBe('0.0001230');
    expect(signed(0.5)).toBe('+0.5000');
    expect(usd(0)).toBe('$0.0000');
    expect(usd(1_234_567)).toBe('$1.2346');
    expect(bytes(24_000)).toBe('24,000 bytes');
    expect([400, 59_960, 185_000, 7_500_000, 273_600_000].map(duration)).toEqual([
      '0.4 s',
      '1 min 00 s',
      '3 min 05 s',
      '2 h 05 min',
      '3 d 4 h',
    ]);
  });
});

it('a record says how far its evaluations leave the score open', () => {
  const runs = RECORD.replicates.map((run) => ({ ...run, standardErrors: { loss: 0.012 } }));
  const two = shown({ replicates: runs.flatMap((run) => [run, { ...run, index: 1 }]) });
  expect(two).toMatch(/evaluated to +± 0\.0085/);
  expect(two).toMatch(/loss +1\.75, standard error 0\.012/);
  expect(shown({})).not.toContain('standard error');
});

describe('text of models and recipes', () => {
  it('cannot move the cursor, hide a line or turn its direction', () => {
    expect(clean('a\u001b[2Jb\rc\u202Ed\u0007')).toBe('a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFD');
    expect(clean('kept\ttab\nand line\r\n')).toBe('kept\ttab\nand line\n');
    expect(oneLine('two\nlines\t here ')).toBe('two lines here');
    expect(cut('abcdef', 4)).toBe('abc…');
  });

  it('is harmless in tables, records and diffs', () => {
    const hostile = '\u001b]0;owned\u0007\nnext';
    expect(renderTrials([{ ...LINE, hypothesis: hostile }], METRIC, { paint: plain })).not.toMatch(
      /[\u001b\u0007]/,
    );
    expect(
      shown({ hypothesis: hostile, lesson: hostile, diff: `+${hostile}`, feedback: hostile }),
    ).not.toMatch(/[\u001b\u0007]/);
    expect(renderDiff(`+${hostile}`, false)).not.toMatch(/[\u001b\u0007]/);
  });
});

it.each([
  ['./mine', './mine'],
  ["it's mine", "'it'\\''s mine'"],
  ['~/$HOME', "'~/$HOME'"],
  ['', "''"],
])('%j is the word %s of a shell', (text, word) => expect(shellWord(text)).toBe(word));

describe('the table of trials', () => {
  it('names metric and unit once and leaves the score of a crash empty', () => {
    const [head = '', row = ''] = renderTrials(
      [{ ...LINE, status: 'crash', score: null, delta: null }],
      METRIC,
      { paint: plain },
    ).split('\n');
    expect(head).toMatch(/TRIAL +ROLE +PARENT +STATUS +loss nats +DELTA +TIME +HYPOTHESIS/);
    expect(row).toMatch(/^t00002 +arch +t00000 +crash +- +- +10\.0 s +wider$/);
  });

  it('has a column for what was saved only where something was', () => {
    const [head = '', row = '', other = ''] = renderTrials([LINE, { ...LINE, savedMs: 4000 }], METRIC, {
      paint: plain,
    }).split('\n');
    expect(head).toMatch(/TIME +SAVED +HYPOTHESIS/);
    expect(row).toMatch(/10\.0 s +wider$/);
    expect(other).toMatch(/10\.0 s +4\.0 s +wider$/);
    expect(renderTrials([LINE], METRIC, { paint: plain })).not.toContain('SAVED');
  });

  it('says what the status of a trial does not', () => {
    const labels = ['seed-fixed', 'seed-only'] as const;
    const table = renderTrials([LINE, { ...LINE, labels: [...labels] }], METRIC, { paint: plain });
    expect(table).toMatch(/^TRIAL .* STATUS +LABELS +loss/);
    expect(table).toMatch(/discard +seed-fixed, seed-only +1\.7500/);
    expect(renderTrials([LINE], METRIC, { paint: plain })).not.toContain('LABELS');
    expect(shown({ labels: [...labels] })).toMatch(
      /label +seed-fixed: its runs do not depend on the seed: they count as one\nlabel +seed-only: it changes nothing but a seed/,
    );
    expect(shown({})).not.toContain('label');
  });

  it('has what is believed beside the mean where something is', () => {
    const believing = { ...LINE, believed: { mean: 1.8123, sd: 0.0312 } };
    const [head = '', row = '', other = ''] = renderTrials([LINE, believing], METRIC, {
      paint: plain,
    }).split('\n');
    expect(head).toMatch(/loss nats +BELIEVED +DELTA/);
    expect(row).toMatch(/1\.7500 +-0\.2500/);
    expect(other).toMatch(/1\.7500 +1\.8123 ± 0\.031 +-0\.2500/);
    expect(renderTrials([LINE], METRIC, { paint: plain })).not.toContain('BELIEVED');
  });

  it('tells a new frontier with what is known of its true score', () => {
    const estimate = { mean: 1.8123, error: 0.0312, from: 'belief', runs: null } as const;
    const event = { event: 'adopted', trial: 't00002', score: 1.75, estimate, gain: -0.25 } as const;
    expect(renderEvent(event, METRIC, plain)).toBe(
      'frontier t00002 at 1.7500 nats (believed 1.8123 ± 0.031), -0.2500 nats against the start',
    );
    expect(renderEvent({ ...event, estimate: null }, METRIC, plain)).not.toContain('±');
  });

  it('colours a difference by the direction of the metric', () => {
    expect(renderTrials([LINE], METRIC, { paint: marked })).toContain('<green>-0.2500</green>');
    expect(renderTrials([LINE], { ...METRIC, direction: 'maximize' }, { paint: marked })).not.toContain(
      '<green>',
    );
  });
});

describe('the record of a trial', () => {
  it('says what a score is worth, and shows the missed gate by how much', () => {
    expect(shown({})).toContain('1.7500 nats (-0.2500 against its parent, expected -0.1000 nats)');
    expect(shown({})).toContain('nothing is claimed');
    expect(shown({})).toMatch(/size +bytes +24,120 +≤ 24,000 +missed by 120/);
  });

  it('says how long its evaluation was projected to take', () => {
    const projection = { seconds: 27.5, limitS: 25, share: 0.1, rehearsals: 2 };
    expect(shown({ projection })).toMatch(/projected +evaluation: 27\.5 of 25 s, OVER by 2\.5 s \(projected/);
    expect(shown({})).not.toContain('projected');
  });

  const decision: DecisionView = {
    rule: 'posterior',
    version: 2,
    adopt: true,
    frontierVersion: 4,
    against: 't00015',
    frontierScore: 0.936,
    scores: [0.93195],
    score: 0.93195,
    metric: 'loss',
    direction: 'minimize',
    delta: -0.004,
    noise: 0.058,
    spread: { sd: 0.058, low: 0.04, high: 0.08, runs: 7, trials: 3, since: 0 },
    gain: 0.001,
    believed: { mean: 0.9489, sd: 0.032 },
    veto: null,
    at: '2026-01-01T00:00:10.000Z',
  };

  it('puts fresh runs before a belief, and says of the belief that it is older', () => {
    const fresh = { mean: 0.93207, error: 0.00062, from: 'fresh', runs: 4 } as const;
    const text = shown({ score: 0.93195, estimate: fresh, decision });
    expect(text).toMatch(/true score +0\.9321 ± 0\.00062 nats by 4 fresh runs of its claim/);
    expect(text).toMatch(/believed +0\.9489 ± 0\.032 nats, before its claim/);
    expect(text.indexOf('± 0.00062')).toBeLessThan(text.indexOf('± 0.032'));
    const belief = { mean: 0.934, error: 0.01, from: 'belief', runs: null } as const;
    const before = shown({ score: 0.93195, estimate: belief, decision });
    expect(before).toMatch(/true score +believed 0\.9340 ± 0\.01 nats/);
    expect(before).toMatch(/believed +0\.9489 ± 0\.032 nats, when it was decided/);
  });

  it('says that a noise is not known, and gives no number for it', () => {
    const single = { mean: 0.93195, error: null, from: 'runs', runs: 1 } as const;
    const unknown = { ...decision, noise: null, spread: null, gain: null, believed: null };
    const text = shown({ score: 0.93195, estimate: single, decision: unknown });
    expect(text).toMatch(/noise +not known/);
    expect(text).not.toMatch(/±|true score|believed|expected gain/);
  });

  it('compares runs that were fixed in advance, and says why there is no interval', () => {
    const comparison = {
      runs: 4,
      start: { mean: 2.01, sd: 0.082 },
      trial: { mean: 1.75, sd: 0.05 },
      paired: false,
      difference: -0.26,
      standardError: 0.048,
      interval: [-0.46, -0.06] as [number, number],
      confidence: 0.99,
      side: 'better' as const,
    };
    expect(shown({ comparison })).toMatch(
      /compared +4 runs each, fixed in advance: 1\.7500 \(sd 0\.050\) against 2\.0100 \(sd 0\.082\) nats of the start/,
    );
    expect(shown({ comparison })).toMatch(
      /difference +-0\.2600 ± 0\.048 \(standard error\) nats, 99 % interval -0\.4600 to -0\.0600: better/,
    );
    const untold = { ...comparison, interval: [-0.3, 0.1] as [number, number], side: null };
    expect(shown({ comparison: untold })).toContain('interval -0.3000 to +0.1000: no clear difference');
    const equal = { ...comparison, standardError: null, interval: null, side: null };
    expect(shown({ comparison: equal })).toContain(
      '-0.2600 nats, no interval: runs under different seeds are equal',
    );
    expect(shown({ comparison: { ...equal, paired: true } })).toContain('the same in every pair of runs');
  });

  it('says that a seed is hidden, and shows it when it is not', () => {
    expect(shown({})).toContain('hidden until the campaign has ended');
    const [replicate] = RECORD.replicates;
    expect(shown({ replicates: replicate === undefined ? [] : [{ ...replicate, seed: 4711 }] })).toMatch(
      /seed +4711/,
    );
  });

  it('says plainly when nothing held the recipe', () => {
    expect(shown({})).toContain(
      'tier C: enforced: fs, net, pid, secrets; advisory: mem, pids, disk, cpu; none: gpu; open: channels',
    );
    expect(shown({ isolation: { tier: 'E', ...ISOLATED } })).toContain(
      'none (tier E): the recipe could do what its user can',
    );
  });

  it('shows a failure with its numbers and the end of its log', () => {
    const limit = { name: 'wall', used: 15.5, allowed: 15, unit: 's' };
    const failure = {
      status: 'train_budget_overrun',
      phase: 'train',
      reason: 'wall limit',
      limit,
      tail: 'step 9',
    } as const;
    expect(shown({ failure })).toContain('failed in train as train_budget_overrun: wall limit');
    expect(shown({ failure })).toContain('used 15.5 s, allowed 15 s, over by 0.5 s');
    expect(shown({ failure })).toContain('    step 9');
  });
});

describe('a diff', () => {
  it('is coloured only where colours are wanted', () => {
    expect(renderDiff(RECORD.diff, false)).toBe(RECORD.diff.trimEnd());
    expect(renderDiff(RECORD.diff, true)).toContain('\u001b[32m+X = 2');
  });
});

describe('doctor', () => {
  it('tells what is missing from what only makes it weaker, with the remedies below', () => {
    const findings = [
      { part: 'Store', ok: false, essential: true, found: 'none', remedy: 'Install it.' },
      { part: 'Isolation', ok: false, essential: false, found: 'no bwrap', remedy: 'Install bubblewrap.' },
    ];
    const text = renderDoctor(findings, plain);
    expect(text).toMatch(/missing +Store +none/);
    expect(text).toMatch(/weaker +Isolation +no bwrap/);
    expect(text).toContain('Store: Install it.\nIsolation: Install bubblewrap.');
  });
});

describe('a wish to a campaign', () => {
  it('counts as obeyed only when the work has to obey it and the state says so', () => {
    const pause = { ask: 'pause', reason: undefined } as const;
    expect(isObeyed({ control: 'paused', state: 'running' }, pause)).toBe(false);
    expect(isObeyed({ control: 'paused', state: 'paused' }, pause)).toBe(true);
    expect(isObeyed({ control: 'draining', state: 'draining' }, { ask: 'stop', mode: 'drain' })).toBe(true);
    expect(isObeyed({ control: 'draining', state: 'draining' }, { ask: 'stop', mode: 'now' })).toBe(false);
    expect(isObeyed({ control: 'stopping', state: 'draining' }, { ask: 'stop', mode: 'now' })).toBe(true);
  });

  it('to resume counts as obeyed as well where the campaign is held back again since', () => {
    const [first, second] = [new Date(1000), new Date(2000)];
    expect(wasResumed({ pausedSince: first }, { pausedSince: first })).toBe(false);
    expect(wasResumed({ pausedSince: first }, { pausedSince: null })).toBe(true);
    expect(wasResumed({ pausedSince: first }, { pausedSince: second })).toBe(true);
    expect(wasResumed({ pausedSince: null }, { pausedSince: second })).toBe(false);
  });

  it('is answered with the work that still ends, or that no worker was there to obey', () => {
    const answer = {
      schema: 'assay.control/1',
      campaign: 'demo',
      asked: 'pause',
      state: 'paused',
      control: 'paused',
    } as const;
    const stillRunning = [{ trial: 7, stage: 'training', host: 'a' }];
    expect(describeControl({ ...answer, acknowledged: true, stillRunning })).toBe(
      'demo: paused; still ending: t00007 (training on a)',
    );
    expect(describeControl({ ...answer, acknowledged: false, stillRunning: [] })).toContain('no worker runs');
  });
});

describe('a machine that assay does not support', () => {
  it('is refused with what to use instead', () => {
    expect(() => checkPlatform('win32', '22.0.0')).toThrow(/Windows/);
    expect(() => checkPlatform('linux', '20.18.3')).toThrow(/20\.19 or later, this is 20\.18\.3/);
    expect(() => checkPlatform('linux', '18.20.0')).toThrow(/20\.19/);
    expect(() => checkPlatform('darwin', '20.19.0')).not.toThrow();
    expect(() => checkPlatform('linux', '24.1.0')).not.toThrow();
  });
});
