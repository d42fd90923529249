"""Scores a served language model: bits per byte of rows of text, and CORE.

Of each row every token but the first is scored, from all before it; tokens that stand for no bytes are left out. CORE asks
which of several continuations is likeliest, and whether the model continues a prompt as expected, token by token. Rows,
prompts, examples and options were laid out by the preparation; asking, secret orders, normalising and correcting happen in
assay's evaluator kit: what a recipe says of itself is not read.
"""
import os
from pathlib import Path

import numpy as np

import assay_serving as serving
from core import Core

CI = os.environ.get('ASSAY_PROFILE') == 'ci'
LENGTH, VOCAB = (65, 512) if CI else (2049, 32768)

if CI:
    TIMES = serving.Times(hello_s=120, answer_s=60, total_s=240)
    TEXT = serving.Rows(vocab=VOCAB, batch=8, blind=64)
    CHOICES = serving.Choices(vocab=VOCAB, batch=16, blind=64)
    GREEDY = serving.Greedy(vocab=VOCAB, batch=16)
else:
    TIMES = serving.Times(hello_s=300, answer_s=120, total_s=1500)
    # rows of the text have one shape in both servers, so that honest answers differ by little even on an accelerator
    TEXT = serving.Rows(vocab=VOCAB, batch=64, blind=2560,
                        tests=serving.Tests(spread=0.02, outlier=0.25, share=1e-3, tolerance=5e-4, row_s=0.2))
    CHOICES = serving.Choices(vocab=VOCAB, batch=512, tokens=1 << 18, blind=2048,
                              tests=serving.Tests(spread=0.04, outlier=0.5, share=2e-3, tolerance=2e-3, row_s=0.5))
    GREEDY = serving.Greedy(vocab=VOCAB, batch=512, tokens=1 << 18)


def measure():
    folder = Path(os.environ['ASSAY_DATA'])
    rows = np.fromfile(folder / 'rows.u16', '<u2').reshape(-1, LENGTH)
    sizes = np.fromfile(folder / 'token_bytes.u16', '<u2').astype('f8')[rows[:, 1:]].ravel()
    core = Core(folder)
    parts = [serving.RowsPart(rows, TEXT), serving.ChoicesPart(core.choices(), CHOICES),
             serving.GreedyPart(*core.continuations(), GREEDY)]
    scores, chosen, continued = serving.score_parts(parts, TIMES, serving.servers(twins=True))
    counted = sizes > 0
    bits = scores.mean(counted).times(counted.sum() / sizes.sum() / np.log(2))
    accuracies = core.accuracies(chosen, continued)
    return {'metrics': {'bpb': bits.mean, 'core': core.metric(accuracies)}, 'standard_errors': {'bpb': bits.standard_error},
            'feedback': feedback(bits, int(sizes.sum()), core, accuracies)}


def feedback(bits, size, core, accuracies):
    lines = [f'{bits.mean:.5f} bits/byte (standard error {bits.standard_error:.2g}) on {size} bytes.',
             f'CORE {core.metric(accuracies):.4f} on {len(core.items)} items; accuracies, and that of chance:']
    lines += [f'  {task["label"]}: {accuracies[task["label"]]:.3f} ({task["baseline"]:.2f})' for task in core.tasks]
    return '\n'.join(lines)


if __name__ == '__main__':
    serving.evaluate(measure)
