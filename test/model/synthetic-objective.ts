import { applyEdit, type Tree } from '../../src/domain/text/edits.js';
import { knobsOf } from '../../src/domain/text/knobs.js';
import { taskSchema } from '../../src/domain/task/task.js';
import type { LineageView, TrialRow } from '../../src/domain/session/view.js';
import { checkAnswer, rebaseAnswer, refusedAnswer } from '../../src/model/answers.js';
import { frontierRow, trialRow } from '../builders/view-rows.js';
import { submitAnswer } from '../../src/model/trial-text/submit-answer.js';
import { randomFrom } from '../../src/model/proposer/moves.js';
import type { ToolCall } from '../../src/model/tools/tools.js';

const RECIPE = `import numpy as np
LR = 0.02  # knob: 0.001..3 log
BASE_LR = 0.02  # knob: 0.001..3 log
HIDDEN = 16  # knob: 4..256 log
CONTEXT = 3  # knob: 1..16
DECAY = 0.5  # knob: 0.01..0.99
def train():
    return LR * BASE_LR
`;
/** Best values of the synthetic objective, and how much a knob matters. */
const BEST: Record<string, [number, number]> = {
  LR: [0.6, 1],
  BASE_LR: [0.1, 0.5],
  HIDDEN: [90, 1],
  CONTEXT: [9, 0.7],
  DECAY: [0.8, 0.3],
};
const BYTES_LIMIT = 24_000;

export const task = taskSchema.parse({
  schema: 'assay.task/1',
  name: 'synthetic',
  title: 'A noisy bowl',
  metric: { name: 'loss', unit: 'nats', direction: 'minimize' },
  recipe: { editable: ['train.py'], counted: ['train.py'], knobs: 'marked' },
  resources: {},
  phases: { train: { run: 'python train.py', timeout_s: 5, output: 'out/' } },
  scoring: 'direct',
  evaluate: { run: 'python evaluate.py', timeout_s: 5 },
  gates: [{ name: 'size', metric: 'bytes', max: BYTES_LIMIT, known: 'check' }],
  specialists: ['arch', 'opt', 'size'],
});
export const ROLES: Record<string, string> = {
  arch: 'You own the architecture: HIDDEN and CONTEXT.',
  opt: 'You own the optimiser: LR, BASE_LR and DECAY.',
  size: 'You look after everything.',
};

/** 1 at the optimum, more elsewhere; without noise. */
export function loss(files: Tree): number {
  const terms = knobsOf(files.get('train.py') ?? '').map((knob) => {
    const [best, weight] = BEST[knob.name] ?? [knob.value, 0];
    const range = knob.log ? Math.log(knob.high / knob.low) : knob.high - knob.low;
    const off = knob.log ? Math.log(knob.value / best) : knob.value - best;
    return weight * (off / range) ** 2;
  });
  return 1 + terms.reduce((sum, term) => sum + term, 0);
}

function bytes(files: Tree): number {
  const knob = knobsOf(files.get('train.py') ?? '').find(({ name }) => name === 'HIDDEN');
  return 2000 + 200 * (knob?.value ?? 0);
}

/** A harness that answers tools as the activities do, with a bowl in place of training. */
export class Harness {
  readonly trials: { files: Tree; row: TrialRow }[] = [];
  frontier = 0;
  readonly refused: string[] = [];
  private readonly noise: () => number;

  constructor(
    seed: number,
    readonly limit: number,
  ) {
    const random = randomFrom(seed);
    this.noise = () => 0.004 * (random() + random() + random() - 1.5);
    this.measure(new Map([['train.py', RECIPE]]), null, 'start', 'start');
  }

  get left(): number {
    return this.limit - (this.trials.length - 1);
  }

  row(trial: number): TrialRow {
    const found = this.trials[trial]?.row;
    if (found === undefined) throw new Error(`no trial ${trial}`);
    return found;
  }

  files(trial: number): Tree {
    return this.trials[trial]?.files ?? new Map();
  }

