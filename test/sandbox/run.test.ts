import { randomInt, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { processTable, tableFromPs } from '../../src/sandbox/process/process-table.js';
import { cgroupRoot, sweepGroups } from '../../src/sandbox/tiers/cgroup-roots.js';
import type { Limits } from '../../src/sandbox/run.js';
import type { TierName } from '../../src/domain/task/isolation.js';
import { processName, sweepDeadWorkers } from '../../src/sandbox/host/worker-folders.js';
import { openSandbox, sweepOrphans, type RunRequest } from '../../src/sandbox/sandbox.js';
import { LIMITS, TIERS, freshFolder, pythonCommand, requestFor, survivors } from './programs.js';

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
    if (tier !== 'E') expect(result.log).not.toContain('do-not-show');
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
    const request = requestFor('echo step 1; while [ ! -e told ]; do sleep 0.05; done; echo step 2');
    const onOutput = (bytes: number, line: string): void => {
      seen.push([bytes, line]);
      writeFileSync(join(request.cwd, 'told'), '');
    };
    await run({ ...request, onOutput });
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

  it('sweeps stray processes of runs whose worker is gone, and no others', async () => {
    const sandbox = await openSandbox({ tier });
    const [dead, alive] = [requestFor('sleep 600'), requestFor('sleep 600')];
    const [first, second] = [await sandbox.serve(dead), await sandbox.serve(alive)];
    while ((await survivors(dead.id)).length === 0 || (await survivors(alive.id)).length === 0);
    expect(await sweepOrphans({ ids: [dead.id] })).toBeGreaterThan(0);
    expect((await first.done).ending.kind).toBe('signalled');
    expect(await survivors(alive.id)).not.toEqual([]);
    await second.kill();
  });
});

const CLOSED = TIERS.filter((tier) => tier < 'D');

