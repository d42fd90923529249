"""A byte-level language model in 24,000 bytes: this file plus the packed weights.

A few bytes of context are embedded, joined and sent through one hidden layer to 256 logits; plain SGD.
  train.py           trains on ASSAY_DATA/text.bin for ASSAY_TRAIN_SECONDS, writes ASSAY_OUTPUT/weights.npz
  train.py --smoke   the same on made-up bytes for a moment
  train.py --pack    ASSAY_INPUT/weights.npz -> ASSAY_OUTPUT/model.bin
  train.py --serve   answers the evaluator's frames from ASSAY_ARTIFACT/model.bin (the protocol: task README)
"""
import json
import os
import sys
import time
import zlib

import numpy as np

LR = 0.3  # knob: 0.02..3 log
LR_END = 0.5  # knob: 0.02..1 log
BATCH = 128  # knob: 32..1024 log
CONTEXT = 5  # knob: 2..12
EMBED = 8  # knob: 4..16
HIDDEN = 40  # knob: 16..128 log
INIT = 0.7  # knob: 0.1..3 log
BITS = 8  # knob: 3..8
VOCAB = 256
STEPS_AT_LEAST = 10

SHAPES = {
    'embed': (VOCAB, EMBED),
    'w1': (CONTEXT * EMBED, HIDDEN),
    'b1': (HIDDEN,),
    'w2': (HIDDEN, VOCAB),
    'b2': (VOCAB,),
}


def initial(rng):
    scale = {'embed': 1.0, 'w1': INIT / np.sqrt(CONTEXT * EMBED), 'w2': INIT / np.sqrt(HIDDEN), 'b1': 0, 'b2': 0}
    return {name: scale[name] * rng.standard_normal(shape) for name, shape in SHAPES.items()}


def forward(weights, past):
    """past: [rows, CONTEXT] bytes -> embedded input, hidden layer, logits."""
    x = weights['embed'][past].reshape(len(past), -1)
    h = np.tanh(x @ weights['w1'] + weights['b1'])
    return x, h, h @ weights['w2'] + weights['b2']


def step(weights, past, target, lr):
    """One step of SGD; returns the mean loss in nats."""
    rows = np.arange(len(past))
    x, h, logits = forward(weights, past)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[rows, target] + 1e-12).mean()
    p[rows, target] -= 1
    p /= len(past)
    dh = (p @ weights['w2'].T) * (1 - h * h)
    dembed = np.zeros_like(weights['embed'])
    np.add.at(dembed, past.ravel(), (dh @ weights['w1'].T).reshape(-1, EMBED))
    gradients = {'embed': dembed, 'w1': x.T @ dh, 'b1': dh.sum(0), 'w2': h.T @ p, 'b2': p.sum(0)}
    for name, gradient in gradients.items():
        weights[name] -= lr * gradient
    return loss


def windows(tokens):
    """[positions, CONTEXT] bytes before each token; the text is preceded by newlines."""
    padded = np.concatenate([np.full(CONTEXT, 10, np.uint8), tokens])
    return np.lib.stride_tricks.sliding_window_view(padded, CONTEXT)[: len(tokens)]


def train(text, seconds, seed):
    # the budget's clock began before Python did, which takes its time on a busy host
    cpu, began = time.process_time(), float(os.environ.get('ASSAY_TRAIN_BEGAN', time.monotonic()))
    rng = np.random.default_rng(seed)
    weights = initial(rng)
    past = windows(text)
    losses, steps, shown = [], 0, 0.0
    while True:
        part = min(1, max(time.process_time() - cpu, time.monotonic() - began) / seconds)
        if part == 1 and steps >= STEPS_AT_LEAST:
            break
        at = rng.integers(0, len(text), BATCH)
        losses.append(step(weights, past[at], text[at], LR * (1 - part + LR_END * part)))
        steps += 1
        if part >= shown:
            print(f'progress {part:.2f} step {steps} train_bpb {np.mean(losses[-200:]) / np.log(2):.4f}', flush=True)
            shown += 0.1
    print(f'done: {steps} steps, {steps * BATCH / 1e6:.2f} M bytes seen', flush=True)
    return weights


