import { DISCARDED, labelled, NAP, same, type Attack } from './attack.js';

const overTime = same({
  ends: ['train_budget_overrun'],
  phase: 'train',
  limit: 'budget',
  reason: /^trained for more than 6 s and its tolerance of 1 s/,
});
const overDisk = same({ ends: ['crash'], phase: 'train', limit: 'disk' });

/** Attacks on the host's resources and on the harness's patience. Each ends by itself if it is not ended. */
export const EXHAUSTING: readonly Attack[] = [
  {
    name: 'ignores-sigterm',
    does: 'ignores every signal that can be ignored and sleeps past its budget, in a child as well',
    code: `
for number in range(1, 32):
    if number not in (9, 17, 19):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
artifact(3.0)
subprocess.Popen(["sleep", "86397"], start_new_session=True)
time.sleep(60)`,
    ...overTime,
    brief: true,
  },
  {
    name: 'stops-itself',
    does: 'stops itself with SIGSTOP, which no handler sees',
    code: `artifact(3.0)\nos.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(60)`,
    ...overTime,
    brief: true,
  },
  {
    name: 'daemon',
    does: 'starts a daemon in a session of its own, by forking twice',
    code: `
artifact()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execv("/bin/sleep", ["sleep", "86397"])
    os._exit(0)
time.sleep(0.3)`,
    ...same(DISCARDED),
  },
  {
    name: 'holds-stdout',
    does: 'ends, while a grandchild keeps its output open',
    code: `artifact()\nsubprocess.Popen(["sleep", "86397"], start_new_session=True)`,
    ...same(DISCARDED),
  },
  {
    name: 'fork-bomb',
    does: 'forks 300 processes',
    code: `
for i in range(300):
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
time.sleep(20)`,
    ...same({ ends: ['crash'], phase: 'train', limit: 'processes' }),
    alone: true,
  },
  {
    name: 'thread-bomb',
    does: 'starts 3,000 threads in one process',
    code: `
import threading
started = 0
try:
    for started in range(3000): threading.Thread(target=time.sleep, args=(4,), daemon=True).start()
    breach("pids", "3000 threads")
except (RuntimeError, MemoryError) as error: print("denied:", started, error)
artifact()
sys.stdout.flush()
os._exit(0)`,
    ...labelled('pids'),
    alone: true,
  },
  {
    name: 'sysv-leave',
    does: 'leaves a System V shared memory segment of 4 MB, which outlives its processes',
    code: `
libc = ctypes.CDLL(None, use_errno=True)
print("segment", libc.shmget(${NAP}, ctypes.c_size_t(4 << 20), 0o1600))
artifact()`,
    ...same(DISCARDED),
    alone: true,
  },
  {
    name: 'sysv-find',
    does: 'looks for the segment that the recipe before it left',
    code: `
libc = ctypes.CDLL(None, use_errno=True)
if libc.shmget(${NAP}, ctypes.c_size_t(0), 0) >= 0: breach("mem", "segment of another trial")
artifact()`,
    ...labelled('mem'),
    alone: true,
  },
  {
    name: 'memory-bomb',
    does: 'takes up to 2 GiB of memory at once',
    // so slowly that a check several times a second notices it long before the limit of resident memory
    code: `
held = []
for i in range(32):
    held.append(bytearray(os.urandom(1 << 20) * 64))
    time.sleep(0.2)
time.sleep(20)`,
    // an allocation that the kernel refuses is an error of the program's own
    ...same({ ends: ['crash'], phase: 'train' }),
    alone: true,
  },
  {
    name: 'memory-split',
    does: 'takes its memory in many children that are each small',
    code: `
for i in range(8):
    if os.fork() == 0:
        held = bytearray(os.urandom(1 << 20) * 60)
        time.sleep(20)
        os._exit(0)
time.sleep(20)`,
    ...same({ ends: ['crash'], phase: 'train' }),
    alone: true,
  },
  {
    name: 'memory-file',
    does: 'hides 200 MB in an anonymous file of memory',
    code: `
held = os.memfd_create("hidden")
for i in range(20): os.write(held, bytes(10 << 20)) if i == 0 else tried(os.pwrite, held, bytes(10 << 20), i * (10 << 20))
time.sleep(20)`,
    ...same({ ends: ['crash'], phase: 'train' }),
    alone: true,
  },
  {
    name: 'disk-fill',
    does: 'writes 200 MB into its outputs',
    code: `
for i in range(200):
    put(f"{i}.bin", os.urandom(1 << 20))
    time.sleep(0.02)
time.sleep(20)`,
    ...overDisk,
  },
  {
    name: 'disk-tiny',
    does: 'makes 60,000 tiny files in its own folder',
    code: `
for i in range(60000): open(f"f{i}", "w").write("x")
time.sleep(20)`,
    ...overDisk,
  },
  {
    name: 'disk-deep',
    does: 'hides 200 MB in folders nested beyond the longest path that can be named',
    code: `
os.chdir(OUT)
for i in range(800):
    os.mkdir("deeper")
    os.chdir("deeper")
for i in range(40):
    open(f"{i}.bin", "wb").write(os.urandom(5 << 20))
    time.sleep(0.02)
time.sleep(20)`,
    ...overDisk,
  },
  {
    name: 'disk-removed',
    does: 'writes 200 MB into files that it removed while they are open',
    code: `
held = []
for i in range(40):
    file = open(os.path.join(HOME, f"r{i}"), "wb")
    os.unlink(file.name)
    file.write(os.urandom(5 << 20)); file.flush()
    held.append(file)
    time.sleep(0.02)
time.sleep(20)`,
    ...overDisk,
  },
  {
    name: 'disk-elsewhere',
    does: 'writes 200 MB to /dev/shm, /tmp and /var/tmp, which no limit of its folder counts',
    code: `
wrote = 0
for folder in ("/dev/shm", "/tmp", "/var/tmp"):
    path = os.path.join(folder, "assay-attack-fill")
    try:
        with open(path, "wb") as file:
            for i in range(70):
                file.write(bytes(1 << 20)); file.flush()
                wrote += 1
    except OSError as error: print("denied:", error)
    finally: tried(os.unlink, path)
if wrote > 190: breach("disk", f"{wrote} MB")
artifact()`,
    ...labelled('disk'),
  },
  {
    name: 'output-lines',
    does: 'prints without end, in short lines full of escapes',
    code: `
artifact(3.0)
while True: sys.stdout.write("\\x1b[2Jkeep\\n" * 1000)`,
    ...same({ ends: ['crash'], phase: 'train', limit: 'output' }),
  },
  {
    name: 'zombies',
    does: 'leaves 200 dead children uncollected',
    code: `
artifact()
for i in range(200):
    if os.fork() == 0: os._exit(0)`,
    ...same({ ends: ['discard', 'crash'] }),
  },
];
