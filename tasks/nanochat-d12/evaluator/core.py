"""CORE as the preparation laid it out: items of tokens, and how their results make up the metric.

    core.json            tasks in their order: {label, kind: choice | continue, baseline (accuracy of chance), items}
    core_tokens.u16      the tokens of all sequences, one after the other
    core_sequences.u32   [sequences, 3]: first token, end, and the first token that counts, from the sequence's first
    core_items.u32       [items, 3]: first sequence, sequences, the right one (0 where there is one alone)
"""
import json

import numpy as np


class Core:
    def __init__(self, folder):
        self.tasks = json.loads((folder / 'core.json').read_text())
        tokens = np.memmap(folder / 'core_tokens.u16', '<u2', 'r')
        table = np.fromfile(folder / 'core_sequences.u32', '<u4').reshape(-1, 3).astype(int)
        sequences = [(tokens[first:end], int(counts)) for first, end, counts in table]
        of_items = np.fromfile(folder / 'core_items.u32', '<u4').reshape(-1, 3).astype(int)
        self.items = [sequences[first : first + count] for first, count, _ in of_items]
        self.right = of_items[:, 2]
        kinds = [kind for task in self.tasks for kind in [task['kind']] * task['items']]
        self.is_choice = np.array([kind == 'choice' for kind in kinds])

    def choices(self):
        """Items of several sequences, of which the likeliest is chosen."""
        return [item for item, chosen in zip(self.items, self.is_choice) if chosen]

    def continuations(self):
        """Prompts and what has to follow them."""
        ones = [item[0] for item, chosen in zip(self.items, self.is_choice) if not chosen]
        return [tokens[:first] for tokens, first in ones], [tokens[first:] for tokens, first in ones]

    def accuracies(self, chosen, continued):
        """Accuracy of each task by label, of the options that were chosen and of whether prompts were continued rightly."""
        correct = np.empty(len(self.items))
        correct[self.is_choice] = chosen == self.right[self.is_choice]
        correct[~self.is_choice] = continued
        edges = np.cumsum([0, *(task['items'] for task in self.tasks)])
        return {task['label']: float(correct[first:end].mean()) for task, first, end in zip(self.tasks, edges, edges[1:])}

    def metric(self, accuracies):
        """The mean over tasks of how far an accuracy is from chance (0) to all (1)."""
        return float(np.mean([(accuracies[task['label']] - task['baseline']) / (1 - task['baseline']) for task in self.tasks]))
