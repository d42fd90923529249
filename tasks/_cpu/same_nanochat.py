"""Compares what the evaluator of nanochat-d12 answers with upstream's own evaluation: same_nanochat.py TASK WORK KIT

TASK is the task folder with its upstream files in place. A toy is trained on text of this machine, prepared by the task's own
corpus.py and bundle.py; then its one checkpoint is scored twice: by evaluate_bpb and evaluate_core of a pristine checkout in one
process, and by assay's evaluator through two servers. Needs torch, pyarrow, rustbpe, tiktoken, tokenizers, jinja2, pyyaml and
requests. Exits with 1 where bits per byte differ in their first seven digits, or CORE at all.
"""
import glob
import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import by_servers

LENGTH, VOCAB, ROWS = 65, 512, 64
QUESTIONS, MOST = 40, 60  # of each task there are, and of each are asked
CYCLE = ['red', 'green', 'blue', 'white', 'black'] * 20
PIN = '0aaca56805eb13f6e6e1fff789a08086902f12ab'
REPOSITORY = 'https://github.com/karpathy/nanochat'


def text():
    """Paragraphs of this machine's licences and Python sources, and some that even a toy learns to continue."""
    files = sorted(glob.glob('/usr/share/common-licenses/*') + glob.glob('/usr/lib/python3*/*.py'))[:120]
    parts = [part.strip() for file in files for part in Path(file).read_text(errors='replace').split('\n\n')]
    documents = [part for part in parts if len(part) > 100]
    documents += [' '.join(CYCLE[at % 5:][:60]) for at in range(len(documents) // 10)]
    random.Random(0).shuffle(documents)
    return documents


def mirrored(address):
    """Where a copy of an address lies below the mirror."""
    path = Path(os.environ['ASSAY_MIRROR']) / address.split('://')[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_shards(documents, address, names):
    import pyarrow
    import pyarrow.parquet
    for at, name in enumerate(names):
        table = pyarrow.table({'text': documents[at::len(names)]})
        pyarrow.parquet.write_table(table, mirrored(address.format(name)), row_group_size=64)


def write_bundle(documents, address):
    """A bundle of three tasks, one of each kind, whose questions are how documents go on."""
    draw = random.Random(1)
    words = [document.split() for document in documents if len(document.split()) > 12]
    draw.shuffle(words)
    some = [(' '.join(one[:5]), ' '.join(one[5:8]), ' '.join(one[8:10])) for one in words[: 3 * QUESTIONS]]
    choices, schemas, continued = some[::3], some[1::3], some[2::3]
    rows = {'choices': [], 'schemas': [], 'continued': []}
    for query, right, _ in choices:
        options = [right, *(other for _, other, _ in draw.sample(choices, 2))]
        order = draw.sample(range(3), 3)
        rows['choices'].append({'query': query, 'choices': [options[at] for at in order], 'gold': order.index(0)})
    for first, second, ending in schemas:
        gold = draw.randrange(2)
        contexts = [f'{first} {second}', draw.choice(schemas)[0] + ' so']
        rows['schemas'].append({'context_options': [contexts[gold], contexts[1 - gold]], 'continuation': ending, 'gold': gold})
    for query, right, _ in continued:
        rows['continued'].append({'context': query, 'continuation': right})
    for at in range(QUESTIONS // 2):
        rows['continued'].append({'context': ' '.join(CYCLE[at:at + 9]), 'continuation': ' '.join(CYCLE[at + 9:at + 11])})
    kinds = {'choices': ('multiple_choice', 2, 100 / 3), 'schemas': ('schema', 0, 50), 'continued': ('language_modeling', 1, 0)}
    config = {'icl_tasks': [{'label': name, 'dataset_uri': f'{name}.jsonl', 'num_fewshot': [shots], 'icl_task_type': kind}
                            for name, (kind, shots, _) in kinds.items()]}
    with zipfile.ZipFile(mirrored(address), 'w') as bundle:
        bundle.writestr('eval_bundle/core.yaml', json.dumps(config))
        table = ''.join(f'{name},none,{chance}\n' for name, (_, _, chance) in kinds.items())
        bundle.writestr('eval_bundle/eval_meta_data.csv', 'Eval Task,Task Category,Random baseline\n' + table)
        for name, items in rows.items():
            bundle.writestr(f'eval_bundle/eval_data/{name}.jsonl', '\n'.join(map(json.dumps, items)) + '\n')


def prepare(work):
    """Tokens, rows and questions at toy size, by the task's own code."""
    import bundle
    import corpus
    documents = text()
    write_shards(documents, corpus.ADDRESS, [*corpus.OF_TOKENIZER, *corpus.SCORED.values()])
    write_bundle(documents, bundle.ADDRESS)
    data = work / 'data'
    texts = corpus.Corpus(data / 'work', vocab=VOCAB, length=LENGTH)
    texts.train_tokenizer(data / 'train/tokenizer.json')
    for shard in corpus.OF_TOKENIZER:
        texts.store_training(shard, data / 'train')
    texts.store_scored('search', ROWS, data / 'search')
    questions = bundle.Bundle(data / 'work')
    questions.bring()
    questions.core(texts.tokenizer, MOST).store(data / 'search')
    return texts


def pristine(work, mirror):
    """A checkout of the pinned commit."""
    folder = work / 'pristine'
    folder.mkdir()
    local = next((path for path in (f'{mirror}/karpathy/nanochat', f'{mirror}/karpathy/nanochat.git') if mirror and os.path.exists(path)), None)
    subprocess.run(['git', 'init', '-q', folder], check=True)
    subprocess.run(['git', '-C', folder, 'fetch', '-q', '--depth', '1', local or REPOSITORY, PIN], check=True)
    subprocess.run(['git', '-C', folder, 'checkout', '-q', PIN], check=True)
    return folder


def lay_base(base, texts, work):
    """The base folder of upstream: its shard of validation, tokenizer and bundle."""
    import shutil
    import torch
    (base / 'base_data_climbmix').mkdir(parents=True)
    shutil.copytree(work / 'data/work/eval_bundle', base / 'eval_bundle')
    shutil.copy(work / 'data/work/search/shard_06542.parquet', base / 'base_data_climbmix')
    texts.tokenizer.save(str(base / 'tokenizer'))
    torch.save(torch.tensor(texts.token_bytes(), dtype=torch.int32), base / 'tokenizer/token_bytes.pt')


def by_upstream(checkout, base, artifact):
    """Prints what a pristine nanochat measures of a checkpoint. Runs in a process of its own."""
    sys.path.insert(0, checkout)
    import torch
    from nanochat.gpt import GPT, GPTConfig
    from nanochat.dataloader import tokenizing_distributed_data_loader_bos_bestfit
    from nanochat.loss_eval import evaluate_bpb
    from nanochat.tokenizer import get_token_bytes, get_tokenizer
    from scripts.base_eval import evaluate_core
    device = torch.device('cpu')
    with open(f'{artifact}/config.json') as file:
        model = GPT(GPTConfig(**json.load(file)))
    model.init_weights()
    model.load_state_dict(torch.load(f'{artifact}/model.pt', weights_only=True))
    model.eval()
    tokenizer = get_tokenizer()
    loader = tokenizing_distributed_data_loader_bos_bestfit(tokenizer, 8, LENGTH - 1, 'val', device='cpu')
    with torch.no_grad():
        bits = evaluate_bpb(model, loader, ROWS // 8, get_token_bytes())
        core = evaluate_core(model, tokenizer, device, max_per_task=MOST)
    print('\n' + json.dumps({'bpb': bits, 'core': core['core_metric'], 'accuracies': core['results']}))


def main(task, work, kit):
    mirror = os.environ.get('ASSAY_MIRROR')
    os.environ.update(ASSAY_PROFILE='ci', NANOCHAT_DTYPE='float32', ASSAY_MIRROR=str(work / 'mirror'),
                      ASSAY_DOWNLOADS=str(work / 'downloads'), OMP_NUM_THREADS='1')
    sys.path[:0] = [str(task), str(kit)]
    texts = prepare(work)
    artifact = by_servers.train(task / 'recipe', ['coordinator.py', 'train'], work, seconds=30)
    lay_base(work / 'base', texts, work)
    called = [sys.executable, __file__, '--upstream', pristine(work, mirror), work / 'base', artifact]
    told = subprocess.run(called, check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, 'NANOCHAT_BASE_DIR': str(work / 'base')}).stdout
    theirs = json.loads(told.strip().split('\n')[-1])
    ours = by_servers.evaluate(task, ['coordinator.py', 'serve'], artifact, work / 'data/search', kit)
    print(f'accuracies, by upstream: {theirs["accuracies"]}')
    same = True
    for name in ('bpb', 'core'):
        apart = abs(theirs[name] - ours[name])
        same &= apart <= 5e-7 * abs(theirs[name])
        print(f'{name}: upstream {theirs[name]:.9f}, evaluator {ours[name]:.9f}: {apart:.2g} apart')
    sys.exit(not same)


if __name__ == '__main__':
    if sys.argv[1] == '--upstream':
        by_upstream(*sys.argv[2:])
    else:
        main(*(Path(path).resolve() for path in sys.argv[1:4]))
