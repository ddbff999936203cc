"""C programs made from the JSON of rendered kernels alone, compiled with gcc and run on the driver under test.

A few templates and ops run always.  All of them, in every dtype, run with CLTENSOR_GENERATOR=all (ci/test --generator).
"""

import os

import pytest

from cltensor.base import dtypes
from cltensor.dispatch.registry import REGISTRY
from generator import cases, program
from generator.compiled_c import compiled, needs_gcc, ran
from ops import samples

WHOLE = os.environ.get("CLTENSOR_GENERATOR") == "all"
#: ops and dtypes that run always: a few templates of each kind
FEW = {"softmax_dim": ("float32", "float16"), "softmax_grad": ("float64",), "search_rows": ("float32",), "mode_rows": ("float32",),
       "compact": ("float32",), "sort_rows": ("float32",), "exp": ("bfloat16",), "add": ("int32",), "sub": ("float32",),
       "sum_reduce": ("float32", "complex64"), "argmax_reduce": ("int64",), "cumsum_dense": ("float32",), "matmul": ("float32",),
       "convolution": ("float32",), "gather_along": ("float32",), "norm_forward": ("float32",), "avg_pool": ("float32",)}


def run(found, folder):
    """Run Cases as one program; everything but right is shown."""
    status, output = ran(compiled(program.written(found, folder)))
    assert status == 0, output
    assert output.count("right  ") == len(found), output


@needs_gcc
@pytest.mark.device
@pytest.mark.limit(600)
@pytest.mark.parametrize("style", ["cpu", "gpu"])
def test_few(style, tmp_path):
    found = [case for name, kinds in FEW.items() for kind in kinds
             for case in cases.of_op(REGISTRY[name], dtypes.BY_NAME[kind], style, 2)]
    assert len(found) >= 8
    run(found, tmp_path)


@needs_gcc
@pytest.mark.device
@pytest.mark.limit(3600)
@pytest.mark.skipif(not WHOLE, reason="run all with CLTENSOR_GENERATOR=all")
@pytest.mark.parametrize("style", ["cpu", "gpu"])
@pytest.mark.parametrize("name", [op.name for op in samples.referenced("elementwise", "reduction", "other")
                                  if op.kind in ("elementwise", "reduction", "scan", "kernel")] if WHOLE else ["none"])
def test_all(name, style, tmp_path):
    op = REGISTRY[name]
    found = [case for dtype in samples.tried(op) if dtype in op.allowed for case in cases.of_op(op, dtype, style)]
    if not found:
        pytest.skip(f"{name} launches no kernel with a declared interface")
    run(found, tmp_path)
