"""One end of a covert channel between two sandboxes: takes commands from a test, one a line, and answers each.

    CHANNEL clear       the sender signals nothing any more
    CHANNEL arm         the receiver gets ready
    CHANNEL send HEX    the sender signals these bytes
    CHANNEL receive N   the receiver reads N bytes, answered as hex
A channel that cannot be used here answers `refused REASON`; what it would have read is then nothing.
"""
import ctypes
import fcntl
import os
import socket
import struct
import sys
import sysconfig
import time

LIBC = ctypes.CDLL(None, use_errno=True)
STDLIB = sysconfig.get_paths()['stdlib']
LOCK = 'hhqqi4x'  # struct flock of 64-bit Linux
OPEN = {}


def descriptor(path, flags=os.O_RDONLY):
    if (path, flags) not in OPEN:
        OPEN[path, flags] = os.open(path, flags)
    return OPEN[path, flags]


def bits(content):
    return [byte >> at & 1 for byte in content for at in range(8)]


def packed(values):
    return bytes(sum(bool(bit) << at for at, bit in enumerate(values[start : start + 8]))
                 for start in range(0, len(values), 8))


def shared_files(count):
    """Files of the standard library that nothing here has open or mapped, in the same order for both ends."""
    names = sorted(name for name in os.listdir(STDLIB) if name.endswith('.py') and os.path.getsize(f'{STDLIB}/{name}') > 9000)
    return [f'{STDLIB}/{name}' for name in names[:count]]


class Locks:
    """POSIX locks: their offsets carry seven bytes."""

    def __init__(self, path, kind=fcntl.F_RDLCK, flags=os.O_RDONLY):
        self.path, self.kind, self.flags = path, kind, flags

    def send(self, content):
        at = descriptor(self.path, self.flags)
        fcntl.fcntl(at, fcntl.F_SETLK, struct.pack(LOCK, fcntl.F_UNLCK, 0, 0, 0, 0))
        fcntl.fcntl(at, fcntl.F_SETLK, struct.pack(LOCK, self.kind, 0, int.from_bytes(content, 'little'), 1, 0))

    def receive(self, count):
        asked = struct.pack(LOCK, fcntl.F_WRLCK, 0, 0, 0, 0)
        kind, _, start, _, _ = struct.unpack(LOCK, fcntl.fcntl(descriptor(self.path, self.flags), fcntl.F_GETLK, asked))
        return (0 if kind == fcntl.F_UNLCK else start).to_bytes(count, 'little')


class PerFile:
    """A bit a file."""

    def send(self, content):
        for path, bit in zip(shared_files(8 * len(content)), bits(content)):
            self.set(path, bit)

    def receive(self, count):
        return packed([self.get(path) for path in shared_files(8 * count)])


