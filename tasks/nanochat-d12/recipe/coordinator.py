"""Starts one process for each accelerator that the run was lent, and ends with them.

    python coordinator.py train    train.py, as ranks of one training
    python coordinator.py serve    serve.py, each of which answers for its share of the rows of a request
"""
import os
import signal
import socket
import subprocess
import sys
import time

import frames
import settings


def accelerators():
    """The accelerators of this run, as CUDA_VISIBLE_DEVICES names them; ['0'] where it names none."""
    return [name for name in os.environ.get('CUDA_VISIBLE_DEVICES', '').split(',') if name] or ['0']


def free_port():
    with socket.socket() as any_port:
        any_port.bind(('127.0.0.1', 0))
        return any_port.getsockname()[1]


def train():
    command = [sys.executable, 'train.py', *settings.arguments()]
    ranks = len(accelerators())
    if ranks == 1:
        os.execv(sys.executable, command)
    # all ranks are on this host; a sandbox has no other interface
    meeting = {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(free_port()), 'WORLD_SIZE': str(ranks), 'NCCL_SOCKET_IFNAME': 'lo'}
    signals = [int(os.environ[name]) for name in ('ASSAY_SIGNAL_FD', 'ASSAY_GO_FD')]
    started = [subprocess.Popen(command, env={**os.environ, **meeting, 'RANK': str(rank), 'LOCAL_RANK': str(rank)},
                                pass_fds=signals if rank == 0 else ())
               for rank in range(ranks)]
    sys.exit(ended(started))


def ended(processes):
    """0 when all have ended well; else the status of the first that did not, after the others were killed: they wait for it."""
    while True:
        states = [process.poll() for process in processes]
        failed = next((state for state in states if state not in (None, 0)), None)
        if failed is not None:
            for process in processes:
                process.send_signal(signal.SIGKILL)
            return failed if failed > 0 else 128 - failed
        if None not in states:
            return 0
        time.sleep(0.05)


def serve():
    names = accelerators()
    if len(names) == 1:
        os.execv(sys.executable, [sys.executable, 'serve.py'])
    servers = [subprocess.Popen([sys.executable, 'serve.py'], env={**os.environ, 'CUDA_VISIBLE_DEVICES': name},
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
               for name in names]
    while request := frames.read(sys.stdin.buffer):
        header, payload = request
        shared = header['type'] in ('rows', 'blinds', 'greedy')
        parts = frames.parts_of(header, payload, len(servers)) if shared else [request] * len(servers)
        asked = [(server, part) for server, part in zip(servers, parts) if not shared or part[0]['rows'] > 0]
        for server, part in asked:
            frames.write(server.stdin, *part)
        answers = [frames.read(server.stdout) for server, _ in asked]
        if None in answers:
            sys.exit('the server of an accelerator ended early')
        body = b''.join(part for _, part in answers) if shared else answers[0][1]
        frames.write(sys.stdout.buffer, answers[0][0], body)
        if header['type'] == 'bye':
            return


if __name__ == '__main__':
    {'train': train, 'serve': serve}[sys.argv[1]]()
