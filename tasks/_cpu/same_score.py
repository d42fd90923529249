"""Compares what the evaluator of autoresearch answers with upstream's own evaluate_bpb: same_score.py TASK WORK KIT

TASK is the task folder with its upstream files in place. A toy is trained on text of this machine, prepared by the task's own
shards.py; then it is scored twice, by upstream's function in one process and by assay's evaluator through two servers. Needs
torch, pyarrow, rustbpe, tiktoken and requests. Exits with 1 where the scores differ by more than 1e-5 bits/byte.
"""
import glob
import math
import os
import random
import sys
from pathlib import Path

import by_servers

task, work, kit = map(lambda path: Path(path).resolve(), sys.argv[1:4])
LENGTH, VOCAB, ROWS = 65, 512, 64
os.environ.update(ASSAY_PROFILE='ci', ASSAY_MIRROR=str(work / 'mirror'), ASSAY_DOWNLOADS=str(work / 'downloads'), OMP_NUM_THREADS='1')
sys.path[:0] = [str(task), str(kit)]


def write_shards(address, names):
    """Shards of text of this machine, below the mirror by the paths of their addresses."""
    import pyarrow
    import pyarrow.parquet
    files = sorted(glob.glob('/usr/share/common-licenses/*') + glob.glob('/usr/lib/python3*/*.py'))[:120]
    parts = [part.strip() for file in files for part in Path(file).read_text(errors='replace').split('\n\n')]
    documents = [part for part in parts if len(part) > 100]
    random.Random(0).shuffle(documents)
    for at, name in enumerate(names):
        table = pyarrow.table({'text': documents[at::len(names)]})
        path = work / 'mirror' / address.format(name).split('://')[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(table, path, row_group_size=64)


def prepare():
    """Tokens and rows at toy size, by the task's own code; returns its shards."""
    import prepare
    import shards
    write_shards(shards.ADDRESS, [*shards.TRAIN, 6541, 6542])
    texts = shards.Shards(work / 'data/work')
    texts.code.MAX_SEQ_LEN, texts.code.VOCAB_SIZE, texts.code.EVAL_TOKENS = LENGTH - 1, VOCAB, ROWS * (LENGTH - 1)
    texts.bring()
    texts.store_training(work / 'data/train')
    prepare.store_part(work / 'data/search', texts.rows(6542, ROWS), texts.token_bytes())
    return texts


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


texts = prepare()
artifact = by_servers.train(task / 'recipe', ['train.py'], work, seconds=6)
theirs = by_upstream(texts, artifact)
ours = by_servers.evaluate(task, ['train.py', '--serve'], artifact, work / 'data/search', kit)['val_bpb']
print(f'upstream {theirs:.9f}, evaluator {ours:.9f} bits/byte: {abs(theirs - ours):.2g} apart')
sys.exit(not math.isclose(theirs, ours, rel_tol=0, abs_tol=1e-5))
