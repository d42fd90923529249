"""Lets a CUDA build of torch be imported where none of NVIDIA's libraries is: python stub_libraries.py TORCH_LIB_FOLDER

PyPI has no CPU build of torch for x86-64, and the libraries of a CUDA build are 3 GB. What torch's own libraries import of
them is read with readelf, and small libraries with these names are compiled with cc, in torch's own folder, where its
loader looks first. Every function answers an error code, so torch.cuda.is_available() is False. For tests on a CPU only.
"""
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

# whose symbols, by the name's beginning, where the symbol has no version that says so
PREFIXES = {
    'libcudart': '(cuda|__cuda)', 'libcublas.': 'cublas(?!Lt)', 'libcublasLt': 'cublasLt', 'libcudnn': 'cudnn',
    'libcufft': 'cufft', 'libcurand': 'curand', 'libcusparse.': 'cusparse(?!Lt)', 'libcusparseLt': 'cusparseLt',
    'libcusolver': 'cusolver', 'libnccl': 'p?nccl', 'libcupti': 'cupti', 'libcufile': 'cuFile', 'libnvshmem': 'nvshmem',
    'libcuda.so': 'cu[A-Z]', 'libnvrtc': 'nvrtc', 'libnvToolsExt': 'nvtx',
}
SYSTEM = re.compile(r'lib(pthread|m|dl|c|rt|gcc_s|stdc\+\+|gomp)\.so|ld-linux')
ERROR = 100  # cudaErrorNoDevice; no library of these takes it for success
WORDS = re.compile(r'\w+Get(ErrorString|ErrorName|LastError|StatusString)$')
MARK = 'assay-stub'  # in every library made here: tells them from real ones


def readelf(*of):
    return subprocess.run(['readelf', '-W', *of], capture_output=True, text=True, check=True).stdout.splitlines()


def imports(libraries):
    """(names of libraries that are needed, {version: {(symbol, kind)}} of what is undefined)."""
    own, needed, wanted = {library.name for library in libraries}, set(), defaultdict(set)
    for library in libraries:
        for line in readelf('-d', library):
            name = re.search(r'\(NEEDED\).*\[(.*)\]', line)
            if name and name[1] not in own and not SYSTEM.match(name[1]):
                needed.add(name[1])
        for line in readelf('--dyn-syms', library):
            fields = line.split()
            if len(fields) >= 8 and fields[6] == 'UND' and fields[4] == 'GLOBAL':
                symbol, _, version = fields[7].partition('@')
                wanted[version.lstrip('@')].add((symbol, fields[3]))
    return needed, wanted


def belongs(version, symbol, library, prefix):
    if not version:
        return re.match(prefix, symbol) is not None
    stem = library.split('.so')[0]
    return version.startswith(stem) or (version == 'NVSHMEM' and 'nvshmem' in library)


def definition(symbol, kind):
    if kind == 'OBJECT':
        return f'char {symbol}[4096];'
    if symbol in ('cudaGetLastError', 'cudaPeekAtLastError'):
        return f'int {symbol}(void) {{ return 0; }}'
    if WORDS.match(symbol):
        return f'const char *{symbol}(void) {{ return "no accelerator: this is a stub"; }}'
    if symbol.startswith('__cuda'):
        return f'void *{symbol}(void) {{ static void *none[8]; return none; }}'
    if symbol == 'cudaGetDeviceCount':
        return f'int {symbol}(int *n) {{ if (n) *n = 0; return {ERROR}; }}'
    return f'int {symbol}(void) {{ return {ERROR}; }}'


def compiled(library, symbols, into):
    """Compiles a library of {version: {(symbol, kind)}}."""
    defined = {symbol: kind for group in symbols.values() for symbol, kind in sorted(group)}
    lines = [f'const char assay_stub[] = "{MARK}";', *(definition(*each) for each in defined.items())]
    source, versions = into / f'{library}.c', into / f'{library}.map'
    source.write_text('\n'.join(lines) + '\n')
    script = ''.join(f'{version} {{ global: {"; ".join(sorted(name for name, _ in group))}; }};\n'
                     for version, group in symbols.items() if version)
    command = ['cc', '-shared', '-fPIC', '-O1', '-w', '-fno-builtin', f'-Wl,-soname,{library}', '-o', into / library, source]
    if script:
        versions.write_text(script)
        command.append(f'-Wl,--version-script={versions}')
    try:
        subprocess.run(command, check=True)
    finally:
        source.unlink()
        versions.unlink(missing_ok=True)
    return len(defined)


def main(folder):
    made = [path for path in folder.glob('*.so*') if path.stat().st_size < 1 << 20 and MARK.encode() in path.read_bytes()]
    for path in made:
        path.unlink()
    needed, wanted = imports(sorted(folder.glob('*.so*')))
    for library in sorted(needed):
        prefix = next((each for name, each in PREFIXES.items() if library.startswith(name)), None)
        if prefix is None:
            sys.exit(f'stub_libraries.py: torch needs {library}, which is not known here; add it to PREFIXES')
        symbols = {version: {each for each in group if belongs(version, each[0], library, prefix)}
                   for version, group in wanted.items()}
        count = compiled(library, {version: group for version, group in symbols.items() if group}, folder)
        print(f'{library}: {count} symbols')


if __name__ == '__main__':
    main(Path(sys.argv[1]))
