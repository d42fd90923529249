"""Made-up data of the profile `ci`: a chain in which each token has eight likely successors, and questions about it."""
import hashlib
import hmac

import numpy as np

from files import CoreFiles, store, store_rows

VOCAB, LENGTH, RESERVED = 512, 65, 9  # the first of the reserved tokens begins a document, as in the real tokenizer
TRAIN_TOKENS, ROWS, QUESTIONS = 200_000, {'search': 64, 'claim': 128}, {'search': 24, 'claim': 40}
SHARE = np.arange(8, 0, -1) ** 2.0
SHOTS = 2


class Chain:
    def __init__(self, secret):
        seed = hmac.new(secret, b'nanochat-d12/1/made-up', hashlib.sha256).digest()
        self.rng = np.random.default_rng(int.from_bytes(seed, 'little'))
        self.words = VOCAB - RESERVED
        self.likely = self.rng.integers(0, self.words, (self.words + 1, 8))  # the last row: after the beginning

    def after(self, last, count):
        tokens = []
        for at in self.rng.choice(8, count, p=SHARE / SHARE.sum()):
            last = self.likely[last, at]
            tokens.append(int(last))
        return tokens

    def document(self):
        return [self.words, *self.after(self.words, self.rng.integers(20, 200))]

    def row(self):
        row = self.document()
        while len(row) < LENGTH:
            row += self.document()
        return row[:LENGTH]

    def unlikely(self, count):
        return self.rng.integers(0, self.words, count).tolist()

    def likeliest(self, last, count):
        tokens = []
        for _ in range(count):
            last = self.likely[last, 0]
            tokens.append(int(last))
        return tokens


def questions(chain, count):
    """Items of three tasks, of the kinds that CORE has, with answered ones before them as examples."""
    core = CoreFiles()
    core.begin('next', 'choice', 0.5)
    asked = [chain.after(chain.words, 4) for _ in range(count)]
    answers = [chain.after(query[-1], 3) for query in asked]
    right = chain.rng.integers(0, 2, count)
    for at in range(count):
        others = [chain.rng.integers(0, count) for _ in range(SHOTS)]
        before = [chain.words, *(token for other in others if other != at for token in [*asked[other], *answers[other]]), *asked[at]]
        options = [answers[at], chain.unlikely(3)]
        core.add([([*before, *options[which ^ int(right[at])]], len(before)) for which in (0, 1)], int(right[at]))
    core.begin('context', 'choice', 0.5)
    for _ in range(count):
        context, gold = chain.after(chain.words, 5), int(chain.rng.integers(0, 2))
        ending = chain.after(context[-1], 2)
        options = [[chain.words, *context, *ending], [chain.words, *chain.unlikely(4), *ending]]
        core.add([(options[which ^ gold], len(options[which ^ gold]) - 2) for which in (0, 1)], gold)
    core.begin('continue', 'continue', 0.0)
    for _ in range(count):
        context = [chain.words, *chain.after(chain.words, 6)]
        core.add([([*context, *chain.likeliest(context[-1], int(chain.rng.integers(1, 3)))], len(context))], 0)
    return core


def make_up(output, secret):
    chain = Chain(secret)
    documents, total = [], 0
    while total < TRAIN_TOKENS:
        documents.append(np.array(chain.document(), '<u2'))
        total += len(documents[-1])
    store(output / 'train/tokens_00000.u16', np.concatenate(documents))
    store(output / 'train/documents_00000.u64', np.cumsum([0, *map(len, documents)]).astype('<u8'))
    sizes = np.concatenate([chain.rng.integers(1, 7, chain.words), np.zeros(RESERVED, int)])
    for part, count in ROWS.items():
        store_rows(output / part, np.array([chain.row() for _ in range(count)]), sizes)
        questions(chain, QUESTIONS[part]).store(output / part)
