import { afterAll, beforeAll, expect, it } from 'vitest';
import { FRAMES } from '../fixtures/frames.js';
import { openLab, type Lab } from './test-task.js';
import { expectFailure, type RowName } from './rows.js';

/** The task's side: the server's answers are checked before they are used. */
const EVALUATOR = `${FRAMES}
out = os.fdopen(int(os.environ["ASSAY_SERVER_IN_FD"]), "wb")
inp = os.fdopen(int(os.environ["ASSAY_SERVER_OUT_FD"]), "rb")
def answer(result):
    with os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as file:
        file.write(json.dumps({"schema": "assay.evaluation/1", **result}))
    sys.exit(0)
def ask(header):
    send(out, header)
    try: return receive(inp)
    except (ValueError, struct.error): answer({"failure": {"kind": "protocol", "reason": "no frame"}})
ask({"type": "hello"})
said = ask({"type": "score"})
if said is None: answer({"failure": {"kind": "protocol", "reason": "the server left"}})
if not math.isfinite(said["loss"]): answer({"failure": {"kind": "invalid", "reason": "the loss is not finite"}})
send(out, {"type": "bye"})
answer({"metrics": {"loss": said["loss"], "eval_s": -1}, "standard_errors": {"loss": 0.25, "eval_s": 1, "gain": 1}})
`;

const recipe = (onScore: string): string => `${FRAMES}
if "--serve" not in sys.argv:
    open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w").write("{}")
    sys.exit(0)
inp, out = sys.stdin.buffer, sys.stdout.buffer
while True:
    asked = receive(inp)
    if asked is None or asked["type"] == "bye": break
    if asked["type"] == "hello": send(out, asked); continue
    ${onScore}
`;

const KINDS = new Map<RowName, string>([
  ['served-crash', 'raise RuntimeError("boom")'],
  ['served-garbage', 'out.write(struct.pack("<I", 5) + b"rubbi"); out.flush()'],
  ['served-nan', 'send(out, {"loss": float("nan")})'],
  ['served-late', 'time.sleep(600)'],
]);

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
  const served = (yaml: string): string =>
    yaml
      .replace('scoring: direct', 'scoring: served')
      .replace(/^( +)train:$/m, "$1serve: { run: 'python train.py --serve', startup_s: 20 }\n$1train:")
      .replace("evaluate.py', timeout_s: 20", "evaluate.py', timeout_s: 6");
  const limited = (yaml: string): string =>
    served(yaml)
      .replace("evaluate.py', timeout_s: 6", "evaluate.py', timeout_s: 60")
      .replace('gates:\n', 'gates:\n  - { name: eval, metric: eval_s, max: 5, known: evaluate }\n');
  for (const [name, change] of [
    ['served', served],
    ['limited', limited],
  ] as const)
    await lab.task(name, change, {
      'evaluator/evaluate.py': EVALUATOR,
      'recipe/train.py': recipe('send(out, {"loss": 4.0})'),
    });
});
afterAll(() => lab.stop());

it('a served recipe that fails its evaluation ends as that, is not retried, and the others continue', async () => {
  await lab.open('served', 'served');
  const numbers = [];
  for (const code of KINDS.values()) numbers.push(await lab.submit('served', recipe(code)));
  const good = await lab.submit('served', recipe('send(out, {"loss": 1.0})'));
  for (const [at, row] of [...KINDS.keys()].entries()) {
    const { failure, replicates, score } = await lab.ended('served', numbers[at] ?? -1);
    expectFailure(row, failure);
    expect(failure?.phase, row).toBe('evaluate');
    expect(score).toBeNull();
    // training and evaluation, once each
    expect(replicates, row).toMatchObject([{ attempts: 2, infra: [] }]);
  }
  expect(await lab.ended('served', good)).toMatchObject({ status: 'keep', score: 1, failure: null });
  await lab.close('served');
});

it('what a server takes to answer is measured and may be limited, and the error of a score is recorded', async () => {
  await lab.open('limited', 'limited');
  const slow = await lab.submit('limited', recipe('time.sleep(6); send(out, {"loss": 0.5})'));
  const good = await lab.submit('limited', recipe('send(out, {"loss": 1.0})'));
  const { status, margins } = await lab.ended('limited', slow);
  expect(status).toBe('disqualified');
  const miss = margins.find(({ over }) => over > 0);
  expect(miss).toMatchObject({ gate: 'eval', metric: 'eval_s', limit: 5 });
  expect(miss?.value).toBeGreaterThanOrEqual(6);
  const {
    replicates: [replicate],
    status: other,
  } = await lab.ended('limited', good);
  expect(other).toBe('keep');
  expect(replicate?.metrics['eval_s']).toBeGreaterThanOrEqual(0);
  expect(replicate?.standardErrors).toEqual({ loss: 0.25 });
  await lab.close('limited');
});
