"""A tensor's arrangement in memory, with PyTorch's names: its layout and its memory format."""

from .absent import LAYOUTS
from .errors import AbsentError, ArgumentTypeError, ShapeError
from .shapes import contiguous_strides


class layout:
    """A way to store a tensor.  Each has one instance: compare with `is`."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"cltensor.{self.name}"

    def __reduce__(self):
        return self.name


strided, sparse_coo, sparse_csr = layout("strided"), layout("sparse_coo"), layout("sparse_csr")


def check_layout(value, op):
    """Raise AbsentError for a layout other than strided, ArgumentTypeError for no layout; None means strided."""
    if value is None or value is strided:
        return
    if type(value).__name__ == "layout":  # PyTorch's, in a program being ported
        if str(value) != "torch.strided":
            raise AbsentError(f"{op}: layout {value}: {LAYOUTS}")
        return
    raise ArgumentTypeError(f"{op}: layout must be cltensor.strided, got {value!r}; to_sparse makes a sparse tensor of a dense one")


class memory_format:
    """An order of dimensions in memory.  Each has one instance: compare with `is`."""

    __slots__ = ("name", "rank")

    def __init__(self, name, rank=None):
        self.name, self.rank = name, rank

    def __repr__(self):
        return f"cltensor.{self.name}"

    def __reduce__(self):
        return self.name


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last", 4)
channels_last_3d = memory_format("channels_last_3d", 5)

BY_NAME = {f.name: f for f in (contiguous_format, preserve_format, channels_last, channels_last_3d)}


def format_strides(shape, form, op):
    """The strides of a dense tensor in a memory format; None for preserve_format, where the op chooses them.

    Raises ShapeError if the format is for another number of dimensions.
    """
    if form is preserve_format:
        return None
    if form is None or form is contiguous_format:
        return contiguous_strides(shape)
    if not isinstance(form, memory_format):
        raise ArgumentTypeError(f"{op}: memory_format must be one of cltensor.{', cltensor.'.join(BY_NAME)}, got {form!r}")
    if len(shape) != form.rank:
        raise ShapeError(f"{op}: required rank {form.rank} tensor to use {form.name} format, got {list(shape)}")
    order = [0, *range(2, form.rank), 1]
    packed = contiguous_strides([shape[d] for d in order])
    return tuple(packed[order.index(d)] for d in range(form.rank))
