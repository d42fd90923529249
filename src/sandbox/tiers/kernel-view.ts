import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Figures that a sandbox shows instead of the host's own. */
export interface Shown {
  memoryBytes: number;
  /** Processors that the run may use. */
  cpus: number;
}

/** A file or folder of /proc that is covered; a null `content` is a folder that becomes empty. */
export interface Cover {
  path: string;
  content: string | null;
}

/**
 * Files directly in /proc that hold nothing which a program can change while the machine is up. All others are
 * covered: an unknown one may be a counter of the whole machine, which one sandbox moves and another reads.
 */
const CONSTANT = new Set([
  ...['cmdline', 'config.gz', 'consoles', 'devices', 'dma', 'execdomains', 'filesystems', 'iomem', 'ioports'],
  ...['kallsyms', 'misc', 'mtrr', 'version'],
]);
/** Folders and links of the processes and namespaces that the sandbox has to itself, and of settings. */
const OWN = new Set(['self', 'thread-self', 'net', 'mounts', 'sys', 'sysvipc']);
/** Counters of the whole machine among the settings. */
const COUNTING = [
  ...['fs/aio-nr', 'fs/dentry-negative', 'fs/dentry-state', 'fs/file-nr', 'fs/inode-nr', 'fs/inode-state'],
  ...['fs/quota', 'fs/xfs', 'kernel/pty/nr', 'kernel/random/entropy_avail'],
].map((name) => join('sys', name));

/**
 * Files of /proc that are covered, each with content that presents the limits of the run as those of the machine.
 * Empty masks break programs that read a total, so totals are there and equal the limits.
 */
export function kernelCovers(shown: Shown): Cover[] {
  const names = [...readdirSync('/proc').filter((name) => !/^\d/.test(name)), ...COUNTING];
  return names.flatMap((name): Cover[] => {
    if (OWN.has(name) || CONSTANT.has(name)) return [];
    const path = join('/proc', name);
    const folder = isFolder(path);
    if (folder === null) return [];
    return [{ path, content: folder ? null : (SYNTHETIC[name]?.(shown) ?? '') }];
  });
}

function isFolder(path: string): boolean | null {
  try {
    return statSync(path).isDirectory();
  } catch {
    return null;
  }
}

const kilobytes = (bytes: number): number => Math.floor(bytes / 1024);

const SYNTHETIC: Readonly<Record<string, (shown: Shown) => string>> = {
  meminfo: ({ memoryBytes }) =>
    Object.entries({
      MemTotal: memoryBytes,
      MemFree: memoryBytes,
      MemAvailable: memoryBytes,
      Buffers: 0,
      Cached: 0,
      Active: 0,
      Inactive: 0,
      SwapTotal: 0,
      SwapFree: 0,
      Shmem: 0,
      Slab: 0,
      SReclaimable: 0,
    })
      .map(([name, bytes]) => `${`${name}:`.padEnd(16)}${String(kilobytes(bytes)).padStart(8)} kB\n`)
      .join(''),
  stat: ({ cpus }) => {
    const times = ' 0 0 0 0 0 0 0 0 0 0\n';
    const lines = Array.from({ length: cpus }, (_, index) => `cpu${index}${times}`);
    const rest = 'intr 0\nctxt 0\nbtime 0\nprocesses 1\nprocs_running 1\nprocs_blocked 0\nsoftirq 0\n';
    return `cpu ${times}${lines.join('')}${rest}`;
  },
  loadavg: () => '0.00 0.00 0.00 1/1 1\n',
  uptime: () => '0.00 0.00\n',
  vmstat: () => 'pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n',
  cpuinfo: ({ cpus }) => processors(cpus),
};

let described: string | null = null;

/** The host's first processor as many times as the run may use, without its speed of the moment. */
function processors(cpus: number): string {
  described ??= readFileSync('/proc/cpuinfo', 'utf8').split('\n\n')[0] ?? '';
  const lines = described.split('\n').filter((line) => !/^(cpu MHz|bogomips)\b/i.test(line));
  return Array.from(
    { length: cpus },
    (_, index) => `${lines.join('\n').replace(/^(processor\s*:\s*)\d+/m, `$1${index}`)}\n\n`,
  ).join('');
}
