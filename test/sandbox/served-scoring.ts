import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TierName } from '../../src/domain/task/isolation.js';
import type { Scored } from '../../src/sandbox/scoring/judge.js';
import { score } from '../../src/sandbox/scoring/score.js';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.js';
import { LIMITS, freshFolder, pythonCommand, requestFor, survivors } from './programs.js';

const FRAMES = `
import json, os, struct, sys, time
def send(out, header, payload=b""):
    text = json.dumps({**header, "bytes": len(payload)}).encode()
    out.write(struct.pack("<I", len(text)) + text + payload); out.flush()
def receive(inp):
    head = inp.read(4)
    if len(head) < 4: return None, b""
    header = json.loads(inp.read(struct.unpack("<I", head)[0]))
    return header, inp.read(header["bytes"])
`;
const EVALUATOR = `${FRAMES}
out, inp = os.fdopen(int(os.environ["ASSAY_SERVER_IN_FD"]), "wb"), os.fdopen(int(os.environ["ASSAY_SERVER_OUT_FD"]), "rb")
def say(result):
    with os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as file: file.write(json.dumps({"schema": "assay.evaluation/1", **result}))
def ask(header, payload=b""):
    send(out, header, payload)
    answer, body = receive(inp)
    if answer is None:
        say({"failure": {"kind": "protocol", "reason": "no answer"}}); sys.exit(0)
    return answer, body
ask({"type": "hello"})
total = 0
for i in range(20):
    answer, body = ask({"type": "score", "id": i}, bytes(300000))
    total += len(body)
ask({"type": "bye"})
say({"metrics": {"bpb": total / 1e6}, "feedback": "fine"})
`;
const server = (onScore: string): string => `${FRAMES}
inp, out = sys.stdin.buffer, sys.stdout.buffer
count = 0
while True:
    header, payload = receive(inp)
    if header is None: break
    body = b""
    if header["type"] == "score":
        count += 1
        body = payload
        ${onScore}
    send(out, {"type": header["type"]}, body)
    if header["type"] == "bye": break
`;

/** Both sides have to be up, and the evaluator at its last question, before the limit. */
const LATE_WALL_S = 15;

