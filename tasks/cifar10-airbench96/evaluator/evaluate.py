"""Scores logits of test images: accuracy, from labels that no recipe sees.

Each process of a run saw the images in a secret order of its own (ASSAY_PROCESSES tells which), so that logits are put
back before they are compared. Nothing else that a recipe wrote is read.
"""
import json
import os
from pathlib import Path

import numpy as np

GATE = 0.5 if os.environ.get('ASSAY_PROFILE') == 'ci' else 0.96
CLASSES = 'airplane automobile bird cat deer dog frog horse ship truck'.split()


def predictions(logits, order):
    """The likeliest class of each image in the order of the labels; row i of the logits is of image order[i]."""
    classes = np.empty(len(order), int)
    classes[order] = logits.argmax(1)
    return classes


def scored(labels, runs):
    """Result of [(logits, order, seconds)], one a process."""
    right = np.array([predictions(logits, order) == labels for logits, order, _ in runs])
    each, seconds = right.mean(1), np.array([took for *_, took in runs])
    accuracy, count = float(each.mean()), len(each)
    margin = accuracy - GATE
    lines = [f'Accuracy {accuracy:.5f} in the mean of {count} processes: {abs(margin):.5f} '
             f'{"above" if margin >= 0 else "below"} the gate of {GATE}.']
    errors = {}
    if count > 1:
        errors = {'accuracy': float(each.std(ddof=1) / np.sqrt(count))}
        lines.append(f'Its standard error is {errors["accuracy"]:.5f}; processes from {each.min():.5f} to {each.max():.5f}.')
    lines.append(f'Seconds of the processes: {", ".join(f"{took:.2f}" for took in seconds)}.')
    lines.append('By class: ' + ', '.join(f'{name} {right[:, labels == at].mean():.4f}' for at, name in enumerate(CLASSES)) + '.')
    return {'metrics': {'accuracy': accuracy}, 'standard_errors': errors, 'feedback': '\n'.join(lines)}


def measure():
    artifact, told = Path(os.environ['ASSAY_ARTIFACT']), Path(os.environ['ASSAY_PROCESSES'])
    labels = np.fromfile(Path(os.environ['ASSAY_DATA']) / 'labels.u8', np.uint8)
    processes = json.loads(told.read_bytes())

    def run(process):
        folder = artifact / str(process['process']) if len(processes) > 1 else artifact
        logits = np.fromfile(folder / 'logits.f32', '<f4').reshape(len(labels), 10)
        return logits, np.fromfile(told.parent / process['order'], '<u4'), process['seconds']
    return scored(labels, [run(process) for process in processes])


if __name__ == '__main__':
    result = {'schema': 'assay.evaluation/1', **measure()}
    with open(int(os.environ['ASSAY_RESULT_FD']), 'w') as out:
        json.dump(result, out)
