import { afterAll, beforeAll, expect, it } from 'vitest';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { pushTask } from '../bad-input/test-task.js';
import { FRAMES } from '../fixtures/frames.js';
import { use, type ScriptedAnswer, type ScriptStep } from '../model/scripted-server.js';
import { begun } from './command-lines.js';
import { withScript } from './one-trial.js';
import { edit, finish, submit } from './script.js';
import { openWorld, type World } from './world.js';

const QUESTIONS = 8;
/**
 * Limit with slack: everything that a rehearsal of a quarter takes beyond its pauses counts four times. For a value
 * close to the limit, which is believed up to a quarter above it, that may be 2.3 s.
 */
const LIMIT_S = 40;
const [NEAR, SLOW] = ['PAUSE = 5.1', 'PAUSE = 8.0'];

/** Evaluator that asks as often as the data says for a full evaluation, or a share of that. */
const EVALUATOR = `${FRAMES}
out = os.fdopen(int(os.environ["ASSAY_SERVER_IN_FD"]), "wb")
inp = os.fdopen(int(os.environ["ASSAY_SERVER_OUT_FD"]), "rb")
text = open(os.path.join(os.environ["ASSAY_DATA"], "text.txt")).read()
send(out, {"type": "hello"}); receive(inp)
for _ in range(round(${QUESTIONS} * float(os.environ.get("ASSAY_REHEARSAL", 1)))):
    send(out, {"type": "score", "text": text})
    said = receive(inp)
    if said is None: sys.exit("the server left")
    loss = said["loss"]
send(out, {"type": "bye"})
with os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as file:
    json.dump({"schema": "assay.evaluation/1", "metrics": {"loss": loss}}, file)
`;

const RECIPE = `${FRAMES}
PAUSE = 0.0
ANSWER = {"loss": 4.0}
if "--serve" not in sys.argv:
    with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump("--smoke" in sys.argv, file)
    sys.exit(0)
SMOKED = json.load(open(os.path.join(os.environ["ASSAY_ARTIFACT"], "x.json")))
inp, out = sys.stdin.buffer, sys.stdout.buffer
while True:
    asked = receive(inp)
    if asked is None or asked["type"] == "bye": break
    if asked["type"] == "hello": send(out, asked); continue
    print("was shown", asked["text"], file=sys.stderr, flush=True)
    time.sleep(PAUSE)
    send(out, ANSWER)
`;

const PREPARE = `
import hashlib, json, os
root, files = os.environ["ASSAY_OUTPUT"], []
for part, text in (("train", "what training sees"), ("search", "what is held out")):
    os.makedirs(os.path.join(root, part), exist_ok=True)
    with open(os.path.join(root, part, "text.txt"), "w") as file: file.write(text)
    files.append({"path": part + "/text.txt", "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()})
with open(os.path.join(root, "manifest.json"), "w") as file: json.dump({"schema": "assay.data/1", "files": files}, file)
`;

const FILES = {
  'prepare.py': PREPARE,
  'evaluator/evaluate.py': EVALUATOR,
  'recipe/train.py': RECIPE,
};

const yaml = (tiny: string): string =>
  tiny
    .replace(
      'scoring: direct',
      'scoring: served\ndata: { prepare: prepare.py, train: train/, search: search/ }',
    )
    .replace(
      /^( +)train:$/m,
      "$1smoke: { run: 'python train.py --smoke', timeout_s: 20 }\n$1serve: { run: 'python train.py --serve', startup_s: 20 }\n$1train:",
    )
    .replace(
      "evaluate.py', timeout_s: 20 }",
      `evaluate.py', timeout_s: 120, rehearsal: { share: 0.25, limit_s: ${LIMIT_S} } }`,
    );

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await pushTask(world, 'rehearsed', yaml, FILES);
});
afterAll(() => world.stop());

const told = (request: { body: { messages: unknown[] } }): string =>
  JSON.stringify(request.body.messages.at(-1));

it('refuses an evaluation that would overrun before it takes a lease, says what is near, and blames no recipe for the evaluator', async () => {
  const near: ScriptedAnswer = { blocks: [use('submit_trial', { hypothesis: 'near', expected_delta: -1 })] };
  const script: ScriptStep[] = [
    edit('PAUSE = 0.0', NEAR),
    { blocks: [use('check')] },
    (request) => {
      expect(told(request)).toMatch(
        /check: ok.*size: \d+ of 2000 bytes, margin \d+ \(projected\).*evaluation: 4\d\.?\d* of 40 s, OVER by [\d.]+ s \(projected from 25 % of it\)/,
      );
      return near;
    },
    (request) => {
      const said = told(request);
      expect(said).toMatch(/trial 1: discard/);
      expect(said).toMatch(/bytes \d+ of 2000: code \d+, artifact \d+; \d+ free/);
      expect(said).toMatch(/evaluation: 4\d\.?\d* of 40 s, OVER by [\d.]+ s \(projected/);
      return edit(NEAR, SLOW);
    },
    submit('slow'),
    (request) => {
      expect(told(request)).toMatch(
        /trial 2: eval_budget_overrun.*limit evaluation, projected: [67]\d\S* of 40 s/,
      );
      return edit(SLOW, 'PAUSE = 0.0');
    },
    edit('send(out, ANSWER)', 'send(out, ANSWER["crash"])'),
    submit('crashes'),
    edit('send(out, ANSWER["crash"])', 'send(out, {} if SMOKED else {"loss": 3.0})'),
    submit('breaks the evaluator with its smoke’s artifact'),
    // two of the four were found wanting before training and cost no trial, so that the lane has to end itself
    ...[finish, finish, finish, finish],
  ];
  await withScript(world, script, async () => {
    const input = { task: 'rehearsed', model: 'scripted', specialists: ['solo'], trials: 4 };
    await (await world.start('rehearsed', input)).result();
  });
  const [first, slow, crash, fault] = await Promise.all(
    [1, 2, 3, 4].map((number) => trialRecord(world.lineage, 'rehearsed', number)),
  );
  expect(first).toMatchObject({
    status: 'discard',
    score: 4,
    projection: { limitS: LIMIT_S, share: 0.25, rehearsals: 1 },
  });
  expect(first?.projection?.seconds).toBeGreaterThan(LIMIT_S);

  expect(slow).toMatchObject({
    status: 'eval_budget_overrun',
    failure: { phase: 'rehearsal', limit: { allowed: LIMIT_S, unit: 's' } },
    projection: { rehearsals: 2 },
    replicates: [],
  });
  expect(slow?.failure?.reason).toMatch(/^projected before training: .* of 40 s, .* over/);
  expect(slow?.failure?.limit?.used).toBeGreaterThan(60);
  expect(await begun(world, 'rehearsed', 2)).toBe(0);
  const history = await world.client.workflow.getHandle('rehearsed/t00002').fetchHistory();
  const activities = (history.events ?? []).flatMap(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
  );
  expect(activities).toEqual(['prepare', 'decide']);

  // what its server printed is told to agents
  expect(slow?.failure?.tail).toContain('was shown what training sees');
  expect(slow?.failure?.tail).not.toContain('held out');

  expect(crash).toMatchObject({ status: 'preflight_crash', failure: { phase: 'rehearsal' }, replicates: [] });
  expect(crash?.failure?.tail).toContain("KeyError: 'crash'");
  expect(fault).toMatchObject({ status: 'keep', score: 3, projection: null });
}, 300_000);
