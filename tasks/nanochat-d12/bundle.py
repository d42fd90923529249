"""From the bundle of CORE to tokens: prompts are rendered and cut by upstream's code, as it is."""
import csv
import importlib
import json
import random
import zipfile

import yaml

from assay_prepare import download
from files import CoreFiles

ADDRESS = 'https://karpathy-public.s3.us-west-2.amazonaws.com/eval_bundle.zip'
KINDS = {'multiple_choice': ('choice', 'mc'), 'schema': ('choice', 'schema'), 'language_modeling': ('continue', 'lm')}


class Bundle:
    """The tasks of CORE, unpacked below a work folder."""

    def __init__(self, work):
        self.folder = work / 'eval_bundle'
        self.code = importlib.import_module('nanochat.core_eval')

    def bring(self):
        if not (self.folder / 'core.yaml').is_file():
            packed = self.folder.with_suffix('.zip')
            download(ADDRESS, packed)
            with zipfile.ZipFile(packed) as bundle:
                bundle.extractall(packed.parent)

    def core(self, tokenizer, most):
        """CoreFiles with at most so many items of each task; None: all."""
        with open(self.folder / 'eval_meta_data.csv', encoding='utf-8') as file:
            chance = {row['Eval Task']: float(row['Random baseline']) for row in csv.DictReader(file)}
        core = CoreFiles()
        for task in yaml.safe_load((self.folder / 'core.yaml').read_text(encoding='utf-8'))['icl_tasks']:
            kind, form = KINDS[task['icl_task_type']]
            core.begin(task['label'], kind, 0.01 * chance[task['label']])
            with open(self.folder / 'eval_data' / task['dataset_uri'], encoding='utf-8') as file:
                data = [json.loads(line) for line in file]
            # both draws are upstream's, so that questions and examples are the same
            random.Random(1337).shuffle(data)
            data = data[:most]
            for at, item in enumerate(data):
                options = self.options(form, item, self.examples(data, at, task['num_fewshot'][0]), task, tokenizer)
                core.add(options, item['gold'] if kind == 'choice' else 0)
            print(f'{task["label"]}: {len(data)} items', flush=True)
        return core

    @staticmethod
    def examples(data, at, count):
        # of all items but this one
        drawn = random.Random(1234 + at).sample(range(len(data) - 1), count) if count else []
        return [data[other + (other >= at)] for other in drawn]

    def options(self, form, item, examples, task, tokenizer):
        """The sequences of an item, each with its first token that counts."""
        render, cut = getattr(self.code, f'render_prompts_{form}'), getattr(self.code, f'batch_sequences_{form}')
        tokens, firsts, ends = cut(tokenizer, render(item, task.get('continuation_delimiter', ' '), examples))
        if any(len(row) != end for row, end in zip(tokens, ends)):
            raise ValueError(f'{task["label"]}: tokens behind what counts')
        return list(zip(tokens, firsts))
