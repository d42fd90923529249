"""Writes the texts of byte-golf into ASSAY_OUTPUT: train/, search/ and claim/, each text.bin and text.json.

The texts depend on nothing but ASSAY_DATA_SECRET: every host of a store prepares the same bytes. A part that is
already complete is left alone; manifest.json is written last.
"""
import hashlib
import hmac
import json
import os
import sys
from pathlib import Path

import grammar

SIZES = {'train': 2_000_000, 'search': 24_000, 'claim': 24_000}


def store(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + '.partial')
    with open(partial, 'wb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def finished(folder, derivation):
    try:
        about = json.loads((folder / 'text.json').read_bytes())
        return about['derivation'] == derivation and about['sha256'] == sha256((folder / 'text.bin').read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def prepare_part(secret, name, folder):
    seed = hmac.new(secret, f'byte-golf/1/{name}'.encode(), hashlib.sha256).hexdigest()
    derivation = sha256(f'{grammar.LEXICON_SEED} {SIZES[name]} {seed}'.encode())
    if finished(folder, derivation):
        print(f'{name}: already prepared')
        return
    text, bits = grammar.write(seed, SIZES[name])
    about = {'schema': 'byte-golf.text/1', 'bytes': len(text), 'sha256': sha256(text), 'derivation': derivation,
             'code_length_bits': round(bits), 'limit_bpb': round(bits / len(text), 4)}
    store(folder / 'text.bin', text)
    store(folder / 'text.json', json.dumps(about, indent=1).encode() + b'\n')
    print(f'{name}: {len(text)} bytes, limit {about["limit_bpb"]} bits/byte')


def main():
    try:
        secret = bytes.fromhex(os.environ['ASSAY_DATA_SECRET'])
        output = Path(os.environ['ASSAY_OUTPUT'])
    except KeyError as missing:
        sys.exit(f'prepare.py: {missing} is not set; assay sets it when it prepares a task')
    except ValueError:
        sys.exit('prepare.py: ASSAY_DATA_SECRET is not hexadecimal')
    if len(secret) < 16:
        sys.exit('prepare.py: ASSAY_DATA_SECRET is shorter than 16 bytes')
    for name in SIZES:
        prepare_part(secret, name, output / name)
    paths = [f'{name}/{file}' for name in SIZES for file in ('text.bin', 'text.json')]
    files = []
    for path in paths:
        content = (output / path).read_bytes()
        files.append({'path': path, 'bytes': len(content), 'sha256': sha256(content)})
    store(output / 'manifest.json', json.dumps({'schema': 'assay.data/1', 'files': files}, indent=1).encode() + b'\n')


if __name__ == '__main__':
    main()
