"""From the shards of climbmix-400b-shuffle to tokens: tokenizer and scored rows are made by upstream's code, as it is."""
import base64
import importlib
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np

from assay_prepare import download
from files import store, store_rows

# upstream takes the head of the data set; this revision of it has all shards, and cannot change
REVISION = '915333b4f8b8684f39aeaafea600fea6f43fb703'
ADDRESS = f'https://huggingface.co/datasets/karpathy/climbmix-400b-shuffle/resolve/{REVISION}/shard_{{:05d}}.parquet'
VALIDATION = 6542  # what upstream scores: the last shard that there is, whichever of the others are
SCORED = {'search': VALIDATION, 'claim': 6541}
OF_TOKENIZER = range(8)  # shards that hold the two billion characters
MOST_CHARACTERS, OF_DOCUMENT = 2_000_000_000, 10_000


class Corpus:
    """The texts below a work folder. What is there already is not made again."""

    def __init__(self, work, vocab=32768, length=2049):
        self.work, self.vocab, self.length = work, vocab, length
        os.environ['NANOCHAT_BASE_DIR'] = str(work)
        sys.path.insert(0, str(Path(__file__).parent / 'upstream'))
        self.code = {name: importlib.import_module(f'nanochat.{name}') for name in ('dataset', 'dataloader', 'tokenizer')}
        self.tokenizer = None

    def bring(self, shard, folder):
        path = self.work / folder / f'shard_{shard:05d}.parquet'
        if not path.is_file():
            download(ADDRESS.format(shard), path)
        return path

    def train_tokenizer(self, path):
        """The tokenizer as JSON at `path`: the bytes of each token in the order of its rank. A pickle is never read."""
        if not path.is_file():
            for shard in [*OF_TOKENIZER, VALIDATION]:
                self.bring(shard, 'tokenizer')
            self.code['dataset'].DATA_DIR = str(self.work / 'tokenizer')
            trained = self.code['tokenizer'].RustBPETokenizer.train_from_iterator(self.some_text(), self.vocab).enc
            if trained.n_vocab != self.vocab:
                raise ValueError(f'the texts give {trained.n_vocab} tokens, and the model has {self.vocab}: they are too few')
            ranks = [trained.decode_single_token_bytes(token) for token in range(trained.n_vocab - len(trained.special_tokens_set))]
            special = sorted(trained.special_tokens_set, key=trained.encode_single_token)
            store(path, {'pattern': trained._pat_str, 'ranks': [base64.b64encode(one).decode() for one in ranks], 'special': special})
        self.tokenizer = self.read_tokenizer(path)

    def some_text(self):
        """Documents of the shards of training in their order, cut, up to the number of characters that upstream takes."""
        characters = 0
        for texts in self.code['dataset'].parquets_iter_batched(split='train'):
            for text in texts:
                characters += len(text[:OF_DOCUMENT])
                yield text[:OF_DOCUMENT]
                if characters > MOST_CHARACTERS:
                    return

    def read_tokenizer(self, path):
        import tiktoken
        told = json.loads(path.read_text())
        ranks = {base64.b64decode(one): rank for rank, one in enumerate(told['ranks'])}
        special = {name: len(ranks) + at for at, name in enumerate(told['special'])}
        encoding = tiktoken.Encoding(name='nanochat', pat_str=told['pattern'], mergeable_ranks=ranks, special_tokens=special)
        return self.code['tokenizer'].RustBPETokenizer(encoding, '<|bos|>')

    def token_bytes(self):
        """How many bytes each token stands for, as upstream counts them; 0 for special ones."""
        special = self.tokenizer.get_special_tokens()
        texts = [self.tokenizer.decode([token]) for token in range(self.tokenizer.get_vocab_size())]
        return np.array([0 if text in special else len(text.encode()) for text in texts])

    def store_training(self, shard, folder):
        """Writes the documents of a shard as tokens."""
        tokens_path, starts_path = folder / f'tokens_{shard:05d}.u16', folder / f'documents_{shard:05d}.u64'
        if tokens_path.is_file() and starts_path.is_file():
            return
        path = self.bring(shard, 'training')
        documents = list(self.documents(path))
        store(starts_path, np.cumsum([0, *map(len, documents)]).astype('<u8'))
        store(tokens_path, np.concatenate(documents))
        path.unlink()

    def documents(self, path):
        import pyarrow.parquet
        file = pyarrow.parquet.ParquetFile(path)
        for group in range(file.num_row_groups):
            texts = file.read_row_group(group).column('text').to_pylist()
            for tokens in self.tokenizer.encode(texts, prepend='<|bos|>', num_threads=os.cpu_count()):
                yield np.array(tokens, '<u2')

    def store_scored(self, part, count, folder):
        """Writes the first rows that upstream's loader lays of a scored shard, as one process lays them."""
        if (folder / 'token_bytes.u16').is_file():
            return
        self.bring(SCORED[part], part)
        self.code['dataset'].DATA_DIR = str(self.work / part)
        loader = self.code['dataloader'].tokenizing_distributed_data_loader_bos_bestfit(
            self.tokenizer, 1, self.length - 1, 'val', device='cpu')
        rows = np.empty((count, self.length), '<u2')
        for row in rows:
            inputs, targets = next(loader)
            row[:-1], row[-1] = inputs[0].numpy(), targets[0, -1]
        store_rows(folder, rows, self.token_bytes())

    def remove(self):
        """Removes the work folder: downloads are kept elsewhere, by assay."""
        shutil.rmtree(self.work)
