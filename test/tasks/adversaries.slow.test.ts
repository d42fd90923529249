import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.js';
import { score } from '../../src/sandbox/scoring/score.js';
import { freshFolder, requestFor } from '../sandbox/programs.js';
import { ADVERSARIES, KIT, numpyPython } from './numpy-python.js';

const line = z.object({
  name: z.string(),
  refused: z.number(),
  kinds: z.array(z.string()),
  claimed: z.number().default(NaN),
  corrected: z.number().default(NaN),
  sd: z.number().default(NaN),
  standard_error: z.number().default(NaN),
});
const table = z.object({
  repetitions: z.number(),
  tokens: z.number(),
  blind: z.number(),
  lines: z.array(line),
});

let bin: string;
beforeAll(async () => {
  bin = await numpyPython();
}, 120_000);

const settings = (): Record<string, string> => ({
  PATH: `${bin}:/usr/bin:/bin`,
  PYTHONPATH: `${KIT}:${ADVERSARIES}`,
  PYTHONDONTWRITEBYTECODE: '1',
  OPENBLAS_NUM_THREADS: '1',
});

describe('the difference estimator, over 200 evaluations of each server', () => {
  let found: z.infer<typeof table>;
  beforeAll(async () => {
    // seeds of the servers and of the places are numbered, so that every run gives the same table
    const { stdout } = await promisify(execFile)('python', [`${ADVERSARIES}/estimator.py`], {
      env: settings(),
      maxBuffer: 1e7,
    });
    const lines = stdout.trim().split('\n');
    process.stderr.write(`${lines.slice(0, -1).join('\n')}\n`);
    found = table.parse(JSON.parse(lines.at(-1) ?? ''));
  }, 900_000);
  const of = (name: string): z.infer<typeof line> => {
    const one = found.lines.find((each) => each.name === name);
    if (one === undefined) throw new Error(`the table has no ${name}`);
    return one;
  };

  it('lets an honest one pass, and knows its own error', () => {
    const { refused, corrected, sd, standard_error: error } = of('honest');
    // beyond 4 standard errors are 6 of 100,000; three of 200 have a probability of 3e-7
    expect(refused).toBeLessThanOrEqual(2);
    expect(Math.abs(corrected)).toBeLessThan((5 * sd) / Math.sqrt(found.repetitions));
    // a standard deviation of 200 is known to a twentieth
    expect(error / sd).toBeGreaterThan(0.75);
    expect(error / sd).toBeLessThan(1.33);
  });

  it.each([
    ['better_everywhere', 0.0045],
    ['peeks_in_5_percent', 0.15],
    ['unnormalised', 0.39],
  ])('refuses each evaluation of one that is %s and would have gained %d nats', (name, gain) => {
    const { refused, kinds, claimed, corrected, sd } = of(name);
    // the least sure is the first: 0.005 nats are 8 standard errors, of which 4 are let pass
    expect({ refused, kinds }).toEqual({ refused: found.repetitions, kinds: ['twins_disagree'] });
    expect(claimed).toBeGreaterThan(gain);
    expect(Math.abs(corrected)).toBeLessThan((5 * sd) / Math.sqrt(found.repetitions));
  });

  it('refuses one that peeks in 0.05 % as often as a place meets such a row, and pays it nothing in the mean', () => {
    const { refused, claimed, corrected, sd } = of('peeks_in_0.05_percent');
    // rows are peeked at independently: no place meets one with (1 - f)^n
    const expected = 1 - (1 - 0.0005) ** found.blind;
    const deviation = Math.sqrt((expected * (1 - expected)) / found.repetitions);
    // of those that are met some are claimed for what nearly is certain
    expect(refused / found.repetitions).toBeLessThan(expected + 5 * deviation);
    expect(refused / found.repetitions).toBeGreaterThan(0.8 * expected - 5 * deviation);
    expect(claimed).toBeGreaterThan(0.001);
    expect(Math.abs(corrected)).toBeLessThan((5 * sd) / Math.sqrt(found.repetitions));
  });

  it('refuses a second server that works harder, which the correction would have believed', () => {
    const { refused, corrected } = of('stronger_second');
    expect(refused).toBe(found.repetitions);
    expect(corrected).toBeGreaterThan(0.1);
  });

  it.each([
    ['late', 'late'],
    ['nan', 'invalid'],
    ['nan_blind', 'invalid'],
    ['positive', 'invalid'],
  ])('refuses what is %s as %s', (name, kind) => {
    expect(of(name)).toMatchObject({ refused: found.repetitions, kinds: [kind] });
  });
});

/** Where few rows are peeked at all are asked blind, so that one of them is met for certain. */
const EVALUATOR = `
import adversaries, sys
import assay_serving as serving
times = serving.Times(60, 2 if sys.argv[1] == 'late' else 60, 110)
tests = serving.Tests(spread=2.576 * adversaries.NOISE, outlier=0.3, share=0, tolerance=1e-6, row_s=10)
how = serving.Text(vocab=64, chunk=512, max_context=64, blind=512 if '0.05' in sys.argv[1] else 64, times=times, tests=tests)
def measure():
    found = serving.score_text(adversaries.text(4096), how, serving.servers(twins=True)).mean()
    return {'metrics': {'nats': found.mean}, 'standard_errors': {'nats': found.standard_error}}
serving.evaluate(measure)
`;

describe('through the harness, in the sandbox of this machine', () => {
  let sandbox: Sandbox;
  let prefix: string;
  beforeAll(async () => {
    sandbox = await openSandbox({});
    const { stdout } = await promisify(execFile)(
      'python',
      ['-c', 'import os, sys; print(os.path.realpath(sys.base_prefix))'],
      { env: settings() },
    );
    prefix = stdout.trim();
  });

  it.each([
    ['honest', null, ''],
    ['better_everywhere', 'twins_disagree', 'in the mean'],
    ['peeks_in_5_percent', 'twins_disagree', 'differ by more than'],
    ['peeks_in_0.05_percent', 'twins_disagree', 'differ by more than'],
    ['unnormalised', 'twins_disagree', 'differ by more than'],
    ['stronger_second', 'twins_disagree', 'differ by more than'],
    ['late', 'late', 'no answer in time'],
    ['nan', 'invalid', 'not finite'],
    ['nan_blind', 'invalid', 'not finite'],
    ['positive', 'invalid', 'above 0'],
  ])(
    '%s ends as %s',
    async (name, kind, why) => {
      const limits = { wallS: 120, memoryBytes: 2 ** 29, diskBytes: 2 ** 26, logBytes: 65536, processes: 32 };
      const server = () => ({
        ...requestFor(`python ${ADVERSARIES}/adversaries.py ${name}`, { env: settings(), limits }),
        readable: [ADVERSARIES, dirname(bin), prefix],
        startupS: 60,
      });
      const evaluator = requestFor(`python - ${name} <<'END'\n${EVALUATOR}END\n`, {
        env: settings(),
        limits,
      });
      evaluator.cwd = freshFolder();
      const { evaluation, reason, serverRun } = await score(sandbox, {
        server: server(),
        twin: server(),
        evaluator,
      });
      if (evaluation === null) throw new Error(`${reason}: ${serverRun?.log ?? ''}`);
      if (kind === null)
        expect(evaluation).toMatchObject({ metrics: { nats: expect.closeTo(3.4, 0) as number } });
      else
        expect(evaluation).toMatchObject({
          failure: { kind, reason: expect.stringContaining(why) as string },
        });
    },
    180_000,
  );
});
