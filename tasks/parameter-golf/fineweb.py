"""The published texts of the challenge: shards of tokens of FineWeb, the validation text and its tokenizer.

Upstream names a repository of data without a revision, and tells no checksums: those of the first preparation are
recorded and checked afterwards. Headers and sizes of all shards are checked here.
"""
import os

import numpy as np

from assay_prepare import download

ADDRESS = 'https://huggingface.co/datasets/kevclark/parameter-golf/resolve/main/datasets/'
SHARD = 'datasets/fineweb10B_sp8192/fineweb_{}_{:06d}.bin'
TOKENIZER = 'tokenizers/fineweb_8192_bpe.model'
VOCAB, CHUNK = 8192, 32768
# profile: shards of training, chunks that the search scores, and that claims score (None: all that there are)
SIZES = {'paper': (128, 619, None), 'one-gpu': (6, 77, 154)}
ROW = 2048  # upstream scores a multiple of it


def prepare(output, profile):
    shards, searched, claimed = SIZES[profile]
    for number in range(shards):
        path = output / 'train' / f'fineweb_train_{number:06d}.bin'
        if not path.is_file():
            download(ADDRESS + SHARD.format('train', number), path)
        count_of(path)
    work = output / 'work'
    download(ADDRESS + SHARD.format('val', 0), work / 'validation.bin')
    download(ADDRESS + TOKENIZER, work / 'tokenizer.model')
    store_scored_parts(output, work, searched, claimed)
    for path in work.iterdir():
        path.unlink()
    work.rmdir()


def store_scored_parts(output, work, searched, claimed):
    from prepare import store_scored
    text = tokens_of(work / 'validation.bin')
    rows = (len(text) - 1) // ROW * ROW
    sizes = sizes_of(work / 'tokenizer.model')
    if len(sizes[0]) != VOCAB:
        raise SystemExit(f'the tokenizer has {len(sizes[0])} tokens, and the shards are of one with {VOCAB}')
    store_scored(output / 'search', text[:searched * CHUNK + 1], sizes)
    store_scored(output / 'claim', text[:min(rows, (claimed or rows) * CHUNK) + 1], sizes)


def count_of(path):
    """Number of tokens of a shard; ends where it is none, or not whole."""
    from prepare import HEADER, MAGIC, VERSION
    header = np.fromfile(path, '<i4', HEADER)
    if len(header) != HEADER or header[0] != MAGIC or header[1] != VERSION:
        raise SystemExit(f'{path.name} is no shard of tokens: its header is not 20240520, 1')
    if path.stat().st_size != 4 * HEADER + 2 * int(header[2]):
        raise SystemExit(f'{path.name} has {path.stat().st_size} bytes, and its header announces {header[2]} tokens: remove it, '
                         f'and what ASSAY_DOWNLOADS ({os.environ.get("ASSAY_DOWNLOADS")}) keeps of it, and prepare again')
    return int(header[2])


def tokens_of(path):
    from prepare import HEADER
    count = count_of(path)
    return np.fromfile(path, '<u2', count, offset=4 * HEADER)


def sizes_of(model):
    """Of each token of a tokenizer: its bytes without a leading space, whether it has one, and whether it ends a text."""
    import sentencepiece
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
    count = pieces.vocab_size()
    base, space, boundary = np.zeros(count, int), np.zeros(count, bool), np.zeros(count, bool)
    for token in range(count):
        if pieces.is_control(token) or pieces.is_unknown(token) or pieces.is_unused(token):
            boundary[token] = True
        elif pieces.is_byte(token):
            base[token] = 1
        else:
            piece = pieces.id_to_piece(token)
            space[token] = piece.startswith('▁')
            base[token] = len(piece.removeprefix('▁').encode())
    return base, space, boundary
