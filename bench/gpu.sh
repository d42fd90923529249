#!/usr/bin/env bash
# Measures on a machine with an NVIDIA GPU what assay's devices, sandbox and measuring do there: no network, no server,
# at most four minutes.
#   bench/gpu.sh pack         on a machine with Node and bubblewrap: makes dist/gpu/probe.tar.xz, at most 60 MiB
#   bench/gpu.sh              runs it from that file; prints JSON (assay.bench.gpu/1), also to $OUT/gpu.json if OUT is set
#   bench/gpu.sh --simulated  the same with a simulated device, to try the script itself
set -euo pipefail
cd "$(dirname "$0")/.."
packed=dist/gpu/probe.tar.xz

if [ "${1:-}" = pack ]; then
  exec npx tsx bench/gpu/pack.ts "$packed"
fi
[ -f "$packed" ] || { echo "there is no $packed; make it with: bench/gpu.sh pack" >&2; exit 3; }
folder=$(mktemp -d /tmp/gpu-XXXXXX)
trap 'chmod -R u+w "$folder" 2>/dev/null; rm -rf "$folder"' EXIT
chmod 755 "$folder"
tar -C "$folder" -xf "$packed"
# the machine's own bubblewrap first, the one that was carried where there is none
PATH="$PATH:$folder/bin" timeout -k 10 235 "$folder/node" "$folder/probe.mjs" "$@" | tee "${OUT:-$folder}/gpu.json"
