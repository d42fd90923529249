import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { markerOf, processTable, tableFromPs } from '../../src/sandbox/processes.js';
import { openSandbox, sweepStrays, type RunRequest } from '../../src/sandbox/sandbox.js';
import { LIMITS, TIERS, freshFolder, hasTierC, pythonCommand, requestFor } from './programs.js';

/** Living processes of a run, by its mark in their environment. */
async function survivors(run: string): Promise<number[]> {
  const rows = [...(await processTable()).values()];
  return rows.filter((row) => !row.zombie && markerOf(row.pid) === run).map((row) => row.pid);
}

const DAEMON = `
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("daemon", "w").write("up")
        time.sleep(600)
    os._exit(0)
while not os.path.exists("daemon"): time.sleep(0.01)
`;

describe.each(TIERS)('tier %s', (tier) => {
  const run = async (request: RunRequest) => (await openSandbox({ tier })).run(request);

  it('reports exit codes, signals and the interleaved log', async () => {
    const result = await run(requestFor('echo one; echo two >&2; echo three; exit 7'));
    expect(result.ending).toEqual({ kind: 'exited', code: 7 });
    expect(result.log).toBe('one\ntwo\nthree\n');
    expect(result.isolation.tier).toBe(tier);
    const killed = await run(requestFor('kill -9 $$'));
    expect(killed.ending).toEqual({ kind: 'signalled', signal: 'SIGKILL' });
  });

  it('gives the run its own environment and nothing of the harness', async () => {
    process.env['ASSAY_TEST_SECRET'] = 'do-not-show';
    const request = requestFor('env; cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"', {
      env: { A: 'b' },
    });
    const result = await run(request);
    const own = new Set(result.log.split('\n').filter((line) => line.startsWith('A')));
    expect(own).toContain('A=b');
    expect(own).toContain(`ASSAY_RUN=${request.id}`);
    if (tier === 'C') expect(result.log).not.toContain('do-not-show');
    const printed = await run(requestFor('env', { env: { A: 'b' } }));
    expect(printed.log).not.toContain('do-not-show');
  });

  it('keeps a log of 200 MB bounded, with head, tail and what was cut', async () => {
    const limits = { ...LIMITS, logBytes: 4 * 1024 * 1024 };
    const result = await run(requestFor('echo first; yes line | head -c 209715200; echo last', { limits }));
    expect(result.ending).toEqual({ kind: 'exited', code: 0 });
    expect(result.logBytes).toBe(209_715_200 + 'first\nlast\n'.length);
    expect(Buffer.byteLength(result.log)).toBeLessThanOrEqual(limits.logBytes + 100);
    expect(result.log).toMatch(/^first\nline\n/);
    expect(result.log).toMatch(/\[… \d+ bytes cut …\]/);
    expect(result.log).toMatch(/line\nlast\n$/);
  });

  it('tells how output proceeds', async () => {
    const seen: [number, string][] = [];
    const request = requestFor('echo step 1; sleep 0.5; echo step 2');
    await run({ ...request, onOutput: (bytes, line) => seen.push([bytes, line]) });
    expect(seen.at(0)).toEqual([7, 'step 1']);
    expect(seen.at(-1)).toEqual([14, 'step 2']);
  });

  it.each([
    ['wall', 'sleep 600', { wallS: 0.3 }],
    ['wall', 'trap "" TERM INT HUP; while :; do sleep 1; done', { wallS: 0.3 }],
    [
      'memory',
      pythonCommand('x = bytearray(400 << 20); import time; time.sleep(600)'),
      { memoryBytes: 100 << 20 },
    ],
    ['disk', 'head -c 30000000 /dev/zero > big', { diskBytes: 4_000_000 }],
    [
      'disk',
      'for i in $(seq 1000); do head -c 1000000 /dev/zero > f$i; done; sleep 600',
      { diskBytes: 4_000_000 },
    ],
    ['disk', pythonCommand('open("f","wb").write(bytes(9000000))'), { diskBytes: 4_000_000 }],
    ['output', 'yes', { logBytes: 10_000 }],
    ['output', 'cat /dev/zero', { logBytes: 10_000 }],
    ['processes', 'for i in $(seq 60); do sleep 600 & done; wait', { processes: 20 }],
  ])('ends a run at its %s limit: %s', async (limit, command, tighter) => {
    const request = requestFor(command, { limits: { ...LIMITS, ...tighter } });
    const { ending } = await run(request);
    expect(ending).toMatchObject({ kind: 'limit', limit });
    if (ending.kind === 'limit') expect(ending.used).toBeGreaterThanOrEqual(ending.allowed);
    expect(await survivors(request.id)).toEqual([]);
  });

  it('finds disk that is held by removed files', async () => {
    const code =
      'import os,time\nf=open("f","wb")\nos.remove("f")\nf.write(bytes(6000000))\nf.flush()\n' +
      'g=open("g","wb")\nos.remove("g")\ng.write(bytes(6000000))\ng.flush()\ntime.sleep(600)';
    const request = requestFor(pythonCommand(code), { limits: { ...LIMITS, diskBytes: 8_000_000 } });
    expect((await run(request)).ending).toMatchObject({ kind: 'limit', limit: 'disk' });
  });

  it('ends a fork bomb', async () => {
    // at most 512 processes: a test must not take its host down when it fails
    const bomb = pythonCommand('import os,time\nfor i in range(9): os.fork()\ntime.sleep(600)');
    const request = requestFor(bomb, { limits: { ...LIMITS, processes: 16 } });
    expect((await run(request)).ending).toMatchObject({ kind: 'limit', limit: 'processes' });
    expect(await survivors(request.id)).toEqual([]);
  });

  it('leaves no daemon behind', async () => {
    const request = requestFor(pythonCommand(DAEMON));
    const result = await run(request);
    expect(result.ending).toEqual({ kind: 'exited', code: 0 });
    expect(readFileSync(join(request.cwd, 'daemon'), 'utf8')).toBe('up');
    expect(await survivors(request.id)).toEqual([]);
  });

  it('does not wait for a grandchild that holds stdout', async () => {
    const result = await run(requestFor('(sleep 600; echo never) & setsid sleep 600 & echo done'));
    expect(result.ending).toEqual({ kind: 'exited', code: 0 });
    expect(result.log).toBe('done\n');
  });

  it('resolves a cancelled run only when everything of it is dead', async () => {
    const cancel = new AbortController();
    const request = requestFor('setsid sleep 600 & trap "" TERM; echo up; sleep 600', {
      signal: cancel.signal,
    });
    const result = await run({ ...request, onOutput: () => cancel.abort() });
    expect(result.ending).toEqual({ kind: 'cancelled' });
    expect(await survivors(request.id)).toEqual([]);
  });

  it('does not start what was cancelled before', async () => {
    const request = requestFor('touch started', { signal: AbortSignal.abort() });
    expect((await run(request)).ending).toEqual({ kind: 'cancelled' });
    expect(existsSync(join(request.cwd, 'started'))).toBe(false);
  });

  it('serves over stdin and stdout with stderr as the log', async () => {
    const sandbox = await openSandbox({ tier });
    const served = await sandbox.serve(requestFor('echo ready >&2; read line; echo "got $line"; sleep 600'));
    const answer = new Promise<string>((resolve) =>
      served.stdout.once('data', (chunk) => resolve(String(chunk))),
    );
    served.stdin.write('hello\n');
    expect(await answer).toBe('got hello\n');
    await served.kill();
    const result = await served.done;
    expect(result.ending).toEqual({ kind: 'cancelled' });
    expect(result.log).toBe('ready\n');
  });

  it('blames the host, not the recipe, when it cannot be started', async () => {
    const nowhere = requestFor('true', { cwd: '/nowhere/at/all', writable: [] });
    await expect(run(nowhere)).rejects.toMatchObject({ code: 'HOST_FAULT' });
    if (tier === 'E') return;
    await expect(run(requestFor('true', { readable: ['/nowhere/at/all'] }))).rejects.toMatchObject({
      code: 'HOST_FAULT',
    });
  });

  it('sweeps the strays of runs whose worker is gone, and no others', async () => {
    const sandbox = await openSandbox({ tier });
    const [dead, alive] = [requestFor('sleep 600'), requestFor('sleep 600')];
    const [first, second] = [await sandbox.serve(dead), await sandbox.serve(alive)];
    while ((await survivors(dead.id)).length === 0 || (await survivors(alive.id)).length === 0);
    expect(await sweepStrays({ ids: [dead.id] })).toBeGreaterThan(0);
    expect((await first.done).ending.kind).toBe('signalled');
    expect(await survivors(alive.id)).not.toEqual([]);
    await second.kill();
  });
});

