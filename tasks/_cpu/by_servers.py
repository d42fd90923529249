"""Trains a recipe and scores it as assay would, without a sandbox: for comparing scores."""
import json
import os
import subprocess
import sys


def train(recipe, command, work, seconds):
    """Trains with data that are there at once; returns the folder of the artifact."""
    artifact = work / 'artifact'
    artifact.mkdir(exist_ok=True)
    said, say = os.pipe()
    hear, answer = os.pipe()
    os.write(answer, b'go\n')
    env = {'ASSAY_DATA': str(work / 'data/train'), 'ASSAY_OUTPUT': str(artifact), 'ASSAY_SEED': '7',
           'ASSAY_TRAIN_SECONDS': str(seconds), 'ASSAY_SIGNAL_FD': str(say), 'ASSAY_GO_FD': str(hear)}
    subprocess.run([sys.executable, *command], cwd=recipe, env={**os.environ, **env}, pass_fds=(say, hear), check=True,
                   stdout=subprocess.DEVNULL)
    os.close(say)
    assert os.read(said, 100) == b'ready\n'
    return artifact


def evaluate(task, command, artifact, data, kit):
    """The metrics that the task's evaluator finds, which asks two servers one after the other."""
    env = {**os.environ, 'ASSAY_ARTIFACT': str(artifact), 'ASSAY_DATA': str(data), 'PYTHONPATH': str(kit)}
    result, told = os.pipe()
    pipes = [(os.pipe(), os.pipe()) for _ in range(2)]
    env['ASSAY_RESULT_FD'], lent = str(told), [told]
    for name, ((_, asks), (hears, _)) in zip(('SERVER', 'TWIN'), pipes):
        env.update({f'ASSAY_{name}_IN_FD': str(asks), f'ASSAY_{name}_OUT_FD': str(hears)})
        lent += [asks, hears]
    judge = subprocess.Popen([sys.executable, task / 'evaluator/evaluate.py'], env=env, pass_fds=lent)
    for descriptor in lent:
        os.close(descriptor)
    for (asked, _), (_, answers) in pipes:
        subprocess.run([sys.executable, *command], cwd=task / 'recipe', env=env, stdin=asked, stdout=answers, check=True)
        os.close(asked)
        os.close(answers)
    with os.fdopen(result) as file:
        evaluation = json.load(file)
    judge.wait()
    if 'failure' in evaluation:
        sys.exit(f'the evaluator refused what its servers answered: {evaluation["failure"]}')
    return evaluation['metrics']