/** Tests of a server at one tier. */
export function servedScoring(tier: TierName): void {
  const scored = async (onScore: string, wallS = 60, startupS = 30) => {
    const evaluator = requestFor(pythonCommand(EVALUATOR), { limits: { ...LIMITS, wallS } });
    const served = { ...requestFor(pythonCommand(server(onScore))), startupS };
    return score(await openSandbox({ tier }), { server: served, evaluator });
  };

  it('connects both and returns what the evaluator measured', async () => {
    const outcome = await scored('pass');
    expect(outcome).toMatchObject({ blame: 'none', evaluation: { metrics: { bpb: 6 }, feedback: 'fine' } });
    expect(outcome.serverRun?.ending).toEqual({ kind: 'exited', code: 0 });
    expect(outcome.serverRun?.isolation.tier).toBe(tier);
    expect(outcome.evaluatorRun.isolation.tier).toBe('E');
  });

  it('counts the time for which the server owes an answer, and no other', async () => {
    const idle = EVALUATOR.replace('ask({"type": "bye"})', 'time.sleep(1); ask({"type": "bye"})');
    const evaluator = requestFor(pythonCommand(idle));
    const served = {
      ...requestFor(pythonCommand(`import time; time.sleep(1)\n${server('time.sleep(0.05)')}`)),
      startupS: 30,
    };
    const { owedMs, evaluatorRun } = await score(await openSandbox({ tier }), { server: served, evaluator });
    expect(owedMs).toBeGreaterThanOrEqual(20 * 50);
    // neither its start nor what the evaluator does meanwhile
    expect(owedMs).toBeLessThanOrEqual(evaluatorRun.wallMs - 2000);
  });

  it('blames the recipe, and counts the time, where its evaluator alone can read the answers', async () => {
    const unreadable = 'time.sleep(0.05); send(out, {"type": "score", "x": float("nan")}, body); continue';
    const { owedMs, ...outcome } = await scored(unreadable);
    expect(owedMs).toBeGreaterThanOrEqual(20 * 50);
    expect(outcome).toMatchObject({ blame: 'recipe', late: false, evaluation: null });
    expect(outcome.reason).toBe('protocol: what the server sent is no frame');
  });

  it('blames the recipe when its server leaves in the middle of an answer', async () => {
    const cut = 'if count == 3: out.write(b"\\x40\\0\\0\\0half"); out.flush(); sys.exit(0)';
    expect(await scored(cut)).toMatchObject({
      ...{ blame: 'recipe', late: false },
      reason: 'protocol: the server left in the middle of an answer',
    });
  });

  it('blames the recipe when its server crashes', async () => {
    const outcome = await scored('if count == 3: raise RuntimeError("boom")');
    expect(outcome).toMatchObject({
      blame: 'recipe',
      late: false,
      serverRun: { ending: { kind: 'exited', code: 1 } },
    });
    expect(outcome.serverRun?.log).toContain('boom');
    expect(outcome.reason).toBe('the server ended early: it left');
  });

  it('blames the recipe when its server hangs in an answer', async () => {
    const outcome = await scored('if count == 3: time.sleep(600)', 2);
    expect(outcome).toMatchObject({ blame: 'recipe', late: true });
    expect(outcome.serverRun?.ending.kind).not.toBe('exited');
  });

  it('blames the recipe when half an answer is all that comes', async () => {
    const outcome = await scored(
      'if count == 3: out.write(b"\\x40\\0\\0\\0half"); out.flush(); time.sleep(600)',
      2,
    );
    expect(outcome).toMatchObject({ blame: 'recipe', late: true });
  });

  it('blames the recipe when its server takes too long to start', async () => {
    const evaluator = requestFor(pythonCommand(EVALUATOR));
    const served = { ...requestFor('sleep 600'), startupS: 0.5 };
    const outcome = await score(await openSandbox({ tier }), { server: served, evaluator });
    expect(outcome).toMatchObject({ blame: 'recipe', late: true });
  });

  it('names the limit that the server ran into', async () => {
    const outcome = await scored('x = bytearray(900 << 20); time.sleep(600)');
    expect(outcome).toMatchObject({
      blame: 'recipe',
      serverRun: { ending: { kind: 'limit', limit: 'memory' } },
    });
  });

  it('hands on what the evaluator says of a server that talks garbage', async () => {
    const refusing = EVALUATOR.replace(
      'ask({"type": "hello"})',
      `
send(out, {"type": "hello"})
if inp.read(4) == b"garb": say({"failure": {"kind": "protocol", "reason": "no frame"}}); sys.exit(0)`,
    );
    const served = { ...requestFor('echo garbage; exec sleep 600'), startupS: 30 };
    const evaluator = requestFor(pythonCommand(refusing));
    const outcome = await score(await openSandbox({ tier }), { server: served, evaluator });
    expect(outcome).toMatchObject({
      blame: 'none',
      evaluation: { failure: { kind: 'protocol', reason: 'no frame' } },
    });
  });

  it.each([
    ['an empty frame', '\\0\\0\\0\\0A'],
    ['a frame of one byte', '\\1\\0\\0\\0{'],
    ['zeros', '\\0\\0\\0\\0\\0\\0\\0\\0'],
  ])('is not held by a server that writes %s', async (_what, bytes) => {
    const evaluator = requestFor(pythonCommand(EVALUATOR), { limits: { ...LIMITS, wallS: 2 } });
    const served = { ...requestFor(`printf '${bytes}'; exec sleep 600`), startupS: 30 };
    const outcome = await score(await openSandbox({ tier }), { server: served, evaluator });
    // its evaluator trusts what it reads, and fails or waits
    expect(outcome.serverRun?.ending).toEqual({ kind: 'cancelled' });
    expect(outcome).toMatchObject({ evaluation: null, blame: 'recipe', late: false });
    expect(outcome.reason).toMatch(/^protocol: /);
  });

  it('ends both when it is cancelled', async () => {
    const cancel = new AbortController();
    const signal = cancel.signal;
    const served = { ...requestFor('sleep 600', { signal }), startupS: 30 };
    const evaluator = requestFor(pythonCommand(EVALUATOR), { signal });
    setTimeout(() => cancel.abort(), 300);
    const outcome = await score(await openSandbox({ tier }), { server: served, evaluator });
    expect(outcome).toMatchObject({
      blame: 'none',
      reason: 'cancelled',
      serverRun: { ending: { kind: 'cancelled' } },
    });
  });
}

