import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelCovers } from '../../src/sandbox/tiers/kernel-view.js';
import type { RunRequest } from '../../src/sandbox/run.js';
import { openSandbox, surveyTiers } from '../../src/sandbox/sandbox.js';
import { systemCallFilter } from '../../src/sandbox/tiers/system-call-filter.js';

const MEMORY = 256 * 1024 * 1024;

/**
 * Reads every file of /proc that is of no process and of none of the sandbox's own namespaces, does this and that, and
 * reads them again.
 */
const CHANGING = `
import os, time
OWN = ("/proc/sys/kernel/random/", "/proc/sys/kernel/ns_last_pid", "/proc/sys/net/", "/proc/sysvipc/")
def figures():
    found = {}
    for folder, folders, files in os.walk("/proc"):
        if folder == "/proc":
            folders[:] = [name for name in folders if not name.isdigit() and name not in ("self", "thread-self")]
        for name in files:
            path = f"{folder}/{name}"
            if path.startswith(OWN): continue
            try:
                at = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                found[path] = os.read(at, 65536)
                os.close(at)
            except OSError: pass
    return found
before = figures()
held = [os.open("/dev/null", os.O_RDONLY) for _ in range(400)]
memory = bytearray(60_000_000)
for _ in range(20):
    if os.fork() == 0: os._exit(0)
    os.wait()
time.sleep(1.2)
after = figures()
print(*sorted(path for path in before if before[path] != after.get(path)))
`;

/** Asks what would tell of the whole machine; prints the error of each call. */
const REFUSED = `
import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
buffer = ctypes.create_string_buffer(4096)
for name, x64, arm64, *arguments in (
    ("sysinfo", 99, 179, buffer), ("syslog", 103, 116, 3, buffer, 4096), ("io_setup", 206, 0, 64, buffer),
    ("perf_event_open", 298, 241, buffer, 0, -1, -1, 0), ("io_uring_setup", 425, 425, 8, buffer),
    ("keyctl", 250, 219, 0, -3, 0), ("add_key", 248, 217, b"user", b"held", b"text", 4, -3),
    ("pidfd_open", 434, 434, 1, 0), ("vsock", 41, 198, 40, 1, 0),
):
    ctypes.set_errno(0)
    libc.syscall(arm64 if arm else x64, *arguments)
    print(name, errno.errorcode.get(ctypes.get_errno()))
`;

/** Reads files that all sandboxes of a host share unless they are isolated. */
const SHARED = `
import os, socket
for path in ("/proc/1/exe", "/dev/null", "/dev/urandom", "/proc/self/fd/0"):
    found = os.stat(path)
    print(path, found.st_dev, found.st_ino)
for name, option in (("SO_COOKIE", 57), ("SO_NETNS_COOKIE", 71)):
    try: print(name, socket.socket(socket.AF_UNIX).getsockopt(socket.SOL_SOCKET, option, 8))
    except OSError as error: print(name, error.errno)
print("terminal", os.path.exists("/dev/ptmx"), os.listdir("/dev/pts"))
`;
import { lacks } from '../lacks.js';

const tiers = await surveyTiers({ all: true });
const held = tiers.filter(({ tier, why }) => why === null && ['B', 'C'].includes(tier));

const isPlainUser = lacks(process.getuid?.() !== 0, 'what root could change in /proc');
const isUnfiltered = lacks(
  systemCallFilter({ inet: true }) === null,
  'the filter of system calls, which is not built for this processor',
);
describe.each(held)('at tier $tier', ({ tier }) => {
  let work: string;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'assay-kernel-view-'));
    await mkdir(join(work, 'home'));
  });

  afterAll(() => rm(work, { recursive: true, force: true }));

  async function printed(code: string): Promise<string> {
    const sandbox = await openSandbox({ tier });
    const home = join(work, 'home');
    const request: RunRequest = {
      ...{ id: `kernel-view-${process.pid}-${Math.random()}`, cwd: home, writable: [home], readable: [] },
      command: `cat > run.py <<'END'\n${code}\nEND\nexec /usr/bin/env python3 run.py`,
      env: { PATH: '/usr/bin:/bin', HOME: home },
      limits: { wallS: 60, memoryBytes: MEMORY, diskBytes: 2 ** 24, logBytes: 65_536, processes: 8, cpus: 1 },
      signal: new AbortController().signal,
    };
    const { log, ending } = await sandbox.run(request);
    expect(ending, log).toEqual({ kind: 'exited', code: 0 });
    return log.trim();
  }

  it('no figure of the machine changes', async () => {
    expect(await printed(CHANGING)).toBe('');
  });

  it.skipIf(isPlainUser)(
    'nothing that a run can open is a file of the host that it could change',
    async () => {
      const lines = (await printed(SHARED)).split('\n');
      expect(lines.slice(4)).toEqual(['SO_COOKIE 92', 'SO_NETNS_COOKIE 92', 'terminal False []']);
      const hosts = await Promise.all(
        [
          execFileSync('sh', ['-c', 'command -v bwrap'], { encoding: 'utf8' }).trim(),
          '/dev/null',
          '/dev/urandom',
        ].map(async (path) => {
          const { dev, ino } = await stat(path);
          return `${dev} ${ino}`;
        }),
      );
      for (const line of lines.slice(0, 4)) expect(hosts).not.toContain(line.split(' ').slice(1).join(' '));
    },
  );

  it('the machine is as large as the limits', async () => {
    const code = 'import os\nprint(open("/proc/meminfo").readline().split()[1], os.cpu_count())';
    expect(await printed(code)).toBe(`${MEMORY / 1024} 1`);
  });

  it.skipIf(isUnfiltered)('calls that tell of the machine are refused', async () => {
    expect(await printed(REFUSED)).toBe(
      [
        'sysinfo ENOSYS',
        'syslog EPERM',
        'io_setup ENOSYS',
        'perf_event_open EPERM',
        'io_uring_setup ENOSYS',
        'keyctl ENOSYS',
        'add_key ENOSYS',
        'pidfd_open ENOSYS',
        'vsock EAFNOSUPPORT',
      ].join('\n'),
    );
  });
});

const isForeign = lacks(process.platform !== 'linux', 'covers of /proc');
it.skipIf(isForeign)('covers say the limits of the run, and nothing of the host', () => {
  const covers = new Map(
    kernelCovers({ memoryBytes: MEMORY, cpus: 3 }).map(({ path, content }) => [path, content]),
  );
  expect(covers.get('/proc/stat')?.match(/^cpu\d/gm)).toHaveLength(3);
  expect(covers.get('/proc/meminfo')).toContain(`${MEMORY / 1024} kB`);
  for (const path of ['/proc/self', '/proc/mounts', '/proc/net']) expect(covers.has(path)).toBe(false);
});

if (held.length === 0)
  process.stderr.write('the view of the kernel is not tested here: no tier with bubblewrap holds\n');
