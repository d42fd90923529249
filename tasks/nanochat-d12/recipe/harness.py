"""What assay asks of a training: the word that it is ready, and an artifact that serve.py loads again."""
import json
import os
import sys
from dataclasses import asdict

import torch
import torch.distributed as dist

from nanochat.gpt import GPT, GPTConfig


def say_ready():
    """Tells assay that all is compiled; the training data are there when it has answered. Every rank waits for that."""
    if int(os.environ.get('RANK', 0)) == 0:
        os.write(int(os.environ['ASSAY_SIGNAL_FD']), b'ready\n')
        if not os.read(int(os.environ['ASSAY_GO_FD']), 3):
            sys.exit('assay did not answer')
    if dist.is_initialized():
        dist.barrier()


def save(model, config):
    folder = os.environ['ASSAY_OUTPUT']
    torch.save(model.state_dict(), os.path.join(folder, 'model.pt'))
    with open(os.path.join(folder, 'config.json'), 'w') as file:
        json.dump(asdict(config), file)


def load(folder, device):
    """The model that save() left, for answering."""
    with open(os.path.join(folder, 'config.json')) as file:
        config = GPTConfig(**json.load(file))
    with torch.device('meta'):
        model = GPT(config)
    model.to_empty(device=device)
    model.init_weights()
    weights = torch.load(os.path.join(folder, 'model.pt'), map_location=device, weights_only=True)
    model.load_state_dict(weights)
    return model.eval(), config