const TWINS = EVALUATOR.replace(
  'ask({"type": "hello"})',
  `ask({"type": "hello"}); ask({"type": "score"}); ask({"type": "bye"})
out, inp = os.fdopen(int(os.environ["ASSAY_TWIN_IN_FD"]), "wb"), os.fdopen(int(os.environ["ASSAY_TWIN_OUT_FD"]), "rb")
ask({"type": "hello"})`,
);

/** Ways for a server to leave a process behind that says when it is up. */
const DAEMON = `
import os, time
def leave(write):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(write, b"x")
            time.sleep(600)
        os._exit(0)
`;
const HEADLESS = `
import ctypes, os, threading, time
def leave(write):
    if os.fork() == 0:
        os.setsid()
        threading.Thread(target=time.sleep, args=(600,)).start()
        os.write(write, b"x")
        ctypes.CDLL(None).syscall({"x86_64": 60}.get(os.uname().machine, 93), 0)
`;

async function scoredTwins(tier: TierName, onScore: string, wallS = 60): Promise<Scored> {
  const shared = join(freshFolder(), 'shared');
  await writeFile(shared, '');
  const command = pythonCommand(`SHARED = "${shared}"${server(onScore)}`);
  const one = () => {
    const request = requestFor(command);
    return { ...request, readable: [...request.readable, shared], startupS: 30 };
  };
  const evaluating = requestFor(pythonCommand(TWINS), { limits: { ...LIMITS, wallS } });
  return score(await openSandbox({ tier }), { server: one(), twin: one(), evaluator: evaluating });
}

