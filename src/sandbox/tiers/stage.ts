import { programOnPath, type Launch } from './launch.js';

/** Folders of the programs that root prepares a sandbox with. */
export const SYSTEM_PATH = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/** Device nodes of a sandbox: one of the host is one inode for all, which carries locks, times, modes and events. */
const NODES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/** Options of bubblewrap that put the nodes of a stage over those of the host. */
export const stagedDevices = (stage: string): string[] =>
  NODES.flatMap((name) => ['--dev-bind', `${stage}/${name}`, `/dev/${name}`]);

/** Places on a stage of the nodes that a run is given, by their paths. */
export const stagedNodes = (stage: string, nodes: readonly string[]): ReadonlyMap<string, string> =>
  new Map(nodes.map((path, index) => [path, `${stage}/device${index}`]));

/**
 * The part of a script that puts its first arguments, up to `--`, on `$stage`: device nodes as nodes of the sandbox's
 * own where those may be made, and sockets, of which there is only one, as they are.
 */
export const STAGING_NODES = `
count=0
while [ "$1" != -- ]; do
  if [ -S "$1" ] || ! (umask 0; exec cp -R "$1" "$stage/device$count") 2>/dev/null; then
    : > "$stage/device$count"
    mount -n --bind "$1" "$stage/device$count"
  fi
  count=$((count + 1))
  shift
done
shift
`;

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
${STAGING}${STAGING_NODES}PATH=$path
exec "$stage/\${wrapper##*/}" "$@"`;

/** A launch by root that is prepared on a stage, with the nodes that its run is given. */
export function staged(
  stage: string,
  nodes: readonly string[],
  { file, args }: Launch,
): Pick<Launch, 'file' | 'args'> {
  return inMountNamespace(SCRIPT, [stage, String(STAGE_BYTES), file, ...nodes, '--', ...args]);
}

/** Runs a script in a mount namespace that goes with its last process. */
export function inMountNamespace(script: string, told: readonly string[]): Pick<Launch, 'file' | 'args'> {
  return {
    file: programOnPath('unshare', SYSTEM_PATH) ?? 'unshare',
    args: ['--mount', '--propagation', 'private', '--', '/bin/sh', '-c', script, 'sh', ...told],
  };
}
