"""Which of the ways to compute attention may be taken: by a kernel that never stores all scores, or of ordinary ops."""

from __future__ import annotations

import contextlib
import enum
import threading

from ...base.errors import AssertedError, CLTensorError


class SDPBackend(enum.Enum):
    """The ways to compute scaled_dot_product_attention, by PyTorch's names.

    MATH is of ordinary ops, for any shapes and dtypes; the others all mean the kernel that never stores the scores (L, S).
    Raises ValueError for another number.  Source: Dao et al. 2022 for that kernel's method.

        >>> from cltensor.nn.attention import SDPBackend
        >>> SDPBackend(0)
        <SDPBackend.MATH: 0>
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __int__(self):
        return self.value


_FUSED = frozenset((SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.CUDNN_ATTENTION,
SDPBackend.OVERRIDEABLE))


class _State(threading.local):
    """What this thread allows; None for everything."""

    allowed = None


_state = _State()


@contextlib.contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False):
    """A context in which scaled_dot_product_attention, of any shapes and dtypes, takes one of these ways only.

    Among several the faster one is taken, whatever set_priority says.
    Raises AssertedError for what is no SDPBackend; in the context, CLTensorError where none of them can be taken.
    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> from cltensor.nn.attention import SDPBackend, sdpa_kernel
        >>> x = ones(1, 1, 2, 4)
        >>> with sdpa_kernel(SDPBackend.MATH):
        ...     nn.functional.scaled_dot_product_attention(x, x, x).shape
        cltensor.Size([1, 1, 2, 4])
    """
    if not isinstance(backends, (list, tuple, SDPBackend)):
        raise AssertedError("Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
                            f"{type(backends).__name__}")
    before, _state.allowed = _state.allowed, {backends} if isinstance(backends, SDPBackend) else set(backends)
    try:
        yield
    finally:
        _state.allowed = before


def takes_kernel(can, prefers, why):
    """Whether to take the kernel: it can do it, and is preferred where the choice is free.  Raises CLTensorError for neither.

    can, prefers: functions without arguments; why: says why the kernel cannot.
    """
    allowed = _state.allowed
    if allowed is None:
        return can() and prefers()
    fused, composed = not _FUSED.isdisjoint(allowed), SDPBackend.MATH in allowed
    if not fused and not composed:
        raise CLTensorError("No viable backend for scaled_dot_product_attention was found. This is likely due to turning off both "
                            "the math kernel and the fused kernels; allow SDPBackend.MATH")
    if fused and can() and (not composed or prefers()):
        return True
    if not composed:
        raise CLTensorError(f"No available kernel for scaled_dot_product_attention: {why()}; allow SDPBackend.MATH")
    return False
