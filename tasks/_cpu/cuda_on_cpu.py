"""Runs PyTorch recipes that are written for CUDA on a CPU, as they are: for tests of task folders at toy size.

In an environment of which this file and cuda_on_cpu.pth are part (run.sh makes one), what asks for "cuda" gets the CPU,
streams and events are clocks, and torch.compile is the identity. What a recipe computes is the same but for rounding; how
long it takes says nothing. Settings, by environment:

    CUDA_ON_CPU=0           leaves torch as it is
    CUDA_ON_CPU_FLOAT32=1   half precision is single precision: CPUs are slow at half, and some operations lack it
"""
import importlib.abc
import importlib.machinery
import os
import sys
import time
import types


class AfterTorch(importlib.abc.MetaPathFinder):
    """Applies `change` when torch has been imported; everything else is found as always."""

    def find_spec(self, name, path=None, target=None):
        if name != 'torch':
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_change(module):
                run(module)
                change(module)
            spec.loader.exec_module = run_and_change
        return spec


def change(torch):
    single = os.environ.get('CUDA_ON_CPU_FLOAT32') == '1'
    change_devices(torch, single)
    change_cuda(torch)
    change_compile(torch)
    change_autocast(torch, single)
    change_modules(torch, single)
    offer_transforms(torch)


def change_devices(torch, single):
    """Every operation on the device "cuda" is one on the CPU."""
    from torch.overrides import TorchFunctionMode
    device = torch.device

    def on_cpu(value):
        if isinstance(value, str) and value.split(':')[0] == 'cuda':
            return 'cpu'
        return device('cpu') if isinstance(value, device) and value.type == 'cuda' else value

    class OnCpu(TorchFunctionMode):
        def __torch_function__(self, function, kinds, args=(), kwargs=None):
            named = {name: on_cpu(value) for name, value in (kwargs or {}).items() if name != 'pin_memory'}
            name = getattr(function, '__name__', '')
            if name in ('cuda', 'pin_memory'):
                return args[0]
            if single and name in ('half', 'bfloat16'):
                return args[0].float()
            return function(*map(on_cpu, args), **named)

    OnCpu().__enter__()
    load = torch.load
    torch.load = lambda *args, **named: load(*args, **{**named, 'map_location': on_cpu(named.get('map_location', 'cpu'))})


class Event:
    """A CUDA event as a point in time."""

    def __init__(self, *_, **__):
        self.at = 0.0

    def record(self, *_):
        self.at = time.perf_counter()

    def elapsed_time(self, other):
        return 1e3 * (other.at - self.at)

    def synchronize(self):
        pass


def change_cuda(torch):
    cuda = torch.cuda
    cuda.is_available = lambda: True
    cuda.device_count = lambda: 1
    cuda.get_device_name = lambda *_: 'a CPU in the place of a GPU'
    cuda.get_device_capability = lambda *_: (9, 0)
    cuda.is_bf16_supported = lambda *_, **__: True
    cuda.is_current_stream_capturing = cuda.graphs.is_current_stream_capturing = lambda: False
    cuda.Event = Event
    for name in ('synchronize', 'set_device', 'empty_cache', 'manual_seed', 'manual_seed_all', 'reset_peak_memory_stats'):
        setattr(cuda, name, lambda *_, **__: None)
    for name in ('max_memory_allocated', 'max_memory_reserved', 'memory_allocated'):
        setattr(cuda, name, lambda *_, **__: 0)


def change_compile(torch):
    """torch.compile gives its argument back, which then has the attribute that compiled modules have."""
    def compile(model=None, **_):
        if model is None:
            return lambda function: function
        if isinstance(model, torch.nn.Module):
            object.__setattr__(model, '_orig_mod', model)
        return model
    torch.compile = compile


def change_autocast(torch, single):
    class Autocast(torch.autocast):
        def __init__(self, device_type='cpu', dtype=None, enabled=True, cache_enabled=None):
            super().__init__('cpu', dtype=dtype, enabled=enabled and not single, cache_enabled=cache_enabled)
    torch.autocast = torch.amp.autocast = torch.amp.autocast_mode.autocast = Autocast


def change_modules(torch, single):
    module = torch.nn.Module
    module.cuda = lambda self, *_: self
    if single:
        module.half = module.bfloat16 = lambda self: self


def offer_transforms(torch):
    """Stands in for torchvision.transforms, of which airbench uses Normalize alone."""
    class Normalize:
        def __init__(self, mean, std):
            self.mean, self.std = (torch.as_tensor(value).view(-1, 1, 1) for value in (mean, std))

        def __call__(self, images):
            return (images - self.mean.to(images.dtype)) / self.std.to(images.dtype)

    vision, transforms = types.ModuleType('torchvision'), types.ModuleType('torchvision.transforms')
    transforms.Normalize, vision.transforms = Normalize, transforms
    sys.modules.update({vision.__name__: vision, transforms.__name__: transforms})


if os.environ.get('CUDA_ON_CPU') != '0':
    sys.meta_path.insert(0, AfterTorch())