  measure(files: Tree, parent: number | null, role: string, hypothesis: string): number {
    const trial = this.trials.length;
    const score = loss(files) + this.noise();
    const before = parent === null ? null : this.row(parent).score;
    const best = trial === 0 ? null : this.row(this.frontier).score;
    const status =
      bytes(files) > BYTES_LIMIT ? 'size_blocked' : best === null || score < best ? 'keep' : 'discard';
    const changes = parent === null ? '' : changed(this.files(parent), files);
    const delta = before === null ? null : score - before;
    const measured = { role, parent, hypothesis, status, score, delta, changes, lesson: status } as const;
    this.trials.push({ files, row: trialRow(trial, measured) });
    if (status === 'keep') this.frontier = trial;
    return trial;
  }

  view(role: string): LineageView {
    const newest = this.trials.map(({ row }) => row).reverse();
    const chain: TrialRow[] = [];
    for (let at = this.row(this.frontier).parent; at !== null; at = this.row(at).parent)
      chain.push(this.row(at));
    return {
      campaign: 'demo',
      metric: task.metric,
      left: { trials: this.left, hours: null, dollars: null, acceleratorSeconds: null },
      base: this.frontier,
      start: this.row(0),
      frontier: frontierRow(this.row(this.frontier), { diff: this.row(this.frontier).changes.split('\n') }),
      chain,
      own: newest.filter((row) => row.role === role),
      neighbours: newest.filter((row) => row.role !== role),
      ...{ nearMisses: [], running: [], failures: [], directions: [], notes: [] },
      expectations: null,
    };
  }
}

function changed(before: Tree, after: Tree): string {
  const old = (before.get('train.py') ?? '').split('\n');
  const now = (after.get('train.py') ?? '').split('\n');
  return now
    .flatMap((line, index) => (line === old[index] ? [] : [`-${old[index] ?? ''}`, `+${line}`]))
    .join('\n');
}

/** One session's workspace. */
export class Session {
  files: Tree;
  base: number;
  finished = false;

  constructor(
    readonly harness: Harness,
    readonly role: string,
  ) {
    this.base = harness.frontier;
    this.files = harness.files(this.base);
  }

  answer(call: ToolCall): { text: string; isError?: boolean } {
    switch (call.tool) {
      case 'edit': {
        const result = applyEdit(this.files, call.edit, task.recipe.editable);
        if ('error' in result) return { text: result.error, isError: true };
        this.files = result.files;
        return { text: result.text };
      }
      case 'check': {
        const value = bytes(this.files);
        const margin = {
          gate: 'size',
          metric: 'bytes',
          value,
          limit: BYTES_LIMIT,
          over: value - BYTES_LIMIT,
        };
        const over = margin.over > 0;
        return {
          text: checkAnswer({
            ok: !over,
            margins: [{ ...margin, side: 'max', projected: true }],
            projection: null,
            log: '',
          }),
        };
      }
      case 'rebase':
        this.base = call.trial;
        this.files = this.harness.files(call.trial);
        return { text: rebaseAnswer(call.trial) };
      case 'submit_trial':
        return this.submit(call.hypothesis);
      case 'finish':
        this.finished = true;
        return { text: 'session finished' };
      default:
        return { text: 'not offered here', isError: true };
    }
  }

  private submit(hypothesis: string): { text: string } {
    const { harness, base } = this;
    const same = harness.trials.find(({ files }) => files.get('train.py') === this.files.get('train.py'));
    if (same !== undefined) harness.refused.push(`equal to ${same.row.trial}`);
    if (same !== undefined) return { text: refusedAnswer('equal to an earlier trial') };
    if (harness.left <= 0) return { text: refusedAnswer('no trials are left') };
    const row = harness.row(harness.measure(this.files, base, this.role, hypothesis));
    if (row.status === 'keep') this.base = row.trial;
    const answer = {
      trial: row.trial,
      status: row.status ?? 'crash',
      score: row.score,
      unit: 'nats',
      parent: row.parent,
      parentScore: harness.row(base).score,
      delta: row.delta,
      runs: 1,
      noise: null,
      expectedDelta: null,
      frontier: {
        trial: harness.frontier,
        score: harness.row(harness.frontier).score,
        believed: null,
        before: null,
      },
      believed: null,
      ...{
        sizes: null,
        phases: [],
        margins: [],
        limit: null,
        projection: null,
        failure: null,
        progress: null,
      },
      ...{ report: [], moved: null, logs: [], meanwhile: [] },
      lesson: row.lesson,
      left: { trials: harness.left, hours: null, dollars: null, acceleratorSeconds: null },
    };
    return { text: submitAnswer(answer) };
  }
}
