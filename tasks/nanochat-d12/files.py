"""Files of prepared data: whole or not there, so that a preparation that is cut goes on behind the last of them."""
import json
import os

import numpy as np


def store(path, content):
    """Writes an array as its bytes, anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + '.partial')
    with open(partial, 'wb') as file:
        if isinstance(content, np.ndarray):
            content.tofile(file)
        else:
            file.write(json.dumps(content, indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    print(f'{path.parent.name}/{path.name}: {path.stat().st_size} bytes', flush=True)


def store_rows(folder, rows, sizes):
    """What bits per byte are counted on: rows of tokens, and how many bytes each token stands for."""
    store(folder / 'rows.u16', rows.astype('<u2'))
    store(folder / 'token_bytes.u16', sizes.astype('<u2'))


class CoreFiles:
    """Items of CORE as evaluator/core.py reads them."""

    def __init__(self):
        self.tasks, self.tokens, self.sequences, self.items = [], [], [], []
        self.size = 0

    def begin(self, label, kind, baseline):
        """`kind`: choice, or continue; `baseline`: the accuracy of chance, 0 to 1."""
        self.tasks.append({'label': label, 'kind': kind, 'baseline': baseline, 'items': 0})

    def add(self, options, right):
        """An item: sequences of tokens, each with the place of its first token that counts."""
        self.items.append((len(self.sequences), len(options), right))
        for tokens, first in options:
            if first < 1:
                raise ValueError(f'{self.tasks[-1]["label"]}: a sequence counts from its first token, which nothing precedes')
            self.tokens.append(np.asarray(tokens, '<u2'))
            self.sequences.append((self.size, self.size + len(tokens), first))
            self.size += len(tokens)
        self.tasks[-1]['items'] += 1

    def store(self, folder):
        store(folder / 'core_tokens.u16', np.concatenate(self.tokens))
        store(folder / 'core_sequences.u32', np.array(self.sequences, '<u4'))
        store(folder / 'core_items.u32', np.array(self.items, '<u4'))
        store(folder / 'core.json', self.tasks)
