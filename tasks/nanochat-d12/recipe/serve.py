"""Answers an evaluator's frames on one accelerator: log-probabilities of tokens (rows), logits after a beginning
(blinds), the likeliest next token (greedy)."""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

import frames
import harness

TOKENS = 16640  # at once, eight rows of 2,049: their logits are 2 GB


def batches(tokens, which, device):
    """Rows of the request, as many at a time as the accelerator's memory takes."""
    size = max(1, TOKENS // tokens.shape[1])
    for at in range(0, len(tokens), size):
        yield torch.from_numpy(tokens[at:at + size]).to(device), torch.from_numpy(which[at:at + size]).to(device)


def claims(model, tokens, spans):
    """Log-probabilities of tokens[first:end] of each row."""
    logits, targets = model(before_last(tokens)), tokens[:, 1:]
    logits = logits[:, :targets.shape[1]]
    nats = F.cross_entropy(logits.reshape(-1, logits.size(-1)), targets.reshape(-1), reduction='none').view(targets.shape)
    return torch.cat([-row[first - 1:end - 1] for row, (first, end) in zip(nats, spans.tolist())]).clamp(max=0)


def before_last(tokens):
    """The last token is only predicted; the model takes no row of one token."""
    return tokens[:, :-1] if tokens.shape[1] > 2 else tokens


def after(model, tokens, lengths):
    """Logits of the token after the first `lengths` of each row."""
    if tokens.shape[1] == 1:
        tokens = F.pad(tokens, (0, 1))
    return model(tokens)[torch.arange(len(tokens), device=tokens.device), lengths[:, 0] - 1]


def answered(verb, model, tokens, which, device):
    found = []
    for some, of in batches(tokens, which, device):
        if verb == 'rows':
            found.append(claims(model, some, of))
        elif verb == 'blinds':
            # of the shape that `rows` of the same length have, for the same kernels
            found.append(after(model, before_last(some), of))
        else:
            found.append(after(model, some, of).argmax(-1))
    return torch.cat(found).cpu().numpy().astype('<u4' if verb == 'greedy' else '<f4').tobytes()


@torch.no_grad()
def serve():
    send = os.fdopen(os.dup(1), 'wb')
    os.dup2(2, 1)  # what is printed must not come between frames
    torch.set_float32_matmul_precision('high')
    device = torch.device('cuda')
    model, config = harness.load(os.environ['ASSAY_ARTIFACT'], device)
    while request := frames.read(sys.stdin.buffer):
        header, payload = request
        verb, answer, body = header['type'], {'type': header['type'], 'id': header.get('id')}, b''
        if verb == 'hello':
            answer.update(protocol=2, vocab=config.vocab_size, verbs=['rows', 'blinds', 'greedy'])
        elif verb != 'bye':
            rows, length = header['rows'], header['length']
            tokens = np.frombuffer(payload, '<u2', rows * length).reshape(rows, length).astype(np.int64)
            which = np.frombuffer(payload, '<u4', offset=2 * rows * length).reshape(rows, -1).astype(np.int64)
            body = answered(verb, model, tokens, which, device)
        frames.write(send, answer, body)
        if verb == 'bye':
            return


if __name__ == '__main__':
    serve()