describe.each(CLOSED)('tier %s holds', (tier) => {
  const run = async (request: RunRequest) => (await openSandbox({ tier })).run(request);

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

describe.each(TIERS.filter((tier) => tier < 'E'))('tier %s holds', (tier) => {
  it('a daemon that has left group, parent and environment', async () => {
    const flag = `flag-${randomUUID()}`;
    const command = `(env -i setsid sh -c 'sleep 600; : ${flag}' &) ; sleep 0.2`;
    const result = await (await openSandbox({ tier })).run(requestFor(command));
    expect(result.ending).toEqual({ kind: 'exited', code: 0 });
    const commands = readdirSync('/proc').flatMap((pid) => {
      try {
        return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
      } catch {
        return [];
      }
    });
    expect(commands.filter((text) => text.includes(flag))).toEqual([]);
  });
});

describe.each(TIERS.filter((tier) => tier === 'D'))('tier %s holds', (tier) => {
  it('files and processes of the worker, and leaves nothing where everybody may write', async () => {
    const outside = freshFolder();
    writeFileSync(join(outside, 'labels'), 'secret', { mode: 0o600 });
    const litter = `/tmp/assay-litter-${randomUUID()}`;
    const command = [
      `cat ${outside}/labels`,
      `touch ${outside}/planted`,
      `kill -9 ${process.pid}`,
      `cat /proc/${process.pid}/environ | tr '\\0' '\\n'`,
      `mkdir ${litter} && : > ${litter}/file && echo littered`,
      'echo own > file',
      'id -G',
    ].join('; ');
    const request = requestFor(`${command} 2>/dev/null`);
    const { log, ending } = await (await openSandbox({ tier })).run(request);
    expect(ending).toEqual({ kind: 'exited', code: 0 });
    expect(log).not.toContain('secret');
    expect(log).not.toContain('PATH=');
    expect(log).toContain('littered');
    expect(readdirSync(outside)).toEqual(['labels']);
    expect(readFileSync(join(request.cwd, 'file'), 'utf8')).toBe('own\n');
    expect(existsSync(litter)).toBe(false);
  });

  it('no room in System V memory, semaphores or queues after a run, even if it gave them to another user', async () => {
    const key = String(randomInt(1e8, 1e9));
    // the segment is handed to another user, who then owns it; its creator stays the same
    const code = `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
segment = libc.shmget(${key}, 4096, 0o1600)
given = ctypes.create_string_buffer(256)
assert libc.shmctl(segment, 2, given) == 0
ctypes.c_uint32.from_buffer(given, 4).value = 65534
print(segment >= 0, libc.semget(${key}, 1, 0o1600) >= 0, libc.msgget(${key}, 0o1600) >= 0)
print(libc.shmctl(segment, 1, given), open("/proc/sysvipc/shm").read().count("65534"))`;
    const { log } = await (await openSandbox({ tier })).run(requestFor(pythonCommand(code)));
    expect(log).toMatch(/^True True True\n0 [1-9]/);
    for (const kind of ['shm', 'sem', 'msg'])
      expect(readFileSync(`/proc/sysvipc/${kind}`, 'utf8'), kind).not.toContain(key);
  });

  it('blames the host when a user of its own cannot come to a path', async () => {
    const closed = freshFolder();
    chmodSync(closed, 0o700);
    const request = requestFor('true', { readable: [closed] });
    await expect((await openSandbox({ tier })).run(request)).rejects.toMatchObject({ code: 'HOST_FAULT' });
  });
});

describe.each(TIERS.filter((tier) => tier === 'B'))('tier %s holds', (tier) => {
  const ended = async (code: string, tighter: Partial<Limits>) => {
    const request = requestFor(pythonCommand(code), { limits: { ...LIMITS, ...tighter } });
    return (await openSandbox({ tier })).run(request);
  };

  it('memory by the kernel, whatever kind it is and however quickly it is over', async () => {
    const memoryBytes = 64 << 20;
    for (const code of [
      'bytearray(400 << 20)',
      'import os; os.memfd_create("m"); f = open("/proc/self/fd/3", "wb"); f.write(bytes(40 << 20)); f.write(bytes(40 << 20))',
    ]) {
      const { ending, isolation } = await ended(code, { memoryBytes });
      expect(isolation).toMatchObject({ mem: 'enforced', pids: 'enforced' });
      expect(ending).toMatchObject({ kind: 'limit', limit: 'memory', allowed: memoryBytes });
    }
  });

  it('tasks by the kernel, threads included', async () => {
    const code =
      'import threading, time\nfor i in range(100): threading.Thread(target=time.sleep, args=(20,), daemon=True).start()';
    const { ending } = await ended(code, { processes: 2 });
    expect(ending).toMatchObject({ kind: 'limit', limit: 'processes' });
  });

  it('leaves no control group behind', async () => {
    await ended('pass', {});
    const ground = cgroupRoot();
    if ('kind' in ground) throw new Error(ground.why);
    const own = [ground.memory, ground.pids].flatMap((folder) => readdirSync(folder));
    expect(own.filter((name) => name.startsWith('assay.') && name.includes(`.${process.pid}-`))).toEqual([]);
  });
});

/** Kills a worker while it runs something that has printed, once it was looked at; gives the worker's name. */
async function orphan(
  tier: TierName,
  request: RunRequest,
  look: (worker: string) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const module = new URL('../../src/sandbox/sandbox.ts', import.meta.url).href;
  const code = `
    const { openSandbox } = await import(${JSON.stringify(module)});
    const request = ${JSON.stringify({ ...request, signal: undefined })};
    const onOutput = () => console.log('up');
    await (await openSandbox({ tier: ${JSON.stringify(tier)} })).run({ ...request, signal: new AbortController().signal, onOutput });`;
  const worker = execa(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    reject: false,
  });
  await new Promise((resolve) => worker.stdout.once('data', resolve));
  expect(await survivors(request.id)).not.toEqual([]);
  const name = await processName(worker.pid ?? 0);
  await look(name);
  worker.kill('SIGKILL');
  await worker;
  return name;
}

describe.each(CLOSED)('tier %s without its worker', (tier) => {
  it('dies with it', async () => {
    const request = requestFor('setsid sleep 600 & echo up; sleep 600');
    const groups = (of: string) => sweepGroups((one) => Promise.resolve(one === of), true);
    const worker = await orphan(tier, request, async (name) =>
      // a control group for memory and one for processes, or one for both
      expect((await groups(name)).length > 0).toBe(tier === 'B'),
    );
    await vi.waitFor(async () => expect(await survivors(request.id)).toEqual([]), 10_000);
    // any worker that starts on this machine sweeps as well, and may be the first
    await sweepDeadWorkers(freshFolder());
    await vi.waitFor(async () => expect(await groups(worker)).toEqual([]), 10_000);
  });
});

describe.each(TIERS.filter((tier) => tier === 'D'))('tier %s without its worker', (tier) => {
  it('leaves nothing once its worker is swept', async () => {
    const litter = `/tmp/assay-litter-${randomUUID()}`;
    const key = String(randomInt(1e8, 1e9));
    const code = `import ctypes, time; ctypes.CDLL(None).shmget(${key}, 4096, 0o1600); open("${litter}", "w"); print("up", flush=True); time.sleep(600)`;
    const request = requestFor(pythonCommand(code));
    const name = await orphan(tier, request);
    expect([existsSync(litter), readFileSync('/proc/sysvipc/shm', 'utf8').includes(key)]).toEqual([
      true,
      true,
    ]);
    const work = freshFolder();
    mkdirSync(join(work, name));
    await sweepDeadWorkers(work);
    expect([existsSync(litter), readFileSync('/proc/sysvipc/shm', 'utf8').includes(key)]).toEqual([
      false,
      false,
    ]);
    expect(await survivors(request.id)).toEqual([]);
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