def made_up(size):
    """Words over 32 symbols: enough to exercise every step without data."""
    rng = np.random.default_rng(0)
    words = [bytes(rng.integers(97, 123, rng.integers(2, 9)).astype(np.uint8)) for _ in range(500)]
    text = b' '.join(words[int(500 * u * u)] for u in rng.random(size // 6))
    return np.frombuffer(text, np.uint8)


def pack(weights):
    """Each tensor in whole numbers of BITS bits with one float32 scale, then zlib."""
    scales, levels, top = [], [], 2 ** (BITS - 1) - 1
    for name in SHAPES:
        scales.append(max(float(np.abs(weights[name]).max()), 1e-8) / top)
        levels.append(np.rint(weights[name] / scales[-1]).astype(np.int8).tobytes())
    return zlib.compress(np.array(scales, '<f4').tobytes() + b''.join(levels), 9)


def unpack(content):
    content = zlib.decompress(content)
    scales = np.frombuffer(content, '<f4', len(SHAPES))
    weights, at = {}, scales.nbytes
    for scale, (name, shape) in zip(scales, SHAPES.items()):
        size = int(np.prod(shape))
        weights[name] = np.frombuffer(content, np.int8, size, at).reshape(shape) * scale
        at += size
    return weights


def claims(weights, tokens, count):
    """Log-probabilities of the last tokens, each from those before it."""
    logits = forward(weights, windows(tokens)[-count:])[2]
    logits -= logits.max(axis=1, keepdims=True)
    return logits[np.arange(count), tokens[-count:]] - np.log(np.exp(logits).sum(axis=1))


def serve(weights):
    receive, send = sys.stdin.buffer, sys.stdout.buffer
    while head := receive.read(4):
        request = json.loads(receive.read(int.from_bytes(head, 'little')))
        tokens = np.frombuffer(receive.read(request.get('bytes', 0)), np.uint8)
        answer, body = {'type': request['type'], 'id': request.get('id')}, b''
        if request['type'] == 'hello':
            answer.update(protocol=2, vocab=VOCAB, verbs=['gather', 'blind'])
        elif request['type'] == 'gather':
            body = claims(weights, tokens, request['count']).astype('<f4').tobytes()
        elif request['type'] == 'blind':
            body = forward(weights, windows(np.append(tokens, 0))[-1:])[2].astype('<f4').tobytes()
        header = json.dumps({**answer, 'bytes': len(body)}).encode()
        send.write(len(header).to_bytes(4, 'little') + header + body)
        send.flush()
        if request['type'] == 'bye':
            return


def path(folder, name):
    return os.path.join(os.environ[folder], name)


def main(mode):
    if mode == '--serve':
        serve(unpack(open(path('ASSAY_ARTIFACT', 'model.bin'), 'rb').read()))
    elif mode == '--pack':
        content = pack(np.load(path('ASSAY_INPUT', 'weights.npz')))
        with open(path('ASSAY_OUTPUT', 'model.bin'), 'wb') as file:
            file.write(content)
        counted = {'model.bin': len(content), 'train.py': os.path.getsize(__file__)}
        total = sum(size + len(name) + 1 for name, size in counted.items())
        print(f'packed: {len(content)} bytes; with this file, names included: {total}')
    else:
        smoke = mode == '--smoke'
        budget = 0.6 if smoke else 0.9 * float(os.environ['ASSAY_TRAIN_SECONDS'])
        text = made_up(200_000) if smoke else np.fromfile(path('ASSAY_DATA', 'text.bin'), np.uint8)
        np.savez(path('ASSAY_OUTPUT', 'weights.npz'), **train(text, budget, int(os.environ.get('ASSAY_SEED', 0))))


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else '')
