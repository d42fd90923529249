"""The evaluation's one result."""
import json
import os

from .channel import Fault


def evaluate(measure):
    """Runs measure() and writes what it returns, or the server's fault, as the evaluation's one result."""
    try:
        result = measure()
    except Fault as fault:
        result = {'failure': {'kind': fault.kind, 'reason': str(fault)[:2000]}, 'feedback': ''}
    with open(int(os.environ['ASSAY_RESULT_FD']), 'w', encoding='utf-8') as out:
        json.dump({'schema': 'assay.evaluation/1', **result}, out, allow_nan=False)