describe.runIf(hasTierC)('tier C holds', () => {
  const run = async (request: RunRequest) => (await openSandbox({ tier: 'C' })).run(request);

  it('the network off, other processes and outside files out of sight', async () => {
    const outside = freshFolder();
    writeFileSync(join(outside, 'labels'), 'secret');
    const shown = freshFolder();
    writeFileSync(join(shown, 'input'), 'shown');
    const code = `
import os, socket, json
seen = {}
def tried(name, what):
    try: seen[name] = str(what())
    except OSError as error: seen[name] = "denied"
tried("net", lambda: socket.create_connection(("1.1.1.1", 53), 2))
tried("lo", lambda: socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), 2))
tried("outside", lambda: open(os.environ["OUTSIDE"] + "/labels").read())
tried("plant", lambda: open(os.environ["OUTSIDE"] + "/planted", "w"))
tried("input", lambda: open(os.environ["SHOWN"] + "/input").read())
tried("alter", lambda: open(os.environ["SHOWN"] + "/input", "w"))
tried("usr", lambda: open("/usr/bin/planted", "w"))
tried("root", lambda: open("/planted", "w"))
tried("core", lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
tried("sysrq", lambda: os.open("/proc/sysrq-trigger", os.O_WRONLY))
tried("kill", lambda: os.kill(int(os.environ["PARENT"]), 0))
tried("shm", lambda: open("/dev/shm/f", "wb", 0).write(bytes(1 << 20)))
tried("shm full", lambda: [open("/dev/shm/g%d" % i, "wb", 0).write(bytes(8 << 20)) == 8 << 20 or os.write(-1, b"") for i in range(64)])
seen["uid"] = str(os.getuid())
seen["pids"] = str(all(int(p) < 50 for p in os.listdir("/proc") if p.isdigit()))
print(json.dumps(seen))
`;
    const { createServer } = await import('node:net');
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const base = requestFor(pythonCommand(code));
    const env = {
      ...base.env,
      OUTSIDE: outside,
      SHOWN: shown,
      PARENT: String(process.pid),
      PORT: String(port),
    };
    const result = await run({ ...base, readable: [...base.readable, shown], env });
    server.close();
    expect(JSON.parse(result.log)).toEqual({
      net: 'denied',
      lo: 'denied',
      outside: 'denied',
      plant: 'denied',
      input: 'shown',
      alter: 'denied',
      usr: 'denied',
      root: 'denied',
      core: 'denied',
      sysrq: 'denied',
      kill: 'denied',
      shm: String(1 << 20),
      'shm full': 'denied',
      uid: '65534',
      pids: 'True',
    });
    expect(readdirSync(outside)).toEqual(['labels']);
  });
});

