"""Compares what the evaluator of parameter-golf answers with upstream's own evaluation: same_score_golf.py TASK WORK KIT

TASK is the task folder with its recipe in place, and upstream's unpacked files before our change in `upstream`. A toy is trained and packed on text
of this machine, with a tokenizer of its own; then the same artifact is scored by upstream's functions in one process and by assay's
evaluator through two servers, with learning from scored text and without. Needs torch, sentencepiece and brotli. Exits with 1 where
the scores differ by more than 1e-7 bits/byte.
"""
import glob
import importlib.util
import os
import random
import subprocess
import sys
import types
from pathlib import Path

import numpy as np

import by_servers

task, work, kit = map(lambda path: Path(path).resolve(), sys.argv[1:4])
VOCAB, CHUNK, ROW = 1024, 1024, 64
# the last chunk is not whole, nor is the last row of what is there
SCORED = 4 * CHUNK + 5 * ROW + 11
SIZES = {
    'VOCAB_SIZE': VOCAB, 'NUM_LAYERS': 4, 'XSA_LAST_N': 4, 'MODEL_DIM': 128, 'EMBEDDING_DIM': 128, 'NUM_HEADS': 4, 'NUM_KV_HEADS': 2,
    'MLP_MULT': 5, 'NUM_LOOPS': 1, 'LOOP_START': 1, 'LOOP_END': 2, 'PARALLEL_RESIDUAL_START': 2, 'TRAIN_SEQ_LEN': ROW,
    'TRAIN_BATCH_TOKENS': 1024, 'WARMUP_STEPS': 1, 'MUON_MOMENTUM_WARMUP_STEPS': 10, 'EMA_DECAY': 0.6, 'GPTQ_CALIBRATION_BATCHES': 2,
    'EVAL_SEQ_LEN': ROW, 'EVAL_STRIDE': 16, 'TTT_LR': 0.005, 'TTT_EPOCHS': 2, 'ITERATIONS': 40, 'RESERVE_SECONDS': 0,
}
os.environ.update({name: str(value) for name, value in SIZES.items()}, CUDA_ON_CPU_FLOAT32='1', ASSAY_PROFILE='ci', ASSAY_SEED='7',
                  OMP_NUM_THREADS='1', TTT_CHUNK_TOKENS=str(CHUNK), COMPRESSOR='brotli')
sys.path[:0] = [str(task), str(kit)]


def prepare():
    """Shards, tokenizer and scored text at toy size, by the task's own code."""
    import sentencepiece
    import fineweb
    from prepare import store_shard
    files = sorted(glob.glob('/usr/share/common-licenses/*') + glob.glob('/usr/lib/python3*/*.py'))[:120]
    texts = [part.strip() for file in files for part in Path(file).read_text(errors='replace').split('\n\n') if len(part) > 100]
    random.Random(0).shuffle(texts)
    raw = work / 'raw'
    raw.mkdir(parents=True, exist_ok=True)
    (raw / 'corpus.txt').write_text('\n'.join(texts))
    sentencepiece.SentencePieceTrainer.train(
        input=str(raw / 'corpus.txt'), model_prefix=str(raw / 'tokenizer'), vocab_size=VOCAB, model_type='bpe', byte_fallback=True,
        bos_id=1, eos_id=2, minloglevel=2, max_sentence_length=100_000)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(raw / 'tokenizer.model'))
    tokens = np.array([token for text in texts for token in (1, *pieces.encode(text))], '<u2')
    store_shard(raw / 'validation.bin', tokens[:SCORED])
    for number, part in enumerate(np.array_split(tokens[SCORED:], 2)):
        store_shard(work / f'data/train/fineweb_train_{number:06d}.bin', part)
    fineweb.VOCAB, fineweb.CHUNK, fineweb.ROW = VOCAB, CHUNK, ROW
    fineweb.store_scored_parts(work / 'data', raw, 2, None)


def make_artifact():
    left = by_servers.train(task / 'recipe', ['train_gpt.py'], work, seconds=120)
    packed = work / 'packed'
    packed.mkdir(exist_ok=True)
    env = {'ASSAY_DATA': str(work / 'data/train'), 'ASSAY_INPUT': str(left), 'ASSAY_OUTPUT': str(packed)}
    subprocess.run([sys.executable, 'pack_gpt.py'], cwd=task / 'recipe', env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
    return packed


def upstream_module():
    """Upstream's file, to which attention is PyTorch's."""
    from torch.nn.functional import scaled_dot_product_attention

    def attend(q, k, v, causal):
        q, k, v = (t.transpose(1, 2) for t in (q, k, v))
        return scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True).transpose(1, 2)
    sys.modules['flash_attn_interface'] = types.SimpleNamespace(flash_attn_func=attend)
    spec = importlib.util.spec_from_file_location('upstream', task / 'upstream/recipe/train_gpt.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_upstream(code, artifact, learns):
    """Bits per byte by the pinned eval_val_ttt, or eval_val_sliding, of the artifact as upstream reads it."""
    import torch
    h, device = code.Hyperparameters(), torch.device('cuda')
    h.quantized_model_path = str(artifact / 'model.ptz')
    h.val_files, h.tokenizer_path = str(work / 'raw/validation.bin'), str(work / 'raw/tokenizer.model')
    model = code.deserialize(h, device)
    model.looping_active = True
    score = code.eval_val_ttt if learns else code.eval_val_sliding
    return score(h, device, code.ValidationData(h, device), model)[1]


def by_evaluator(artifact, learns):
    os.environ['TTT_ENABLED'] = str(int(learns))
    return by_servers.evaluate(task, ['serve_gpt.py'], artifact, work / 'data/claim', kit)['val_bpb']


prepare()
artifact = make_artifact()
code = upstream_module()
apart, lines = 0.0, []
for learns in (False, True):
    theirs, ours = by_upstream(code, artifact, learns), by_evaluator(artifact, learns)
    apart = max(apart, abs(theirs - ours))
    lines.append(f'{"with" if learns else "without"} learning at test time: upstream {theirs:.9f}, evaluator {ours:.9f} bits/byte: '
                 f'{abs(theirs - ours):.2g} apart')
print('\n'.join(lines))
sys.exit(apart > 1e-7)
