import type { Bubblewrap, Root } from '../tiers/bubblewrap.js';
import type { RunRequest } from '../run.js';
import {
  inMountNamespace,
  STAGE_BYTES,
  stagedDevices,
  stagedNodes,
  STAGING,
  STAGING_NODES,
} from '../tiers/stage.js';
import { mountedForDevices, nodesOf, withoutFilesOfHost } from '../tiers/device-access.js';
import type { Launch } from '../tiers/launch.js';
import type { Image } from './image.js';
import type { RuntimeTree } from './runtime-tree.js';

/** A root that can be given to any number of sandboxes, each its own. */
export interface PreparedRoot {
  tree: RuntimeTree;
  image: Image;
  /** An image on disk is read past the page cache, which is the host's. */
  direct: boolean;
  /** An empty folder of this worker, over which each sandbox has a file system in memory of its own. */
  stage: string;
}

/**
 * Run as root in a mount namespace of its own, so that whatever is mounted is gone with its last process. Every sandbox
 * has a loop device of its own: of one device, or of one file that `mount -o loop` finds mounted already, all share
 * pages and locks. The device is detached while it is mounted, and so goes with the mount.
 */
const MOUNTING = `
stage=$1 size=$2 format=$3 image=$4 direct=$5 uid=$6 cache=$7 wrapper=$8
shift 8
${STAGING}
mkdir -m 755 "$stage/root" "$stage/given"
if [ -n "$cache" ]; then
  cp -R "$cache" "$stage/cache"
  chown -R "$uid:$uid" "$stage/cache"
fi
if [ "$format" = tar ]; then
  tar -x -f "$image" -C "$stage/root"
else
  device=$(losetup -f --show -r --direct-io="$direct" "$image")
  mounted=yes
  mount -n -t "$format" -o ro,nosuid,nodev "$device" "$stage/root" || mounted=no
  losetup -d "$device"
  [ $mounted = yes ]
fi
count=0
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -m 755 "$stage/given/$count"; else : > "$stage/given/$count"; fi
  mount -n --bind "$1" "$stage/given/$count"
  count=$((count + 1))
  shift
done
shift
${STAGING_NODES}
setpriv=$(command -v setpriv)
PATH=$path
exec "$setpriv" --reuid "$uid" --regid "$uid" --clear-groups --no-new-privs -- "$stage/\${wrapper##*/}" "$@"
`;

/** Run in an outer sandbox that has the host's files and a file system in memory over the stage. */
const COPYING = `
set -eu
stage=$1 image=$2 cache=$3
shift 3
mkdir "$stage/root"
[ -z "$cache" ] || cp -R "$cache" "$stage/cache"
tar -x -f "$image" -C "$stage/root" --no-same-owner
cp "$1" "$stage/wrapper"
shift
exec "$stage/wrapper" "$@"
`;

/** A launch in a root of its own that is mounted, or unpacked, by root, under a user that no other run has. */
export function mountedLaunch(
  bubblewrap: Bubblewrap,
  { tree, image, direct, stage }: PreparedRoot,
  { request: asked, shell, uid }: { request: RunRequest; shell: string; uid: number },
): Launch {
  const request = withoutFilesOfHost(asked);
  const readable = [...new Set([...request.readable, ...mountedForDevices(request)])];
  const given = new Map(readable.map((path, index) => [path, `${stage}/given/${index}`]));
  const nodes = stagedNodes(stage, nodesOf(request));
  const root: Root = {
    ...filesOf(tree, stage),
    devices: stagedDevices(stage),
    source: (path) => nodes.get(path) ?? given.get(path) ?? path,
    writes: 'memory',
    ...cacheIn(stage, request),
    inet: false,
    uid,
  };
  const inner = bubblewrap.launch(request, shell, root);
  const size = STAGE_BYTES + cacheBytes(request) + (image.format === 'tar' ? 2 * tree.bytes : 0);
  const cache = request.cache?.folder ?? '';
  const told = [stage, String(size), image.format, image.file, direct ? 'on' : 'off', String(uid), cache];
  const placed = [...given.keys(), '--', ...nodes.keys(), '--'];
  return { ...inner, ...inMountNamespace(MOUNTING, [...told, inner.file, ...placed, ...inner.args]) };
}

/** A launch in a root of its own that is unpacked into the memory of an outer sandbox; as the worker's own user. */
export function copiedLaunch(
  bubblewrap: Bubblewrap,
  { tree, image, stage }: PreparedRoot,
  { request, shell }: { request: RunRequest; shell: string },
): Launch {
  const root: Root = {
    ...filesOf(tree, stage),
    devices: [],
    source: (path) => path,
    writes: 'memory',
    ...cacheIn(stage, request),
    inet: false,
    uid: null,
  };
  const inner = bubblewrap.launch(withoutFilesOfHost(request), shell, root);
  const size = String(STAGE_BYTES + cacheBytes(request) + 2 * tree.bytes);
  const cache = request.cache?.folder ?? '';
  const outer = [
    '--unshare-user',
    '--die-with-parent',
    '--dev-bind',
    '/',
    '/',
    '--size',
    size,
    '--tmpfs',
    stage,
  ];
  return {
    ...inner,
    wrappers: 3,
    args: [
      ...outer,
      '--',
      '/bin/sh',
      '-c',
      COPYING,
      'sh',
      stage,
      image.file,
      cache,
      inner.file,
      ...inner.args,
    ],
  };
}

/** Bytes in memory of a copy of a run's cache, which it may double: files take whole pages. */
export const cacheBytes = ({ cache }: Pick<RunRequest, 'cache'>): number =>
  cache === undefined ? 0 : 2 * cache.bytes + CACHE_ROOM;

/** Least room for what a run adds to its cache. */
const CACHE_ROOM = 16 * 1024 * 1024;

const cacheIn = (stage: string, { cache }: Pick<RunRequest, 'cache'>): Pick<Root, 'cache'> =>
  cache === undefined ? {} : { cache: `${stage}/cache` };

function filesOf({ anchors, links }: RuntimeTree, stage: string): Pick<Root, 'system' | 'folders'> {
  return {
    system: links.flatMap(({ path, target }) => ['--symlink', target, path]),
    folders: anchors.map((path) => ({ path, source: `${stage}/root${path}` })),
  };
}