/** Tests of two servers, one after the other. */
export function twinServers(tier: TierName): void {
  it('live one after the other: what the first holds is free when the second looks', async () => {
    const outcome = await scoredTwins(
      tier,
      `import fcntl
        if count == 1: fcntl.flock(os.open(SHARED, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)`,
    );
    expect(outcome).toMatchObject({ blame: 'none', evaluation: { metrics: { bpb: 6 } } });
    expect(outcome.serverRun?.ending).toEqual({ kind: 'exited', code: 0 });
    expect(outcome.twinRun?.ending).toEqual({ kind: 'exited', code: 0 });
  });

  it.each([
    ['leaves a daemon of another session', DAEMON, 'break'],
    ['leaves a process whose first thread has ended', HEADLESS, 'break'],
    ['leaves a daemon and does not go', DAEMON, 'time.sleep(600)'],
    ['is killed with a daemon left behind', DAEMON, 'os.kill(os.getpid(), 9)'],
    ['kills its group with a daemon left behind', DAEMON, 'os.killpg(os.getpgid(0), 9)'],
  ])('never live together, also when the first %s', async (_what, child, parting) => {
    const shared = join(freshFolder(), 'shared');
    await writeFile(shared, '');
    const holds = server(`import fcntl
        if count == 1:
            fcntl.flock(os.open(SHARED, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
            read, write = os.pipe()
            leave(write)
            os.read(read, 1)
            print("left", file=sys.stderr, flush=True)`);
    const code = `SHARED = "${shared}"${child}${holds}`.replace(
      'if header["type"] == "bye": break',
      `if header["type"] == "bye": ${parting}`,
    );
    const [first, second] = [0, 1].map(() => {
      const request = requestFor(pythonCommand(code));
      return { ...request, readable: [...request.readable, shared], startupS: 30 };
    });
    const sandbox = await openSandbox({ tier });
    const alive: number[] = [];
    const seeing: Sandbox = {
      isolation: sandbox.isolation,
      run: (request) => sandbox.run(request),
      serve: async (request) => {
        // as seen from the host in the moment before the second starts
        if (request === second) alive.push(...(await survivors(first?.id ?? '')));
        return sandbox.serve(request);
      },
    };
    const evaluator = requestFor(pythonCommand(TWINS));
    const outcome = await score(seeing, { server: first ?? null, twin: second ?? null, evaluator });
    // the second would have died of a lock that anything of the first still holds
    expect(outcome).toMatchObject({ blame: 'none', evaluation: { metrics: { bpb: 6 } } });
    for (const run of [outcome.serverRun, outcome.twinRun]) expect(run?.log).toContain('left');
    expect(alive).toEqual([]);
  });

  it('do not meet when the first will not leave', async () => {
    const staying = server(`import fcntl
        if count == 1: fcntl.flock(os.open(SHARED, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)`).replace(
      'if header["type"] == "bye": break',
      'if header["type"] == "bye": time.sleep(600)',
    );
    const shared = join(freshFolder(), 'shared');
    await writeFile(shared, '');
    const one = () => {
      const request = requestFor(pythonCommand(`SHARED = "${shared}"${staying}`));
      return { ...request, readable: [...request.readable, shared], startupS: 30 };
    };
    const evaluator = requestFor(pythonCommand(TWINS));
    const outcome = await score(await openSandbox({ tier }), { server: one(), twin: one(), evaluator });
    expect(outcome).toMatchObject({ blame: 'none', evaluation: { metrics: { bpb: 6 } } });
    expect(outcome.serverRun?.ending).toEqual({ kind: 'cancelled' });
  });

  it('the recipe is blamed for the second as for the first', async () => {
    const outcome = await scoredTwins(tier, 'if count == 3: raise RuntimeError("boom")');
    expect(outcome).toMatchObject({ blame: 'recipe', late: false, blamedRun: outcome.twinRun });
    expect(outcome.twinRun?.ending).toEqual({ kind: 'exited', code: 1 });
    expect(outcome.reason).toBe('the server ended early: it left');
  });

  it('a second one is not started when the first fails', async () => {
    const outcome = await scoredTwins(tier, 'raise RuntimeError("boom")');
    expect(outcome).toMatchObject({ blame: 'recipe', blamedRun: outcome.serverRun, twinRun: null });
  });
}

/** Tests that take the whole wall limit of an evaluation, and so run side by side. */
export function lateScoring(tier: TierName): void {
  it('blames the evaluator when it hangs while the server owes nothing', async () => {
    const hanging = EVALUATOR.replace('ask({"type": "bye"})', 'time.sleep(600)');
    const evaluator = requestFor(pythonCommand(hanging), { limits: { ...LIMITS, wallS: LATE_WALL_S } });
    const served = { ...requestFor(pythonCommand(server('pass'))), startupS: 30 };
    const outcome = await score(await openSandbox({ tier }), { server: served, evaluator });
    expect(outcome).toMatchObject({ blame: 'evaluator' });
    expect(outcome.reason).toContain('wall limit');
  });

  it('blames the recipe when its second server owes an answer at the end', async () => {
    const outcome = await scoredTwins(tier, 'if count == 3: time.sleep(600)', LATE_WALL_S);
    expect(outcome).toMatchObject({ blame: 'recipe', late: true, blamedRun: outcome.twinRun });
  });
}
