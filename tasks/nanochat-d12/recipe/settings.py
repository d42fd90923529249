"""What the start of nanochat-d12 trains with: the arguments of train.py."""
import os

DEPTH = int(os.environ.get('NANOCHAT_DEPTH', 12))
ASPECT_RATIO = 64  # width of the model over its depth
HEAD_DIM = 128
MAX_SEQ_LEN = 2048  # of a row of training; scored rows have as many
VOCAB_SIZE = 32768  # of the tokenizer that the data were prepared with
WINDOW_PATTERN = os.environ.get('NANOCHAT_WINDOW_PATTERN', 'SSSL')  # L: full context, S: a part of it
DEVICE_BATCH_SIZE = int(os.environ.get('NANOCHAT_DEVICE_BATCH_SIZE', 32))  # rows of an accelerator at once
TOTAL_BATCH_SIZE = -1  # tokens of a step; -1: by the size of the model, 2^19 at depth 12

EMBEDDING_LR = 0.3  # knob: 0.05..1 log
UNEMBEDDING_LR = 0.008  # knob: 0.001..0.04 log
MATRIX_LR = 0.02  # knob: 0.005..0.08 log
SCALAR_LR = 0.5  # knob: 0.1..2 log
WEIGHT_DECAY = 0.28  # knob: 0..1
WARMUP_STEPS = 40  # knob: 0..400
WARMDOWN_RATIO = 0.65  # knob: 0.1..1
FINAL_LR_FRAC = 0.05  # knob: 0..0.3
TRAIN_SHARE = 0.97  # of the budget, for steps; loading and saving have the rest

if os.environ.get('ASSAY_PROFILE') == 'ci':  # toy sizes for a CPU
    DEPTH, ASPECT_RATIO, HEAD_DIM, MAX_SEQ_LEN, VOCAB_SIZE = 2, 16, 16, 64, 512
    DEVICE_BATCH_SIZE, TOTAL_BATCH_SIZE, WARMUP_STEPS, TRAIN_SHARE = 8, 512, 5, 0.9


def arguments():
    """The arguments as train.py takes them."""
    given = {
        'depth': DEPTH, 'aspect-ratio': ASPECT_RATIO, 'head-dim': HEAD_DIM, 'max-seq-len': MAX_SEQ_LEN,
        'vocab-size': VOCAB_SIZE, 'window-pattern': WINDOW_PATTERN, 'device-batch-size': DEVICE_BATCH_SIZE,
        'total-batch-size': TOTAL_BATCH_SIZE, 'embedding-lr': EMBEDDING_LR, 'unembedding-lr': UNEMBEDDING_LR,
        'matrix-lr': MATRIX_LR, 'scalar-lr': SCALAR_LR, 'weight-decay': WEIGHT_DECAY, 'warmup-steps': WARMUP_STEPS,
        'warmdown-ratio': WARMDOWN_RATIO, 'final-lr-frac': FINAL_LR_FRAC, 'train-share': TRAIN_SHARE,
    }
    return [f'--{name}={value}' for name, value in given.items()]
