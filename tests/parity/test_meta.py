"""Every op on the meta device: PyTorch's shapes and dtypes, without a value, a kernel or memory."""

import warnings

import pytest
import torch

import cltensor
from cltensor.base.errors import NoDataError

from . import listed, samples
from .compare import same
from .convert import Converter, Inconvertible
from .database import Missing, entries, implementation, is_missing, rebound
from .runner import NOT_UNIQUE

pytestmark = [pytest.mark.parity, pytest.mark.device, pytest.mark.any_style]
GROUPS = 24

#: entries whose results' sizes, or whether they work, depend on values: where PyTorch raises too, or could
BY_VALUE = frozenset("""
    nonzero nonzero_static argwhere unique unique_consecutive masked_select bincount histc histogram histogramdd equal allclose item
    combinations repeat_interleave where tensor_split nn.functional.one_hot nn.functional.ctc_loss
    nn.functional.embedding_bag to_sparse narrow _segment_reduce.lengths sparse.mm.reduce
    linspace.tensor_overload logspace.tensor_overload
""".split())


class MetaConverter(Converter):
    """As Converter, with every tensor on the meta device."""

    def flat(self, t, dtype):
        """See Converter."""
        return cltensor.empty(t.shape[0], dtype=dtype, device="meta")


def tried(name):
    """(implementation, sample) for a few samples of an entry in float32, or in int64 where it has none."""
    op = entries()[name]
    dtype = next((d for d in (torch.float32, torch.int64, torch.bool) if d in op.supported_dtypes("cpu")), None)
    if dtype is not None:
        fn = implementation(op)
        for s in samples.chosen(op, name, dtype)[:4]:
            yield op, fn, s


def check(name):
    """What differs for one entry, or "" where nothing does."""
    try:
        for op, fn, s in tried(name):
            args = MetaConverter()((s.input, s.args, s.kwargs))
            with cltensor.device("meta"):
                got = fn(args[0], *args[1], **args[2])
            expected = op.op(s.input, *s.args, **s.kwargs)
            if name in NOT_UNIQUE:
                got, expected = rebound(s.output_process_fn_grad)(got), s.output_process_fn_grad(expected)
            same(name, got, expected, values=False)
    except (Inconvertible, Missing):
        return ""
    except NoDataError as error:
        return "" if name in BY_VALUE else f"{name}: reads a value: {error}"
    except Exception as error:
        return "" if is_missing(error) else f"{name}: {type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("group", range(GROUPS))
def test_shapes_without_values(group):
    unsupported = listed.read()
    names = [name for name in entries() if name not in unsupported][group::GROUPS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = [text for text in map(check, names) if text]
    assert names
    assert not wrong, "\n".join(wrong)
