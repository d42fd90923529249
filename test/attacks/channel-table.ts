/** State of a channel: at `closed` a sender and a receiver try it in test/sandbox/channels. */
type State = 'closed' | 'open' | `bounded${string}`;

/** A way in which a process could tell another what it has seen, past its outputs. */
interface Row {
  channel: string;
  /** Means that closes it, or its known rate. */
  by: string;
  /** In a root from an image, as root, at tiers B and C: `isolation.channels` is `closed`. */
  image: State;
  /** In a root that is copied, without root, at tiers B and C: `isolation.channels` is `bounded`. */
  copy: State;
  /** State where the files of the host are shared, at tiers D and E and where no root can be made. */
  shared: State;
}

const OWN_FILES = 'no file of the host is in its root, and its code and artifact are copies of its own';
const OWN_NODES = 'device nodes of its own';
const OWN_USER = 'a user of its own';
const COVERED = 'a constant file lies on it, in every run of a recipe';

export const CHANNELS: readonly Row[] = [
  {
    channel: 'locks on files (POSIX, flock)',
    by: OWN_FILES,
    image: 'closed',
    copy: 'closed',
    shared: 'open',
  },
  { channel: 'leases on files', by: OWN_FILES, image: 'closed', copy: 'closed', shared: 'open' },
  { channel: 'inotify on files', by: OWN_FILES, image: 'closed', copy: 'closed', shared: 'open' },
  {
    channel: 'access times of files',
    by: 'what is shared is read-only, so that reading leaves no time',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'page residency (mincore, RWF_NOWAIT, time of a read)',
    by: `${OWN_FILES}; the image lies in memory, or is read past the page cache`,
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'the program of process 1 (/proc/1/exe): its locks, and as root its mode and attributes',
    by: 'each sandbox starts its wrapper from a copy of its own; at tiers B and C as root also that of a training',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  { channel: 'locks on device nodes', by: OWN_NODES, image: 'closed', copy: 'open', shared: 'open' },
  { channel: 'times of device nodes', by: OWN_NODES, image: 'closed', copy: 'open', shared: 'open' },
  { channel: 'inotify on device nodes', by: OWN_NODES, image: 'closed', copy: 'open', shared: 'open' },
  {
    channel:
      'counters of the machine in /proc (memory, load, processors, open files, locks, pressure, interrupts …)',
    by: COVERED,
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'counters in /sys',
    by: 'there is no /sys in a sandbox',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'sysinfo(2)',
    by: 'answers ENOSYS in every run of a recipe; what C libraries compute from it, as the number of physical pages, is then no number to rely on',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'the kernel’s log, performance events, io_setup and io_uring, keyrings, process descriptors',
    by: 'refused by seccomp in every run of a recipe',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'memory of sockets (/proc/net/sockstat counts that of all namespaces)',
    by: 'a server makes unix sockets only',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'terminals, which are counted for the machine',
    by: 'no sandbox has any',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'sockets that no network namespace holds (AF_VSOCK), cookies of sockets (SO_COOKIE)',
    by: 'refused by seccomp in every run of a recipe',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'files and folders that the process which started the worker left open',
    by: 'the worker closes them before anything else',
    ...{ image: 'closed', copy: 'closed', shared: 'closed' },
  },
  {
    channel: 'process, thread, port and System V numbers',
    by: 'namespaces of its own (tier D has its own user for System V objects)',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'quotas of a user (pages of pipes, inotify instances, pending signals, keys)',
    by: OWN_USER,
    ...{ image: 'closed', copy: 'open', shared: 'open' },
  },
  {
    channel: 'free space of disks',
    by: 'what a server writes lies in memory; its log, which is stored when it is over, takes some kilobytes',
    ...{ image: 'closed', copy: 'closed', shared: 'open' },
  },
  {
    channel: 'numbers of pipes, sockets and files in memory, counted for each processor',
    by: 'no mount closes it; 1,700 to 5,700 bit/s in lockstep (bench/channels). They outlive a server: on a host where nothing else runs it can leave its twin some bits a processor',
    ...{ image: 'open', copy: 'open', shared: 'open' },
  },
  {
    channel: 'st_dev, numbers of mounts and namespaces',
    by: 'a server can make neither mounts nor namespaces, so that they tell only that it runs',
    ...{ image: 'bounded: one bit a server', copy: 'bounded: one bit a server', shared: 'open' },
  },
  {
    channel: 'load of a processor',
    by: 'a run has its share of time (`isolation.cpu`), not processors of its own; 30 to 46 bit/s in lockstep (bench/channels)',
    ...{ image: 'bounded', copy: 'bounded', shared: 'bounded' },
  },
  {
    channel: 'pressure on memory, caches of the processor, the memory bus and the disk’s queue',
    by: 'bounded by the limit of memory alone; not measured',
    ...{ image: 'open', copy: 'open', shared: 'open' },
  },
];

const INTRODUCTION = [
  'A process that has seen held-out data, and any process whose result counts, must share nothing that one can write and the other read. A server that is scored is such a process: it has a root of its own with nothing but what its interpreter needs (`runtime` in task.yaml adds to it), a copy of its code and artifact, device nodes and a user of its own, and writes into memory that goes with it. `isolation.channels` says how far that held. A training has the host’s programs: what is closed on the server’s side needs not be closed twice, and figures of the machine are covered for all.',
  '',
  'What no mount closes is closed by order: the first server is dead before its twin starts, the places that are compared are drawn after the first has answered all, and an evaluation with `exclusive` (every claim’s, by default) has the host to itself. A claim trains and seals all its runs before any of them is evaluated.',
  '',
  'Between trials the sender is a server and the receiver a training beside it; between twins the receiver starts when the sender is dead. `test/sandbox/channels` sends a kilobyte through each closed one, after it has shown that the same bytes arrive where it is open.',
];

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The section of docs/security.md. */
export function renderChannels(): string[] {
  return [
    '## Channels',
    '',
    ...INTRODUCTION,
    '',
    '| channel | own root, as root (`closed`) | own root, without root (`bounded`) | shared files (`open`) | by |',
    '| --- | --- | --- | --- | --- |',
    ...CHANNELS.map(
      ({ channel, by, image, copy, shared }) =>
        `| ${[channel, image, copy, shared, by].map(cell).join(' | ')} |`,
    ),
    '',
  ];
}
