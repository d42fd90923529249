"""Writes texts and questions of nanochat-d12, as tokens, into ASSAY_OUTPUT.

    train/tokens_NNNNN.u16      documents of a shard one after the other, each of which begins with <|bos|>
    train/documents_NNNNN.u64   where each begins, and where the last ends
    train/tokenizer.json        what the tokens stand for
    search/, claim/             for the evaluator: rows.u16 [rows, length] and token_bytes.u16 for bits per byte, and CORE
                                as evaluator/core.py reads it

The texts are shards of karpathy/climbmix-400b-shuffle, the questions a bundle that nanochat publishes; see corpus.py and
bundle.py. The profile `ci` downloads nothing and makes everything up from ASSAY_DATA_SECRET.
"""
import os
import sys
from pathlib import Path

from assay_prepare import write_manifest

# profile: shards of training; rows of text, and items of each task of CORE (None: all), of the search and of a claim
SIZES = {
    'paper': (64, {'search': (20480, 500), 'claim': (20480, None)}),
    'ninety-minutes': (400, {'search': (20480, 500), 'claim': (20480, None)}),
    'one-gpu': (10, {'search': (1024, 20), 'claim': (4096, 500)}),
}


def bring(output, shards, scored):
    from bundle import Bundle
    from corpus import Corpus
    work = output / 'work'
    corpus = Corpus(work)
    corpus.train_tokenizer(output / 'train/tokenizer.json')
    for shard in range(shards):
        corpus.store_training(shard, output / 'train')
    bundle = Bundle(work)
    for part, (rows, items) in scored.items():
        corpus.store_scored(part, rows, output / part)
        if not (output / part / 'core.json').is_file():
            bundle.bring()
            bundle.core(corpus.tokenizer, items).store(output / part)
    corpus.remove()


def main():
    output, profile = Path(os.environ['ASSAY_OUTPUT']), os.environ.get('ASSAY_PROFILE')
    if profile == 'ci':
        from made_up import make_up
        make_up(output, bytes.fromhex(os.environ['ASSAY_DATA_SECRET']))
    else:
        bring(output, *SIZES[profile])
    write_manifest(output)


if __name__ == '__main__':
    sys.exit(main())
