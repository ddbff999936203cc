"""The two sides of a comparison: cltensor and, on request, PyTorch."""

import os
import shutil
import time

import numpy as np

import cltensor

from ...base.errors import CLTensorError
from ...runtime.background import background
from ...version import __version__

WARM, TRIED, PATIENCE = 8, 100, 2.0  # calls until programs are asked for, then until ways are chosen, in so many seconds at most


class Ours:
    """cltensor on its default device."""

    name, xp = "cltensor", cltensor

    def __init__(self):
        self.device = cltensor.device("opencl")
        p = self.device.profile
        self.facts = {"version": __version__, "device": str(self.device), "name": p.name, "kind": p.kind,
                      "style": p.style, "units": p.compute_units, "platform": p.platform, "driver": p.driver}

    def compiled(self, action):
        """The action compiled, with its kernels at once."""
        return cltensor.compile(action, options={"wait": True})

    def settled(self, action):
        """Call a compiled action until no program is compiled for it in the background and no way of launching it tried out."""
        for _ in range(WARM):
            action()
        background.wait()
        until = time.perf_counter() + PATIENCE
        for _ in range(TRIED):
            action()
            if time.perf_counter() > until:
                break
        self.wait()

    def tensor(self, array, dtype):
        """A NumPy array as a tensor of cltensor dtype `dtype`."""
        return cltensor.tensor(array, device=self.device).to(dtype)

    def wait(self):
        """Wait for the device."""
        self.device.synchronize()


class Torch:
    """PyTorch on the CPU with as many threads as our device has units, or on its GPU if ours is one."""

    name = "torch"

    def __init__(self, ours):
        try:
            import torch
        except ImportError as e:
            raise CLTensorError(f"bench: --vs torch needs PyTorch, which does not load ({e}); install it: "
                                'pip install "cltensor[parity]"') from e
        self.xp = torch
        gpu = ours.facts["kind"] == "gpu" and torch.cuda.is_available()
        self.device = torch.device("cuda" if gpu else "cpu")
        threads = ours.facts["units"] if ours.facts["kind"] == "cpu" else os.cpu_count()
        torch.set_num_threads(threads)
        if gpu:
            torch.backends.cudnn.allow_tf32 = False  # both sides use float32
        self.facts = {"version": torch.__version__, "device": str(self.device), "threads": threads}

    def compiled(self, action):
        """The action compiled by torch.compile, which needs a C++ compiler.  Raises CLTensorError where there is none."""
        wanted = [os.environ.get("CXX", "g++"), "clang++"]
        if not any(map(shutil.which, wanted)):
            raise CLTensorError(f"bench: --compile --vs torch needs a C++ compiler for torch.compile, and there is no {wanted[0]}; "
                                "install one, or name it in the environment variable CXX")
        self.xp.compiler.reset()  # PyTorch compiles one function eight times only
        return self.xp.compile(action)

    def tensor(self, array, dtype):
        """A NumPy array as a tensor; dtype: the cltensor dtype of the same name."""
        return self.xp.tensor(array, device=self.device).to(getattr(self.xp, dtype.name))

    def wait(self):
        """Wait for the device."""
        if self.device.type == "cuda":
            self.xp.cuda.synchronize()


def inputs(shapes, dtype, rng):
    """NumPy arrays of these shapes, the same for both sides: normal for floating dtypes, else small integers."""
    if dtype.is_floating_point:
        return [rng.standard_normal(s, np.float64 if dtype.itemsize == 8 else np.float32) for s in shapes]
    return [rng.integers(0, 2 if dtype.category == "bool" else 100, s) for s in shapes]


def values(result):
    """A tensor of either side as a NumPy array of float64."""
    result = result.detach().double()
    return (result if isinstance(result, cltensor.Tensor) else result.cpu()).numpy()
