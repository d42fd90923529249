import { arch } from 'node:process';

/** System calls that a filter names, by their numbers (linux/arch/x86/entry/syscalls, asm-generic/unistd.h). */
interface Numbers {
  /** AUDIT_ARCH_… of linux/audit.h: the ABI that the numbers belong to. */
  audit: number;
  sysinfo: number;
  syslog: number;
  ioSetup: number;
  perfEventOpen: number;
  ioUringSetup: number;
  socket: number;
}

const NUMBERS: Readonly<Record<string, Numbers>> = {
  x64: {
    audit: 0xc000_003e,
    sysinfo: 99,
    syslog: 103,
    ioSetup: 206,
    perfEventOpen: 298,
    ioUringSetup: 425,
    socket: 41,
  },
  arm64: {
    audit: 0xc000_00b7,
    sysinfo: 179,
    syslog: 116,
    ioSetup: 0,
    perfEventOpen: 241,
    ioUringSetup: 425,
    socket: 198,
  },
};

const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
const AF_UNIX = 1;
/** On x86-64, numbers from here on are of the x32 ABI, which would pass a filter of the 64-bit numbers. */
const X32 = 0x4000_0000;

// linux/filter.h and linux/seccomp.h
const [LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN] = [0x20, 0x15, 0x35, 0x06];
const [ALLOW, ERRNO] = [0x7fff_0000, 0x0005_0000];
/** Places in struct seccomp_data. */
const [NUMBER, ARCHITECTURE, FIRST_ARGUMENT] = [0, 4, 16];

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * A seccomp program (classic BPF, as `bwrap --seccomp` reads it) that answers for what a mount cannot hide: counters of
 * the whole machine (sysinfo, the kernel's log, performance events) and a quota that all its users share (io_setup).
 * `inet`: whether sockets other than unix ones may be made; their memory is counted for the machine as a whole, and
 * every namespace can read that count. Null on an architecture whose numbers are not known here.
 */
export function systemCallFilter({ inet }: { inet: boolean }): Uint8Array | null {
  const numbers = NUMBERS[arch];
  if (numbers === undefined) return null;
  const refused = [
    [numbers.sysinfo, ENOSYS],
    [numbers.syslog, EPERM],
    [numbers.ioSetup, ENOSYS],
    [numbers.perfEventOpen, EPERM],
    // makes sockets, and calls of any kind, past this filter
    [numbers.ioUringSetup, ENOSYS],
  ] as const;
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE],
    // of another ABI the numbers are others: nothing of it may be called
    [JUMP_EQUAL, 1, 0, numbers.audit],
    [RETURN, 0, 0, ERRNO | ENOSYS],
    [LOAD, 0, 0, NUMBER],
    ...(arch === 'x64' ? answer([JUMP_AT_LEAST, 0, 1, X32], ENOSYS) : []),
    ...refused.flatMap(([number, errno]) => answer([JUMP_EQUAL, 0, 1, number], errno)),
    ...(inet ? [] : onlyUnixSockets(numbers.socket)),
    [RETURN, 0, 0, ALLOW],
  ];
  return encoded(program);
}

const answer = (test: Instruction, errno: number): Instruction[] => [test, [RETURN, 0, 0, ERRNO | errno]];

const onlyUnixSockets = (socket: number): Instruction[] => [
  [JUMP_EQUAL, 0, 3, socket],
  [LOAD, 0, 0, FIRST_ARGUMENT],
  [JUMP_EQUAL, 1, 0, AF_UNIX],
  [RETURN, 0, 0, ERRNO | EAFNOSUPPORT],
];

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
