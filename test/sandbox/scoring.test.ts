import { describe, expect, it } from 'vitest';
import { LARGEST_RESULT } from '../../src/sandbox/scoring/evaluation-result.js';
import { score } from '../../src/sandbox/scoring/score.js';
import { openSandbox, type Sandbox, type Served } from '../../src/sandbox/sandbox.js';
import { OUTER_TIERS, pythonCommand, requestFor } from './programs.js';
import { lateScoring, servedScoring, twinServers } from './served-scoring.js';

describe.each(OUTER_TIERS)('served scoring, tier %s', servedScoring);
describe.each(OUTER_TIERS)('twin servers, tier %s', twinServers);
describe.concurrent.each(OUTER_TIERS)('late scoring, tier %s', lateScoring);

const result = (text: string): string =>
  pythonCommand(`import os; os.write(int(os.environ["ASSAY_RESULT_FD"]), ${text})`);

describe('direct scoring', () => {
  const direct = async (command: string) =>
    score(await openSandbox(), { server: null, evaluator: requestFor(command) });

  it('takes one JSON object from the result descriptor and nothing that was printed', async () => {
    const text = '{"schema": "assay.evaluation/1", "metrics": {"accuracy": 0.25}}';
    const outcome = await direct(`echo '${text.replace('0.25', '0.99')}'; ${result(`b'''${text}'''`)}`);
    expect(outcome).toMatchObject({
      blame: 'none',
      evaluation: { metrics: { accuracy: 0.25 } },
      serverRun: null,
    });
    expect(outcome.rawResult).toBe(text);
  });

  it('lets an evaluator see the accelerators that it was given, and no others by accident', async () => {
    const base = requestFor('echo "sees <$CUDA_VISIBLE_DEVICES>"');
    const evaluator = { ...base, env: { ...base.env, CUDA_VISIBLE_DEVICES: 'all' } };
    const devices = { uuids: ['GPU-1'], nodes: ['/dev/null'], readable: [] };
    const sandbox = await openSandbox();
    const without = await score(sandbox, { server: null, evaluator });
    const given = await score(sandbox, { server: null, evaluator: { ...evaluator, devices } });
    expect([without, given].map(({ evaluatorRun: { log, isolation } }) => [log, isolation.gpu])).toEqual([
      ['sees <>\n', 'none'],
      ['sees <GPU-1>\n', 'advisory'],
    ]);
  });

  it('leaves no server behind when the evaluator cannot be started', async () => {
    const sandbox = await openSandbox();
    const servers: Served[] = [];
    const serving: Sandbox = {
      isolation: sandbox.isolation,
      run: (request) => sandbox.run(request),
      serve: async (request) => {
        const served = await sandbox.serve(request);
        servers.push(served);
        return served;
      },
    };
    const evaluator = Object.defineProperty(requestFor('true'), 'command', {
      get: () => {
        throw new Error('no command');
      },
    });
    const server = { ...requestFor('sleep 600'), startupS: 600 };
    await expect(score(serving, { server, evaluator })).rejects.toThrow('no command');
    expect((await servers[0]?.done)?.ending).toEqual({ kind: 'cancelled' });
  });

  it.each([
    ['nothing', 'true'],
    ['a non-zero exit', `${result('b"{}"')}; exit 3`.replace('exec ', '')],
    ['garbage', result('b"accuracy: 1"')],
    ['two objects', result('b"{}{}"')],
    ['1e999', result('b"""{"schema":"assay.evaluation/1","metrics":{"a":1e999}}"""')],
    ['-1e999', result('b"""{"schema":"assay.evaluation/1","metrics":{"a":-1e999}}"""')],
    ['NaN', result('b"""{"schema":"assay.evaluation/1","metrics":{"a":NaN}}"""')],
    ['null', result('b"""{"schema":"assay.evaluation/1","metrics":{"a":null}}"""')],
    ['a number in a string', result('b"""{"schema":"assay.evaluation/1","metrics":{"a":"0.1"}}"""')],
    ['a number in a list', result('b"""{"schema":"assay.evaluation/1","metrics":{"a":[0]}}"""')],
    ['an unknown schema', result('b"""{"schema":"other","metrics":{"a":1}}"""')],
    [
      'too much',
      pythonCommand('import os\nf=os.fdopen(3,"w")\nf.write(\'{"a":"\' + "x" * 70000 + \'"}\')\nf.close()'),
    ],
    [
      'far too much',
      pythonCommand('import os\nf=os.fdopen(3,"w")\nfor i in range(2000): f.write("x" * 50000)\nf.close()'),
    ],
  ])('blames the evaluator for %s', async (_what, command) => {
    const outcome = await direct(command);
    expect(outcome).toMatchObject({ blame: 'evaluator', evaluation: null });
    expect(outcome.reason).not.toBe('');
    expect(outcome.rawResult.length).toBeLessThanOrEqual(LARGEST_RESULT);
  });
});
