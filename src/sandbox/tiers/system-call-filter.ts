import { arch } from 'node:process';

/** System calls that a filter names, by their numbers (linux/arch/x86/entry/syscalls, asm-generic/unistd.h). */
interface Numbers {
  /** AUDIT_ARCH_… of linux/audit.h: the ABI that the numbers belong to. */
  audit: number;
  refused: readonly (readonly [number: number, errno: number])[];
  socket: number;
  socketpair: number;
  getsockopt: number;
  clone: number;
}

const [EPERM, ENOSYS, ENOPROTOOPT, EAFNOSUPPORT] = [1, 38, 92, 97];

const NUMBERS: Readonly<Record<string, Numbers>> = {
  x64: {
    audit: 0xc000_003e,
    refused: refusals({ sysinfo: 99, syslog: 103, ioSetup: 206, perf: 298, keys: [248, 249, 250] }),
    ...{ socket: 41, socketpair: 53, getsockopt: 55, clone: 56 },
  },
  arm64: {
    audit: 0xc000_00b7,
    refused: refusals({ sysinfo: 179, syslog: 116, ioSetup: 0, perf: 241, keys: [217, 218, 219] }),
    ...{ socket: 198, socketpair: 199, getsockopt: 209, clone: 220 },
  },
};

/** The numbers of pidfd_open, clone3 and io_uring_setup are the same everywhere. */
function refusals(of: {
  sysinfo: number;
  syslog: number;
  ioSetup: number;
  perf: number;
  keys: readonly number[];
}): Numbers['refused'] {
  return [
    [of.sysinfo, ENOSYS],
    [of.syslog, EPERM],
    [of.ioSetup, ENOSYS],
    [of.perf, EPERM],
    // makes sockets, and calls of any kind, past this filter
    [425, ENOSYS],
    // the keyring of the worker's session is inherited
    ...of.keys.map((number) => [number, ENOSYS] as const),
    // the numbers of process descriptors count the processes of the machine; C libraries fall back from clone3 to clone
    [434, ENOSYS],
    [435, ENOSYS],
  ];
}

/** Socket families: unix sockets stay in the sandbox, and so do those of its own network namespace. */
const [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK] = [1, 2, 10, 16];
/** Options that tell a counter of the machine: SO_COOKIE, SO_NETNS_COOKIE; SO_PEERPIDFD makes a process descriptor. */
const TELLING_OPTIONS = [57, 71, 77];
const CLONE_PIDFD = 0x1000;
/** On x86-64, numbers from here on are of the x32 ABI, which would pass a filter of the 64-bit numbers. */
const X32 = 0x4000_0000;

// linux/filter.h and linux/seccomp.h
const [LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06];
const [ALLOW, ERRNO] = [0x7fff_0000, 0x0005_0000];
/** Places in struct seccomp_data. */
const [NUMBER, ARCHITECTURE] = [0, 4];
const argument = (index: number): number => 16 + 8 * index;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * A seccomp program (classic BPF, as `bwrap --seccomp` reads it) that answers for what a mount cannot hide: counters of
 * the whole machine, quotas that all its users share, the keyring of the worker, and sockets that no network namespace
 * holds (AF_VSOCK). `inet`: whether sockets other than unix ones may be made; the memory of those is counted for the
 * machine as a whole, and every namespace can read that count. Null on an architecture whose numbers are not known here.
 */
export function systemCallFilter({ inet }: { inet: boolean }): Uint8Array | null {
  const numbers = NUMBERS[arch];
  if (numbers === undefined) return null;
  const { audit, refused, socket, socketpair, getsockopt, clone } = numbers;
  const families = inet ? [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK] : [AF_UNIX];
  return encoded([
    [LOAD, 0, 0, ARCHITECTURE],
    // of another ABI the numbers are others: nothing of it may be called
    [EQUAL, 1, 0, audit],
    [RETURN, 0, 0, ERRNO | ENOSYS],
    [LOAD, 0, 0, NUMBER],
    ...(arch === 'x64' ? answered([[AT_LEAST, 0, 0, X32]], ENOSYS) : []),
    ...refused.flatMap(([number, errno]) => answered([[EQUAL, 0, 0, number]], errno)),
    ...within(socket, argument(0), unlessAnyOf(families, EAFNOSUPPORT)),
    ...within(socketpair, argument(0), unlessAnyOf([AF_UNIX], EAFNOSUPPORT)),
    ...within(getsockopt, argument(2), answered(TELLING_OPTIONS.map(equals), ENOPROTOOPT)),
    ...within(clone, argument(0), answered([[ANY_BIT, 0, 0, CLONE_PIDFD]], EPERM)),
    [RETURN, 0, 0, ALLOW],
  ]);
}

const equals = (value: number): Instruction => [EQUAL, 0, 0, value];

/** Answers with an error when one of the tests holds; continues behind it otherwise. */
function answered(tests: readonly Instruction[], errno: number): Instruction[] {
  const jumps = tests.map(([code, , , value], index): Instruction => {
    const rest = tests.length - 1 - index;
    return [code, rest, rest === 0 ? 1 : 0, value];
  });
  return [...jumps, [RETURN, 0, 0, ERRNO | errno]];
}

/** Answers with an error unless the loaded value is one of these. */
function unlessAnyOf(values: readonly number[], errno: number): Instruction[] {
  const jumps = values.map((value, index): Instruction => [EQUAL, values.length - index, 0, value]);
  return [...jumps, [RETURN, 0, 0, ERRNO | errno]];
}

/** Runs a block on an argument of one system call. */
function within(number: number, at: number, block: readonly Instruction[]): Instruction[] {
  return [[LOAD, 0, 0, NUMBER], [EQUAL, 0, block.length + 1, number], [LOAD, 0, 0, at], ...block];
}

/** struct sock_filter in the byte order of the machines that are known here. */
function encoded(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(8 * program.length);
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(ifTrue, 8 * index + 2);
    bytes.writeUInt8(ifFalse, 8 * index + 3);
    bytes.writeUInt32LE(value, 8 * index + 4);
  });
  return bytes;
}
