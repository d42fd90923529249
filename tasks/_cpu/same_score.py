"""Compares what the evaluator of autoresearch answers with upstream's own evaluate_bpb: same_score.py TASK WORK KIT

TASK is the task folder with its upstream files in place. A toy is trained on text of this machine, prepared by the task's own
shards.py; then it is scored twice, by upstream's function in one process and by assay's evaluator through two servers. Needs
torch, pyarrow, rustbpe, tiktoken and requests. Exits with 1 where the scores differ by more than 1e-5 bits/byte.
"""
import glob
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

task, work, kit = map(lambda path: Path(path).resolve(), sys.argv[1:4])
LENGTH, VOCAB, ROWS = 65, 512, 64
os.environ.update(ASSAY_PROFILE='ci', ASSAY_MIRROR=str(work / 'mirror'), ASSAY_DOWNLOADS=str(work / 'downloads'), OMP_NUM_THREADS='1')
sys.path[:0] = [str(task), str(kit)]


def write_shards(names):
    import pyarrow
    import pyarrow.parquet
    files = sorted(glob.glob('/usr/share/common-licenses/*') + glob.glob('/usr/lib/python3*/*.py'))[:120]
    parts = [part.strip() for file in files for part in Path(file).read_text(errors='replace').split('\n\n')]
    documents = [part for part in parts if len(part) > 100]
    random.Random(0).shuffle(documents)
    (work / 'mirror').mkdir(parents=True, exist_ok=True)
    for at, name in enumerate(names):
        table = pyarrow.table({'text': documents[at::len(names)]})
        pyarrow.parquet.write_table(table, work / 'mirror' / f'shard_{name:05d}.parquet', row_group_size=64)


def prepare():
    """Tokens and rows at toy size, by the task's own code; returns its shards."""
    import prepare
    import shards
    write_shards([*shards.TRAIN, 6541, 6542])
    texts = shards.Shards(work / 'data/work')
    texts.code.MAX_SEQ_LEN, texts.code.VOCAB_SIZE, texts.code.EVAL_TOKENS = LENGTH - 1, VOCAB, ROWS * (LENGTH - 1)
    texts.bring()
    texts.store_training(work / 'data/train')
    prepare.store_part(work / 'data/search', texts.rows(6542, ROWS), texts.token_bytes())
    return texts


def train():
    """Trains as the harness would, with data that are there at once; returns the folder of the artifact."""
    artifact = work / 'artifact'
    artifact.mkdir(exist_ok=True)
    said, say = os.pipe()
    hear, answer = os.pipe()
    os.write(answer, b'go\n')
    env = {'ASSAY_DATA': str(work / 'data/train'), 'ASSAY_OUTPUT': str(artifact), 'ASSAY_SEED': '7', 'ASSAY_TRAIN_SECONDS': '6',
           'ASSAY_SIGNAL_FD': str(say), 'ASSAY_GO_FD': str(hear)}
    subprocess.run([sys.executable, task / 'recipe/train.py'], env={**os.environ, **env}, pass_fds=(say, hear), check=True,
                   stdout=subprocess.DEVNULL)
    os.close(say)
    assert os.read(said, 100) == b'ready\n'
    return artifact


def by_upstream(texts, artifact):
    """Bits per byte by the pinned evaluate_bpb, over the recipe's own model."""
    import torch
    source = (task / 'recipe/train.py').read_text()
    space = {'__name__': 'recipe'}
    exec(compile(source[:source.index('t_start = time.time()')], 'train.py', 'exec'), space)
    space['device'] = torch.device('cpu')
    model, _ = space['load'](artifact)
    texts.rows(6542, 1)  # leaves its loader on the scored shard
    with torch.amp.autocast(device_type='cuda', dtype=torch.bfloat16):
        return texts.code.evaluate_bpb(model, texts.tokenizer(), 8)


def by_evaluator(artifact):
    """Bits per byte by the task's evaluator, which asks two servers one after the other."""
    env = {**os.environ, 'ASSAY_ARTIFACT': str(artifact), 'ASSAY_DATA': str(work / 'data/search'), 'PYTHONPATH': str(kit)}
    result, told = os.pipe()
    pipes = [(os.pipe(), os.pipe()) for _ in range(2)]
    env['ASSAY_RESULT_FD'], lent = str(told), [told]
    for name, ((_, asks), (hears, _)) in zip(('SERVER', 'TWIN'), pipes):
        env.update({f'ASSAY_{name}_IN_FD': str(asks), f'ASSAY_{name}_OUT_FD': str(hears)})
        lent += [asks, hears]
    judge = subprocess.Popen([sys.executable, task / 'evaluator/evaluate.py'], env=env, pass_fds=lent)
    for descriptor in lent:
        os.close(descriptor)
    for (asked, _), (_, answers) in pipes:
        subprocess.run([sys.executable, task / 'recipe/train.py', '--serve'], env=env, stdin=asked, stdout=answers, check=True)
        os.close(asked)
        os.close(answers)
    with os.fdopen(result) as file:
        evaluation = json.load(file)
    judge.wait()
    return evaluation['metrics']['val_bpb']


texts = prepare()
artifact = train()
theirs, ours = by_upstream(texts, artifact), by_evaluator(artifact)
print(f'upstream {theirs:.9f}, evaluator {ours:.9f} bits/byte: {abs(theirs - ours):.2g} apart')
sys.exit(not math.isclose(theirs, ours, rel_tol=0, abs_tol=1e-5))
