"""From the shards of climbmix-400b-shuffle to tokens: tokenizer, documents and scored rows are made by upstream's code.

upstream/prepare.py is the pinned file, as it is: it trains the tokenizer, tokenizes, and lays documents into rows. It asks
for an accelerator in two places, where it buffers a batch; it gets the CPU there, since preparing a host takes no lease.
"""
import importlib.util
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import torch

from assay_prepare import download

# upstream takes the head of the data set; this revision of it has all shards, and cannot change
REVISION = '915333b4f8b8684f39aeaafea600fea6f43fb703'
ADDRESS = f'https://huggingface.co/datasets/karpathy/climbmix-400b-shuffle/resolve/{REVISION}/shard_{{:05d}}.parquet'
TRAIN = range(10)
# part: shard, rows. Upstream scores 10,240 rows of shard 6542 after each run; the search scores the first half of these.
SCORED = {'search': (6542, 5120), 'claim': (6541, 10240)}


class WithoutAccelerator(types.SimpleNamespace):
    """torch, but its buffers lie in the CPU's ordinary memory."""

    def __getattr__(self, name):
        return getattr(torch, name)

    def empty(self, *shape, pin_memory=False, device=None, **more):
        return torch.empty(*shape, **more)


def upstream():
    spec = importlib.util.spec_from_file_location('upstream_prepare', Path(__file__).parent / 'upstream/prepare.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.torch = WithoutAccelerator()
    return module


class Shards:
    """The texts below a work folder; each step leaves what it made there, and is not repeated."""

    def __init__(self, work):
        self.work = work
        self.code = upstream()
        self.code.TOKENIZER_DIR = str(work / 'tokenizer')

    def path(self, shard):
        # scored shards lie apart: the tokenizer is trained on all that is in the folder of training
        return self.work / ('train' if shard in TRAIN else 'scored') / f'shard_{shard:05d}.parquet'

    def bring(self):
        for shard in [*TRAIN, *(shard for shard, _ in SCORED.values())]:
            download(ADDRESS.format(shard), self.path(shard))
        self.code.DATA_DIR = str(self.work / 'train')
        self.code.train_tokenizer()

    def tokenizer(self):
        return self.code.Tokenizer.from_directory(self.code.TOKENIZER_DIR)

    def token_bytes(self):
        return self.code.get_token_bytes().numpy()

    def store_training(self, folder):
        """Writes the documents of all training shards, in their order."""
        from prepare import store
        tokenizer, parts = self.tokenizer(), []
        for shard in TRAIN:
            done = self.work / f'tokens_{shard:05d}.npz'
            if not done.is_file():
                documents = list(self.documents(shard, tokenizer))
                lengths = np.array(list(map(len, documents)))
                partial = done.with_name('partial.npz')
                np.savez(partial, tokens=np.concatenate(documents), lengths=lengths)
                partial.replace(done)
                print(f'shard {shard}: {lengths.sum()} tokens', flush=True)
            with np.load(done) as part:
                parts.append((part['tokens'], part['lengths']))
        store(folder / 'tokens.u16', np.concatenate([tokens for tokens, _ in parts]))
        store(folder / 'documents.u64', np.concatenate([[0], *(lengths for _, lengths in parts)]).cumsum().astype('<u8'))

    def documents(self, shard, tokenizer):
        file = self.code.pq.ParquetFile(self.path(shard))
        for group in range(file.num_row_groups):
            texts = file.read_row_group(group).column('text').to_pylist()
            for tokens in tokenizer.encode(texts, prepend=tokenizer.get_bos_token_id()):
                yield np.array(tokens, '<u2')

    def rows(self, shard, count):
        """uint16 [count, length]: the first rows that upstream's loader lays of a shard."""
        path = self.path(shard)
        self.code.DATA_DIR, self.code.VAL_FILENAME = str(path.parent), path.name
        loader = self.code.make_dataloader(self.tokenizer(), 1, self.code.MAX_SEQ_LEN, 'val')
        laid = np.empty((count, self.code.MAX_SEQ_LEN + 1), '<u2')
        for row in laid:
            inputs, targets, _ = next(loader)
            row[:-1], row[-1] = inputs[0].numpy(), targets[0, -1]
        return laid

    def remove(self):
        """Removes the work folder: downloads are kept elsewhere, by assay."""
        shutil.rmtree(self.work)
