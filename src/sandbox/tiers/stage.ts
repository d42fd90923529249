import { programOnPath, type Launch } from './launch.js';

/** Folders of the programs that root prepares a sandbox with. */
export const SYSTEM_PATH = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/** Device nodes of a sandbox: one of the host is one inode for all, which carries locks, times, modes and events. */
const NODES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/** Options of bubblewrap that put the nodes of a stage over those of the host. */
export const stagedDevices = (stage: string): string[] =>
  NODES.flatMap((name) => ['--dev-bind', `${stage}/${name}`, `/dev/${name}`]);

/**
 * The beginning of a script that root runs in a mount namespace of its own, so that all of it is gone with its last
 * process: a file system in memory over `$stage`, of `$size` bytes, with device nodes and a copy of the `$wrapper`. That
 * is process 1 of its sandbox, whose program every process there may open by /proc/1/exe: the host's would be one inode
 * for all, and a sandbox of root's could change its mode.
 */
export const STAGING = `
set -eu
path=$PATH
PATH=${SYSTEM_PATH.join(':')}
mount -n -t tmpfs -o "mode=711,nosuid,size=$size" tmpfs "$stage"
# with the modes of the host's, and without their times, which are the host's to tell
(umask 0; exec cp -R ${NODES.map((name) => `/dev/${name}`).join(' ')} "$wrapper" "$stage/")
`;

/** For nodes and a copy of the wrapper. */
export const STAGE_BYTES = 1024 * 1024;

const SCRIPT = `stage=$1 size=$2 wrapper=$3
shift 3
${STAGING}PATH=$path
exec "$stage/\${wrapper##*/}" "$@"`;

/** A launch by root that is prepared on a stage. */
export function staged(stage: string, { file, args }: Launch): Pick<Launch, 'file' | 'args'> {
  return inMountNamespace(SCRIPT, [stage, String(STAGE_BYTES), file, ...args]);
}

/** Runs a script in a mount namespace that goes with its last process. */
export function inMountNamespace(script: string, told: readonly string[]): Pick<Launch, 'file' | 'args'> {
  return {
    file: programOnPath('unshare', SYSTEM_PATH) ?? 'unshare',
    args: ['--mount', '--propagation', 'private', '--', '/bin/sh', '-c', script, 'sh', ...told],
  };
}
