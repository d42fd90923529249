import { bodyOf, DISCARDED, labelled, type Attack } from './attack.js';
import { LABELS } from './reaching.js';

/** Frames of the protocol, for both sides. */
export const FRAMES = `
import json, os, struct, sys
def send(out, header):
    text = json.dumps({**header, "bytes": 0}).encode()
    out.write(struct.pack("<I", len(text)) + text); out.flush()
def receive(inp):
    head = inp.read(4)
    if len(head) < 4: return None
    size = struct.unpack("<I", head)[0]
    if size > 65536: raise ValueError("a header of %d bytes" % size)
    return json.loads(inp.read(size))
`;

/** The evaluator of a served recipe: it trusts nothing but a finite number in a frame. */
export const SERVED_EVALUATOR = `${FRAMES}
import math
out = os.fdopen(int(os.environ["ASSAY_SERVER_IN_FD"]), "wb")
inp = os.fdopen(int(os.environ["ASSAY_SERVER_OUT_FD"]), "rb")
assert open(os.path.join(os.environ["ASSAY_DATA"], "${LABELS}")).read().startswith("label-")
def answer(result):
    with os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as file:
        file.write(json.dumps({"schema": "assay.evaluation/1", **result}))
    sys.exit(0)
def ask(header):
    try:
        send(out, header)
        return receive(inp)
    except (ValueError, struct.error, OSError): answer({"failure": {"kind": "protocol", "reason": "no frame"}})
ask({"type": "hello"})
said = ask({"type": "score"})
if said is None: answer({"failure": {"kind": "protocol", "reason": "the server left"}})
loss = said.get("loss")
if type(loss) not in (int, float) or not math.isfinite(loss): answer({"failure": {"kind": "invalid", "reason": "no finite loss"}})
send(out, {"type": "bye"})
answer({"metrics": {"loss": loss}})
`;

/** A recipe whose server runs `onScore` when it is asked for its scores, and then answers with a loss. */
export const servedRecipe = (onScore: string, loss = 6.25): string => `
${FRAMES}
import glob, signal, time
if "--serve" not in sys.argv:
    open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w").write("{}")
    sys.exit(0)
inp, out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
sys.stdout = sys.stderr
SEALED = os.environ["ASSAY_ARTIFACT"]
HARNESS = os.path.abspath(os.path.join(SEALED, *[".."] * 5))
def breach(field, what): print("BREACH", field, what, flush=True)
def attack():
${bodyOf(onScore)}
while True:
    asked = receive(inp)
    if asked is None or asked["type"] == "bye": break
    if asked["type"] == "score":
        attack()
        send(out, {"loss": ${loss}})
    else: send(out, asked)
`;

/** Attacks by a server while it is scored. Their code runs inside a function of the recipe. */
export const SERVING: readonly Attack[] = [
  {
    name: 'served-held-out',
    does: 'serves, and searches for the labels and the evaluator that scores it',
    code: `
for folder, _, names in os.walk(HARNESS):
    for name in names:
        if name in ("${LABELS}", "evaluate.py", "harness.json"): breach("fs", os.path.join(folder, name))`,
    ...labelled('fs'),
  },
  {
    name: 'served-environment',
    does: 'serves, and reads the environment and the descriptors of its evaluator',
    code: `
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        if b"ASSAY_RESULT_FD" in open(path, "rb").read(): breach("pid", path)
    except OSError as error: print("denied:", error)`,
    ...labelled('pid'),
  },
  {
    name: 'served-kills-evaluator',
    does: 'serves, and kills its evaluator before a bad score is told',
    code: `
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        if b"evaluator/evaluate.py" not in open(path, "rb").read(): continue
        # only its own: others of this machine are no part of the test
        if not os.readlink(os.path.dirname(path) + "/cwd").startswith(HARNESS): continue
        breach("pid", path)
        os.kill(int(path.split("/")[2]), 9)
    except OSError as error: print("denied:", error)`,
    best: DISCARDED,
    group: { ends: ['crash'], phase: 'evaluate', reason: /^the evaluator failed/, label: 'pid' },
    alone: true,
  },
  {
    name: 'served-artifact',
    does: 'serves, and changes its sealed artifact and its code',
    code: `
for path in (SEALED + "/x.json", SEALED + "/more", os.path.abspath(__file__)):
    try:
        os.access(SEALED, os.W_OK) and os.chmod(SEALED, 0o755)
        open(path, "a").write("# more"); breach("fs", path)
    except OSError as error: print("denied:", error)`,
    best: DISCARDED,
    group: { ends: ['violation'], phase: 'evaluate', reason: /sealed artifact/, label: 'fs' },
  },
  {
    name: 'served-frame',
    does: 'announces a frame of 4 GB, and prints without end',
    code: `
out.write(struct.pack("<I", 2**32 - 1)); out.flush()
for i in range(2000): out.write(bytes(65536))`,
    best: { ends: ['crash'], phase: 'evaluate' },
    group: { ends: ['crash'], phase: 'evaluate' },
  },
  {
    name: 'served-no-frame',
    does: 'sends a frame of no bytes, at which a reader of frames may stand still for ever',
    code: `
out.write(struct.pack("<I", 0) + b"A"); out.flush(); time.sleep(60)`,
    best: { ends: ['crash'], phase: 'evaluate' },
    group: { ends: ['crash'], phase: 'evaluate' },
  },
  {
    name: 'served-overwrites',
    does: 'serves, and overwrites the evaluator for those that come after it',
    code: `
for path in glob.glob(HARNESS + "/tasks/*/evaluator/evaluate.py"):
    try: open(path, "a").write("# mine"); breach("fs", path)
    except OSError as error: print("denied:", error)`,
    best: DISCARDED,
    group: { ends: ['violation'], phase: 'evaluate', reason: /evaluate\.py/, label: 'fs' },
    alone: true,
  },
];
