#!/bin/bash
# Runs the start recipes of tasks with upstream sources, as they are, at toy size on a CPU: `assay task check`, then a
# campaign of three trials, in the profile `ci` of each.
#
#   tasks/_cpu/run.sh [TASK…]        default: cifar10-airbench96 autoresearch parameter-golf nanochat-d12
#
# It makes an environment with a CUDA build of torch that works without its libraries (1.9 GB, once; about a minute on a good
# line), in CPU_TORCH, and takes upstream files from ASSAY_MIRROR where that is set, else from their repositories. Where
# something that it needs is missing it says so, and ends well: "skipped: …".
set -u -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
clone=$(cd "$here/../.." && pwd)
environment=${CPU_TORCH:-${XDG_CACHE_HOME:-$HOME/.cache}/assay/cpu-torch}
tasks=("$@")
[ ${#tasks[@]} -gt 0 ] || tasks=(cifar10-airbench96 autoresearch parameter-golf nanochat-d12)

skip() {
  echo "skipped: $*"
  exit 0
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.12 python3.13 python3; do
    [ -n "$candidate" ] || continue
    "$candidate" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info < (3, 14))' 2>/dev/null && echo "$candidate" && return
  done
  # shims of pyenv name versions that are not active
  for candidate in "$HOME"/.pyenv/versions/3.12.*/bin/python3; do
    [ -x "$candidate" ] && echo "$candidate" && return
  done
  return 1
}

# Makes the environment, or makes sure that it is there.
bring_torch() {
  [ -e "$environment/complete" ] && return
  local python packages free
  python=$(find_python) || skip "there is no Python 3.12 or 3.13 (PYTHON names one)"
  for packages in cc readelf; do
    command -v $packages > /dev/null || skip "there is no $packages, which stubs of NVIDIA's libraries are made with"
  done
  mkdir -p "$(dirname "$environment")"
  free=$(df -Pm "$(dirname "$environment")" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge 4000 ] || skip "torch needs 4 GB beside $environment, where $free MB are free"
  echo "bringing torch 2.9.1 (900 MB) into $environment"
  rm -rf "$environment"
  "$python" -m venv "$environment" || skip "$python cannot make an environment (python3-venv)"
  "$environment/bin/pip" install -q --no-deps torch==2.9.1 ||
    skip "torch 2.9.1 cannot be installed: no network, no package index, or no wheel for this machine"
  "$environment/bin/pip" install -q numpy filelock typing-extensions sympy networkx jinja2 fsspec setuptools \
    pyarrow rustbpe tiktoken requests 2> /dev/null || skip "what torch and the tasks need cannot be installed"
  local site
  site=$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  "$environment/bin/python" "$here/stub_libraries.py" "$site/torch/lib" > "$environment/stubs.log" ||
    skip "NVIDIA's libraries cannot be stood in for (see $environment/stubs.log)"
  "$environment/bin/python" -c 'import torch; torch.ones(2).sum()' || skip "torch cannot be imported"
  touch "$environment/complete"
}

# What tasks need besides, in an environment of before as well.
bring_packages() {
  "$environment/bin/python" -c 'import tokenizers, yaml, sentencepiece, brotli' 2> /dev/null ||
    "$environment/bin/pip" install -q --no-deps tokenizers pyyaml sentencepiece brotli 2> /dev/null ||
    skip "tokenizers, pyyaml, sentencepiece and brotli cannot be installed"
}

# The file of this clone, whatever the environment was made with.
install_shim() {
  local site
  site=$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  cp "$here/cuda_on_cpu.py" "$here/cuda_on_cpu.pth" "$site/"
}

have_sources() {
  local task
  for task in "${tasks[@]}"; do
    [ -e "$clone/tasks/$task/task.yaml" ] || { echo "there is no task $task" >&2; exit 2; }
    "${assay[@]}" task source "$clone/tasks/$task" --into "$work/source-$task" > "$work/source.log" 2>&1 ||
      skip "the sources of $task cannot be had: $(grep -m1 error "$work/source.log")"
  done
}

# Data from text of this machine, by the code that prepares the real ones; then two ways to one score.
compare_scores() {
  local task=$1 program=$2 lines=$3
  echo "== $task: the evaluator's score beside upstream's own"
  mkdir -p "$work/scores-$task" && cp -r "$clone/tasks/$task" "$work/whole-$task" &&
    cp -r "$work/source-$task/." "$work/whole-$task/" &&
    "$environment/bin/python" "$here/$program" "$work/whole-$task" "$work/scores-$task" "$clone/evaluator-kit" | tail -"$lines"
}

# One task: its start measured twice, then a campaign.
run_task() {
  local task=$1
  case $task in
    autoresearch) compare_scores "$task" same_score.py 1 || return 1 ;;
    nanochat-d12) compare_scores "$task" same_nanochat.py 2 || return 1 ;;
    parameter-golf)
      "${assay[@]}" task source "$clone/tasks/$task" --upstream --into "$work/source-$task/upstream" > "$work/source.log" 2>&1 &&
        compare_scores "$task" same_score_golf.py 2 || return 1
      ;;
  esac
  echo "== $task: check"
  "${assay[@]}" task check "$clone/tasks/$task" --profile ci || return 1
  echo "== $task: a campaign of three trials"
  "${assay[@]}" start --task "$clone/tasks/$task" --profile ci --name "cpu-$task" --trials 3 --calibration 2 --claim-runs 2 \
    --watch || return 1
  "${assay[@]}" trials "cpu-$task" || return 1
  "${assay[@]}" show "cpu-$task/t00000"
}

bring_torch
bring_packages
install_shim
work=$(mktemp -d)
export ASSAY_HOME="$work/home" ASSAY_PYTHON="$environment/bin/python"
assay=(node "$clone/bin/assay.js")
have_sources
"${assay[@]}" dev > "$work/dev.log" 2>&1 &
dev=$!
trap 'kill -INT $dev 2> /dev/null; wait $dev; rm -rf "$work"' EXIT
until grep -q '^workers: ' "$work/dev.log"; do
  kill -0 $dev 2> /dev/null || { cat "$work/dev.log"; exit 1; }
  sleep 1
done
failed=0
for task in "${tasks[@]}"; do
  run_task "$task" || { echo "== $task failed"; failed=1; }
done
exit $failed