describe.runIf(hasTierC)('tier C without its worker', () => {
  it('dies with it', async () => {
    const request = requestFor('setsid sleep 600 & echo up; sleep 600');
    const module = new URL('../../src/sandbox/sandbox.ts', import.meta.url).href;
    const code = `
      const { openSandbox } = await import(${JSON.stringify(module)});
      const request = ${JSON.stringify({ ...request, signal: undefined })};
      const onOutput = () => console.log('up');
      await (await openSandbox({ tier: 'C' })).run({ ...request, signal: new AbortController().signal, onOutput });`;
    const worker = execa(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      reject: false,
    });
    await new Promise((resolve) => worker.stdout.once('data', resolve));
    expect(await survivors(request.id)).not.toEqual([]);
    worker.kill('SIGKILL');
    await worker;
    await vi.waitFor(async () => expect(await survivors(request.id)).toEqual([]), 10_000);
  });
});

describe('the process table', () => {
  it('is the same from ps as from /proc, where both exist', async () => {
    const [own, ps] = [await processTable(), await tableFromPs()];
    if (ps.size === 0) return;
    expect(ps.get(process.pid)?.parent).toBe(own.get(process.pid)?.parent);
    expect(ps.get(process.pid)?.group).toBe(own.get(process.pid)?.group);
  });
});
