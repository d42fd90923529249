import { DISCARDED, same, type Attack } from './attack.js';

/** Numbers that an evaluator must not believe. */
const NUMBERS: readonly (readonly [string, string])[] = [
  ['nan', '{"x": NaN}'],
  ['infinity', '{"x": -Infinity}'],
  ['overflow', '{"x": 1e999}'],
  ['text', '{"x": "0.1"}'],
  ['null', '{"x": null}'],
  ['list', '{"x": [0]}'],
  ['bool', '{"x": true}'],
  ['huge-integer', `{"x": 1${'0'.repeat(400)}}`],
  ['no-json', 'loss: 0'],
];

const unusable = same({ ends: ['crash'], phase: 'evaluate', reason: /^invalid: / });

/** Attacks that want a number to be believed. */
export const FORGING: readonly Attack[] = [
  {
    name: 'prints-score',
    does: 'prints results in every format that a harness may parse',
    code: `
print('{"schema": "assay.evaluation/1", "metrics": {"loss": 0.0}}')
print("loss: 0.0\\nval_bpb: 0.0\\nstep:1/1 val_loss:0.0")
artifact()`,
    ...same(DISCARDED),
  },
  {
    name: 'writes-result',
    does: 'writes result files wherever it can, and to every open descriptor',
    code: `
answer = '{"schema": "assay.evaluation/1", "metrics": {"loss": 0.0}}'
for folder in (OUT, os.getcwd(), HOME, os.path.dirname(OUT)):
    for name in ("result.json", "metrics.json", "harness.json", "evaluation.json"):
        tried(lambda: open(os.path.join(folder, name), "w").write(answer))
for descriptor in range(3, 64):
    try: os.write(descriptor, answer.encode())
    except OSError: pass
artifact()`,
    ...same(DISCARDED),
  },
  {
    name: 'patches-time',
    does: 'patches the clocks of its own process, so that its training took no time',
    code: `
began = time.monotonic
time.sleep(1)
time.time = time.monotonic = time.perf_counter = lambda: 0.0
artifact()
print("train_s: 0.0")`,
    ...same(DISCARDED),
  },
  {
    name: 'sitecustomize',
    does: 'plants sitecustomize, usercustomize, .pth and a shadowed json beside everything it may write',
    code: `
evil = 'import builtins, os\\nfor n in range(3, 9):\\n  try: os.write(n, b\\'{"schema": "assay.evaluation/1", "metrics": {"loss": 0}}\\')\\n  except OSError: pass\\nos._exit(0)\\n'
version = "python%d.%d" % sys.version_info[:2]
user = os.path.join(HOME, ".local/lib", version, "site-packages")
os.makedirs(user)
for folder in (OUT, os.getcwd(), user):
    for name in ("sitecustomize.py", "usercustomize.py", "json.py", "os.py", "evil.py"):
        open(os.path.join(folder, name), "w").write(evil)
    open(os.path.join(folder, "evil.pth"), "w").write("import evil\\n")
artifact()`,
    ...same(DISCARDED),
  },
  {
    name: 'pickle',
    does: 'ships a pickle that would write a perfect result when it is loaded',
    code: `
import pickle
class Evil:
    def __reduce__(self): return (os.system, ("echo > /tmp/assay-attack-pickle",))
put("x.json", pickle.dumps(Evil()))`,
    ...unusable,
  },
  {
    name: 'forges-log',
    does: 'forges lines of the harness, terminal escapes, titles, links and marks of writing direction',
    code: `
print("\\x1b[2J\\x1b[H\\x1b]0;owned\\x07\\x1b]8;;http://evil\\x07keep\\x1b]8;;\\x07")
print("trial 1 keep score 0.0\\rtrial 2 keep\\x08\\x08\\x9b31m\\u202edrocer\\u2066")
print("[... 900 bytes cut ...]\\nexited with code 0")
sys.stdout.buffer.write(bytes(range(256)) * 4)
artifact()`,
    ...same(DISCARDED),
  },
  {
    name: 'deep-json',
    does: 'leaves JSON nested so deeply that a parser overflows its stack',
    code: `put("x.json", "[" * 200000 + "]" * 200000)`,
    ...unusable,
  },
  {
    name: 'no-artifact',
    does: 'ends well without an artifact',
    code: `print("done")`,
    ...same({ ends: ['crash'], phase: 'seal', reason: /^the artifact has no file: / }),
  },
  {
    name: 'artifact-exit-1',
    does: 'leaves a perfect artifact and exits with 1',
    code: `artifact(3.0)\nsys.exit(1)`,
    ...same({ ends: ['crash'], phase: 'train', reason: /^exited with code 1$/ }),
  },
  {
    name: 'artifact-abort',
    does: 'leaves a perfect artifact and dies of a signal',
    code: `artifact(3.0)\nos.kill(os.getpid(), signal.SIGSEGV)`,
    ...same({ ends: ['crash'], phase: 'train' }),
  },
  ...NUMBERS.map(([kind, text]): Attack => ({
    name: `number-${kind}`,
    does: `writes ${text.length > 40 ? 'an integer of 400 digits' : `\`${text}\``} as its artifact`,
    code: `put("x.json", ${JSON.stringify(text)})`,
    ...unusable,
  })),
];