class Flock(PerFile):
    def set(self, path, bit):
        fcntl.flock(descriptor(path), fcntl.LOCK_EX if bit else fcntl.LOCK_UN)

    def get(self, path):
        at = descriptor(path)
        try:
            fcntl.flock(at, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(at, fcntl.LOCK_UN)
        return False


class Leases(PerFile):
    """A write lease is refused while another has the file open."""

    def set(self, path, bit):
        if bit:
            descriptor(path)
        elif (path, os.O_RDONLY) in OPEN:
            os.close(OPEN.pop((path, os.O_RDONLY)))

    def get(self, path):
        at = os.open(path, os.O_RDONLY)
        try:
            fcntl.fcntl(at, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            fcntl.fcntl(at, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            return False
        except BlockingIOError:
            return True
        finally:
            os.close(at)


class Inotify(PerFile):
    """Whoever watches a file hears that it was opened."""

    IN_OPEN = 0x20

    def __init__(self, files=shared_files):
        self.files = files

    def arm(self):
        self.watcher = LIBC.inotify_init1(os.O_NONBLOCK)
        self.watches = [LIBC.inotify_add_watch(self.watcher, path.encode(), self.IN_OPEN) for path in self.files(64)]

    def send(self, content):
        for path, bit in zip(self.files(64), bits(content)):
            if bit:
                os.close(os.open(path, os.O_RDONLY))

    def receive(self, count):
        heard, events = set(), b''
        try:
            while part := os.read(self.watcher, 65536):
                events += part
        except BlockingIOError:
            pass
        while events:
            watch, _, _, length = struct.unpack('iIII', events[:16])
            heard.add(watch)
            events = events[16 + length :]
        os.close(self.watcher)
        return packed([watch in heard for watch in self.watches][: 8 * count])


class AccessTimes(PerFile):
    def set(self, path, bit):
        if bit:
            with open(path, 'rb') as file:
                file.read(1)

    def arm(self):
        self.before = {path: os.stat(path).st_atime_ns for path in shared_files(64)}

    def get(self, path):
        return os.stat(path).st_atime_ns != self.before.get(path)


class Residency:
    """Pages of a large file that are in the page cache; `read` tells whether one is."""

    PAGE = 4096

    def __init__(self, resident):
        self.resident = resident

    def file(self):
        return f'{STDLIB}/pydoc_data/topics.py'

    def send(self, content):
        at = os.open(self.file(), os.O_RDONLY)
        os.posix_fadvise(at, 0, 0, os.POSIX_FADV_RANDOM)
        # a look that found nothing has the page read after all, and one on its way cannot be evicted
        for _ in range(4):
            os.posix_fadvise(at, 0, 0, os.POSIX_FADV_DONTNEED)
            time.sleep(0.005)
        for page, bit in enumerate(bits(content)):
            if bit:
                os.pread(at, 1, page * self.PAGE)
        os.close(at)

    def receive(self, count):
        at = os.open(self.file(), os.O_RDONLY)
        os.posix_fadvise(at, 0, 0, os.POSIX_FADV_RANDOM)
        try:
            return packed([self.resident(at, page, self.PAGE) for page in range(8 * count)])
        finally:
            os.close(at)


def by_mincore(at, page, size):
    LIBC.mmap.restype, LIBC.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    place, answer = LIBC.mmap(None, size, 1, 1, at, page * size), ctypes.c_ubyte()
    LIBC.mincore(ctypes.c_void_p(place), ctypes.c_size_t(size), ctypes.byref(answer))
    LIBC.munmap(ctypes.c_void_p(place), ctypes.c_size_t(size))
    return answer.value & 1


def by_nowait(at, page, size):
    try:
        return os.preadv(at, [bytearray(1)], page * size, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False


class DeviceTimes:
    """Times of a device node that everybody may write carry seven bytes."""

    def send(self, content):
        # a chosen time is the owner's to set; the present one anybody's who may write
        os.utime('/dev/zero', ns=(int.from_bytes(content[:4], 'little') * 10**9,) * 2)

    def receive(self, count):
        return (int(os.stat('/dev/zero').st_mtime) % 2**32).to_bytes(4, 'little')[:count]


class OpenFiles:
    """A count of the machine: open files."""

    STEP = 64

    def arm(self):
        self.before = self.count()

    def count(self):
        text = open('/proc/sys/fs/file-nr').read().split()
        return int(text[0]) if text else 0

    def send(self, content):
        OPEN['held'] = [os.open('/dev/null', os.O_RDONLY) for _ in range(self.STEP * (content[0] % 8))]

    def clear(self):
        for at in OPEN.pop('held', []):
            os.close(at)

    def receive(self, count):
        return bytes([max(0, min(255, round((self.count() - self.before) / self.STEP)))])


class SharedMemory:
    """A count of the machine: memory of files that lie in memory, by `figure`."""

    STEP = 1 << 20

    def __init__(self, figure):
        self.figure = figure

    def arm(self):
        self.before = self.figure()

    def clear(self):
        for at in OPEN.pop('memory', []):
            os.close(at)

    def send(self, content):
        self.clear()
        at = os.memfd_create('held')
        os.posix_fallocate(at, 0, self.STEP * (content[0] % 16) or 1)
        OPEN['memory'] = [at]

    def receive(self, count):
        return bytes([max(0, min(255, round((self.figure() - self.before) / self.STEP)))])


def by_meminfo():
    lines = dict(line.split(':') for line in open('/proc/meminfo'))
    return int(lines['Shmem'].split()[0]) * 1024


def by_sysinfo():
    figures = (ctypes.c_long * 16)()
    if LIBC.sysinfo(figures) != 0:
        raise OSError(ctypes.get_errno(), 'sysinfo')
    return figures[6] * ctypes.cast(ctypes.byref(figures, 104), ctypes.POINTER(ctypes.c_uint))[0]


class SocketMemory:
    """A count of the machine: memory of TCP sockets, which every namespace reads."""

    STEP = 2048  # pages, far more than what other programs of the machine move meanwhile

    def count(self):
        line = next(line for line in open('/proc/net/sockstat') if line.startswith('TCP:')).split()
        return int(line[line.index('mem') + 1])

    def arm(self):
        self.before = self.count()

    def clear(self):
        for end in OPEN.pop('sockets', []):
            end.close()

    def send(self, content):
        listener = socket.socket()
        listener.bind(('127.0.0.1', 0))
        listener.listen(64)
        held, wanted = OPEN.setdefault('sockets', [listener]), self.count() + self.STEP * (content[0] % 8)
        while self.count() < wanted:
            one = socket.create_connection(listener.getsockname())
            one.setblocking(False)
            held += [one, listener.accept()[0]]
            try:
                while self.count() < wanted:
                    one.send(bytes(65536))
            except BlockingIOError:
                pass

    def receive(self, count):
        return bytes([max(0, min(255, round((self.count() - self.before) / self.STEP)))])


class PipePages:
    """A quota of the user: pages of pipes, beyond which new pipes are small."""

    def send(self, content):
        for pair in OPEN.pop('pipes', []):
            for end in pair:
                os.close(end)
        OPEN['pipes'] = []
        if content[0] & 1:
            for _ in range(1100):
                OPEN['pipes'].append(os.pipe())

    def receive(self, count):
        one, other = os.pipe()
        size = fcntl.fcntl(one, 1032)
        os.close(one), os.close(other)
        return bytes([size < 65536])


class FreeSpace:
    """Room on the disk of the folders that runs write."""

    STEP = 1 << 22

    def free(self):
        found = os.statvfs(os.environ['HOME'])
        return found.f_bavail * found.f_frsize

    def arm(self):
        self.before = self.free()

    def clear(self):
        open(self.path(), 'wb').close()

    def path(self):
        return f'{os.environ["HOME"]}/held'

    def send(self, content):
        with open(self.path(), 'wb') as file:
            if content[0] % 8:
                os.posix_fallocate(file.fileno(), 0, self.STEP * (content[0] % 8))

    def receive(self, count):
        return bytes([max(0, min(255, round((self.before - self.free()) / self.STEP)))])


class InodeNumbers:
    """Numbers of pipes: handed out by each processor of the machine in rising order, to all who ask there."""

    def number(self):
        os.sched_setaffinity(0, {0})
        one, other = os.pipe()
        found = os.fstat(one).st_ino
        os.close(one), os.close(other)
        return found

    def arm(self):
        self.before = self.number()

    def send(self, content):
        for _ in range(content[0]):
            self.number()

    def receive(self, count):
        return bytes([max(0, min(255, self.number() - self.before - 1))])


class ProcessorLoad:
    """Time that a loop takes on a processor that another uses or does not."""

    LOOP_S = 0.02

    def arm(self):
        os.sched_setaffinity(0, {0})

    def clear(self):
        if child := OPEN.pop('busy', None):
            os.kill(child, 9)
            os.waitpid(child, 0)

    def send(self, content):
        if content[0] & 1:
            OPEN['busy'] = os.fork()
            if OPEN['busy'] == 0:
                os.sched_setaffinity(0, {0})
                while True:
                    pass

    def receive(self, count):
        wall, own = time.monotonic(), time.process_time()
        while time.monotonic() - wall < self.LOOP_S:
            pass
        return bytes([(time.process_time() - own) < 0.75 * self.LOOP_S])


CHANNELS = {
    'posix locks': Locks(sys.executable),
    'wrapper locks': Locks('/proc/1/exe'),
    'flock': Flock(),
    'leases': Leases(),
    'inotify': Inotify(),
    'access times': AccessTimes(),
    'mincore': Residency(by_mincore),
    'nowait': Residency(by_nowait),
    'device locks': Locks('/dev/null', fcntl.F_WRLCK, os.O_RDWR),
    'device events': Inotify(lambda _: ['/dev/zero', '/dev/full', '/dev/random', '/dev/urandom']),
    'device times': DeviceTimes(),
    'open files': OpenFiles(),
    'meminfo': SharedMemory(by_meminfo),
    'sysinfo': SharedMemory(by_sysinfo),
    'socket memory': SocketMemory(),
    'pipe pages': PipePages(),
    'free space': FreeSpace(),
    'inode numbers': InodeNumbers(),
    'processor load': ProcessorLoad(),
}


def answer(words):
    channel = CHANNELS[words[0].replace('_', ' ')]
    if words[1] in ('arm', 'clear'):
        getattr(channel, words[1], lambda: None)()
        return 'ok'
    if words[1] == 'send':
        channel.send(bytes.fromhex(words[2]))
        return 'ok'
    return channel.receive(int(words[2])).hex()


for line in sys.stdin:
    try:
        said = answer(line.split())
    except Exception as error:  # noqa: what a sandbox refuses comes in many kinds
        said = f'refused {type(error).__name__}: {error}'
    print(said.replace('\n', ' '), flush=True)
