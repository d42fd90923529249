#!/bin/bash
# Submits published improvements of airbench96 as edits of this task's start, and says whether what is measured is what was
# published.
#
#   tasks/cifar10-airbench96/golden.sh [shorter|final…]      default: both
#
#   shorter  46 epochs                                       published: accuracy 0.96022 (mean of 10 processes)
#   final    42 epochs, learning rate 11, warm-up 0.05       published: accuracy 0.96008 (mean of 10 processes)
#
# One process has a standard deviation of 0.0012, the mean of ten of 0.0004: whether either keeps the gate of 0.96 is not decided by
# ten. Times are compared with what the number of epochs says, 46 / 48 and 42 / 48 of this task's start. The published ratios (0.991
# and 0.954) are of another clock, which counts imports and loading of compiled code too (about half of it), of another start (45
# epochs, below the gate), and with less accuracy told while training, which this task does not do at all.
#
# Takes about an hour of one H100 or H200 a case, most of it compiling and the processes of the start beside it. Needs the prepared
# data of the profile paper, nothing else on the host, and a machine that `assay doctor` is content with. Where one is missing it says
# so, and ends well: "skipped: …".
set -u -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
clone=$(cd "$here/../.." && pwd)
assay=(node "$clone/bin/assay.js")
cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=(shorter final)

skip() {
  echo "skipped: $*"
  exit 0
}

need_accelerator() {
  command -v nvidia-smi > /dev/null || skip "there is no nvidia-smi here, and one H100 or H200 is needed"
  nvidia-smi --query-gpu=name --format=csv,noheader | grep -qE 'H100|H200' || skip "no H100 or H200 is here, and one is needed"
}

# The start recipe with its settings changed, in $work/source/recipe: EPOCHS LR WARM-UP
edited_recipe() {
  local file=$work/source/recipe/train.py
  rm -rf "$work/source"
  "${assay[@]}" task source "$here" --into "$work/source" > "$work/source.log" 2>&1 ||
    skip "the sources cannot be had: $(grep -m1 error "$work/source.log")"
  sed -i "s/^EPOCHS = 48\.0\b/EPOCHS = $1/; s/^LR = 9\.0\b/LR = $2/; s/int(total_train_steps \* 0\.1)/int(total_train_steps * $3)/" "$file"
  [ "$(grep -cE "^(EPOCHS = $1|LR = $2)  #|int\(total_train_steps \* $3\)" "$file")" = 4 ] ||
    { echo "train.py has other settings than this script replaces" >&2; exit 1; }
}

# Measures the edit beside the start: CASE ACCURACY TOLERANCE RATIO TOLERANCE
measure() {
  local case=$1
  echo "== $case"
  "${assay[@]}" submit --task "$here" --recipe "$work/source/recipe" --runs 1 --wait --json \
    --hypothesis "the published edit $case" > "$work/$case.json" ||
    { echo "it could not be measured; prepare the data first: assay task prepare $here"; return 1; }
  python3 - "$work/$case.json" "${@:2}" << 'P'
import json, sys
trial = json.load(open(sys.argv[1]))
runs = [run['metrics'] for run in trial['replicates'] if 'accuracy' in (run['metrics'] or {})]
if not runs:
    sys.exit(f'no run of it has a score: {trial["status"]}, {trial["failure"]}')
failed = False
for name, expected, tolerance in zip(('accuracy', 'train_ratio'), *[iter(map(float, sys.argv[2:6]))] * 2):
    found = sum(run[name] for run in runs) / len(runs)
    fits = abs(found - expected) <= tolerance
    failed |= not fits
    print(f'{name} {found:.5f}, expected {expected:g} +- {tolerance:g}: {"as published" if fits else "NOT as published"}')
sys.exit(failed)
P
}

need_accelerator
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for case in "${cases[@]}"; do
  case $case in
    shorter) edited_recipe 46.0 9.0 0.1; measure shorter 0.96022 0.001 0.958 0.02 || failed=1 ;;
    final) edited_recipe 42.0 11.0 0.05; measure final 0.96008 0.001 0.875 0.03 || failed=1 ;;
    *) echo "there is no case $case: shorter, final" >&2; exit 2 ;;
  esac
done
exit $failed
