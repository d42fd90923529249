"""Tries programs of tasks/nanochat-d12 that need no torch, and prints what came of it: nanochat_checks.py TASK RECIPE

RECIPE is a folder with the task's coordinator, and with small train.py and serve.py in place of upstream's.
"""
import json
import os
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import numpy as np

task, recipe = map(Path, sys.argv[1:3])
sys.path[:0] = [str(task), str(task / 'evaluator'), str(recipe)]
sys.dont_write_bytecode = True
work = Path(tempfile.mkdtemp())
VOCAB = 512


def framed(header, payload=b''):
    text = json.dumps({**header, 'bytes': len(payload)}).encode()
    return len(text).to_bytes(4, 'little') + text + payload


def requests():
    rng = np.random.default_rng(3)
    yield framed({'type': 'hello', 'protocol': 2, 'vocab': VOCAB})
    for rows in (7, 2, 1):
        tokens = rng.integers(0, VOCAB, (rows, 9)).astype('<u2')
        spans = np.stack([rng.integers(1, 4, rows), rng.integers(5, 10, rows)], 1).astype('<u4')
        shape = {'rows': rows, 'length': 9, 'id': rows}
        yield framed({'type': 'rows', **shape}, tokens.tobytes() + spans.tobytes())
        yield framed({'type': 'blinds', **shape}, tokens.tobytes() + spans[:, 1].tobytes())
        yield framed({'type': 'greedy', **shape}, tokens.tobytes() + spans[:, 0].tobytes())
    yield framed({'type': 'bye'})


def served(devices):
    """What comes from the servers of so many accelerators, byte for byte."""
    rng = np.random.default_rng(4)
    artifact = work / 'artifact'
    artifact.mkdir(exist_ok=True)
    rng.integers(0, 9, (VOCAB, VOCAB)).astype('<f4').tofile(artifact / 'model.pt')
    (artifact / 'config.json').write_text('{"smoothing": 0.05}')
    env = {**os.environ, 'CUDA_VISIBLE_DEVICES': devices, 'ASSAY_ARTIFACT': str(artifact)}
    run = subprocess.run([sys.executable, 'coordinator.py', 'serve'], cwd=recipe, env=env, input=b''.join(requests()),
                         stdout=subprocess.PIPE, timeout=60, check=True)
    return run.stdout


RANK = '''
import os, sys, time
rank, behaviour = os.environ.get('RANK', 'alone'), os.environ['BEHAVIOUR']
if rank in ('0', 'alone'):
    os.write(int(os.environ['ASSAY_SIGNAL_FD']), b'ready\\n')
    assert os.read(int(os.environ['ASSAY_GO_FD']), 3) == b'go\\n'
open(os.path.join(os.environ['ASSAY_OUTPUT'], rank), 'w').write(' '.join([os.environ.get('WORLD_SIZE', '1'), *sys.argv[1:]]))
if behaviour == 'fails' and rank == '1': sys.exit(7)
if behaviour == 'fails': time.sleep(60)
'''


def trained(devices, behaviour='ends'):
    """How a training ends that is made of ranks which only say that they were there."""
    folder = Path(tempfile.mkdtemp(dir=work))
    (folder / 'out').mkdir()
    for name in ('coordinator.py', 'frames.py', 'settings.py'):
        (folder / name).write_bytes((recipe / name).read_bytes())
    (folder / 'train.py').write_text(RANK)
    said, say = os.pipe()
    hear, answer = os.pipe()
    os.write(answer, b'go\n')
    env = {**os.environ, 'CUDA_VISIBLE_DEVICES': devices, 'ASSAY_OUTPUT': str(folder / 'out'), 'BEHAVIOUR': behaviour,
           'ASSAY_SIGNAL_FD': str(say), 'ASSAY_GO_FD': str(hear)}
    run = subprocess.run([sys.executable, 'coordinator.py', 'train'], cwd=folder, env=env, pass_fds=(say, hear), timeout=30)
    os.close(say)
    told = {path.name: path.read_text().split() for path in (folder / 'out').iterdir()}
    return {'status': run.returncode, 'said': os.read(said, 100).decode(), 'ranks': sorted(told),
            'world': sorted({words[0] for words in told.values()}), 'arguments': len(next(iter(told.values()))) - 1}


def core():
    """CORE of three tasks that are written as the preparation does, and read as the evaluator does."""
    from core import Core
    from files import CoreFiles
    files = CoreFiles()
    files.begin('options', 'choice', 0.25)
    for gold in (0, 1, 1, 0):
        files.add([([5, 6, 7], 1), ([5, 8], 1)], gold)
    files.begin('prompts', 'continue', 0.0)
    for _ in range(2):
        files.add([([5, 6, 7, 8], 3)], 0)
    files.begin('more', 'choice', 0.5)
    files.add([([1, 2], 1), ([1, 3], 1), ([1, 4], 1)], 2)
    files.store(work / 'core')
    read = Core(work / 'core')
    prompts, continuations = read.continuations()
    accuracies = read.accuracies([0, 1, 0, 1, 2], [True, False])
    return {'options': [[(row.tolist(), first) for row, first in item] for item in read.choices()][-1],
            'prompts': [row.tolist() for row in prompts], 'continuations': [row.tolist() for row in continuations],
            'accuracies': accuracies, 'metric': read.metric(accuracies)}


def missing_validation():
    """What a preparation comes to when the last shard is not to be had, in place of which upstream would take another."""
    def download(url, to, sha256=None):
        if '06542' in url:
            raise RuntimeError(f'{url} cannot be downloaded')
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(b'')
    modules = {'assay_prepare': types.SimpleNamespace(download=download, write_manifest=None)}
    for name in ('dataset', 'dataloader', 'tokenizer'):
        modules[f'nanochat.{name}'] = types.ModuleType(f'nanochat.{name}')
    sys.modules.update(modules, nanochat=types.ModuleType('nanochat'))
    import corpus
    try:
        corpus.Corpus(work / 'corpus').train_tokenizer(work / 'tokenizer.json')
    except RuntimeError as error:
        return {'reason': str(error), 'tokenizer': (work / 'tokenizer.json').exists(), 'scored': corpus.SCORED}


one = served('0')
sys.stdout.write('\n' + json.dumps({
    'bytes': len(one), 'same': [served('0,1') == one, served('a,b,c,d') == one],
    'alone': trained('0'), 'two': trained('0,1'), 'failing': trained('0,1,2', 'fails'), 'core': core(), 'missing': missing_validation()}))
