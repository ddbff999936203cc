"""Rendered files give their reader's compiler nothing to warn of.  The runtime does not ask for warnings; a stranger's build does.

One dtype of each template runs always, in the launch style under test.  All dtypes, forms and ops run with CLTENSOR_GENERATOR=all.
"""

import re
import warnings

import pyopencl as cl
import pytest

from cltensor.base import dtypes
from cltensor.cli.kernels import catalog, explained, rendering
from cltensor.codegen import templates
from cltensor.codegen.parameters import one_of
from generator.cases import WHOLE
from ops import samples

pytestmark = pytest.mark.device


def warned(source, device):
    """What the device's compiler says of a rendered file, as a list of lines."""
    if explained.device(source, source.text)["double"] and not device.profile.fp64:
        return []
    program = cl.Program(device.context, explained.explained(explained.facts(source)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyopencl warns of any non-empty log; Intel's is never empty
        program.build(["-cl-std=CL1.2"], devices=[device.entry.device], cache_dir=False)
    return re.findall(r"warning: .*", program.get_build_info(device.entry.device, cl.program_build_info.LOG))


def forms(name):
    """Values of a template's parameters, one of them other than its default at a time."""
    yield {}
    for k, p in templates.declared(name).items():
        if WHOLE and isinstance(p.allowed, one_of):
            yield from ({k: v} for v in p.allowed.values if v != p.default)


def rendered(name, style):
    """The Sources of a template's forms and dtypes."""
    entry = catalog.entry(name)
    for dtype in entry.dtypes if WHOLE else [dtypes.float32] if dtypes.float32 in entry.dtypes else entry.dtypes[:1] or [None]:
        for values in forms(name):
            try:
                yield rendering.of_template(entry, dtype, style, values)
            except rendering.RenderError:
                if not values:  # others need not go together
                    raise


@pytest.mark.limit(1200)
@pytest.mark.parametrize("name", templates.names())
def test_templates(name, device):
    style = device.profile.style
    if style not in templates.styles(name):
        pytest.skip(f"{name} has no {style} style")
    assert {line for source in rendered(name, style) for line in warned(source, device)} == set()


@pytest.mark.limit(1200)
@pytest.mark.skipif(not WHOLE, reason="run all with CLTENSOR_GENERATOR=all")
@pytest.mark.parametrize("name", catalog.ops() if WHOLE else ["none"])
def test_ops(name, device):
    op = catalog.ops()[name]
    sources = {rendering.of_op(op, dtype, device.profile.style) for dtype in samples.allowed(op)}
    assert {line for source in sources for line in warned(source, device)} == set()
