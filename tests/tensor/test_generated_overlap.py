"""Every op on memory that is shared: results written over the inputs, and gradients of inputs that repeat a place.

The same op on copies of its inputs is the reference.
"""

import numpy as np
import pytest

import cltensor as ct
from cltensor.base import dtypes
from ops import samples

pytestmark = pytest.mark.device


def _dtype(op):
    return dtypes.float32 if dtypes.float32 in samples.allowed(op) else samples.allowed(op)[-1]


def _rows(shape):
    """Strides of rows with room between them."""
    strides, step = [], 2 * shape[-1] + 3
    for n in reversed(shape[:-1]):
        strides.insert(0, step)
        step *= n
    return (*strides, 1 if len(shape) > 1 else 2), step * 2


class Shared:
    """A flat tensor in which the inputs of an op lie one behind the other, in rows with room between them."""

    def __init__(self, arrays, dtype):
        places, size = [], 0
        for a in arrays:
            strides, extent = _rows(a.shape)
            places.append((a.shape, strides, size))
            size += extent
        self.base = ct.full((2 * size,), 1, dtype=dtype)
        self.inputs = [self.base.as_strided(*place) for place in places]
        for view, a in zip(self.inputs, arrays, strict=True):
            view.copy_(samples.tensor(a, dtype))

    def output(self, shape, shift):
        """A view for a result that starts at the first input, or `shift` elements behind; None where there is no room."""
        strides, extent = _rows(shape)
        return self.base.as_strided(shape, strides, shift) if shift + extent <= self.base.numel() else None

    def outside(self, view):
        """The memory around a view, as an array with zeros where the view lies."""
        memory = samples.values(self.base).copy()
        within = np.lib.stride_tricks.as_strided(memory[view.storage_offset():], view.shape,
                                                 [s * memory.itemsize for s in view.stride()])
        within[...] = 0
        return memory


def _shares(a, dtype):
    return isinstance(a, np.ndarray) and a.ndim and a.size > 1 and a.dtype.kind == ("f" if dtype.is_floating_point else
                                                                                    np.dtype(dtype.numpy).kind)


def _calls(op):
    """(arrays of the inputs that share memory, function of these as tensors, dtype) for the first sample of op, if any do."""
    dtype = _dtype(op)
    for arrays, attrs in samples.samples(op, dtype)[:1]:
        at = [i for i, a in enumerate(arrays) if _shares(a, dtype)]
        rest = [samples.tensor(a, dtype) for a in arrays]

        def call(*xs, at=tuple(at), rest=tuple(rest), attrs=attrs, **given):
            args = list(rest)
            for i, x in zip(at, xs, strict=True):
                args[i] = x
            return op(*args, **attrs, **given)

        if at:
            yield [arrays[i] for i in at], call, dtype


def _ops():
    """The tested ops, without those that take one layout, and without elementwise ops of long functions."""
    return [op for op in samples.ops("elementwise", "reduction", "other") if not op.host and op.name not in samples.DENSE_ONLY
            and not (op.kind == "elementwise" and op.name in samples.REFERENCED_ELSEWHERE)]


def _written():
    return [pytest.param(op, id=op.name) for op in _ops() if op.kind != "view"]


def _close(found, wanted, dtype, what):
    rtol, atol = samples.tolerance(dtype, 16) if dtype.is_floating_point else (0, 0)
    np.testing.assert_allclose(samples.values(found), samples.values(wanted), rtol=rtol, atol=atol, err_msg=what)


def _first(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("op", [p for p in _written() if p.values[0].out])
def test_result_over_the_inputs(op):
    """out= lies on the first input, one element further, and in the room between its rows."""
    for arrays, call, dtype in _calls(op):
        for shift in (0, 1, arrays[0].shape[-1] + 1):
            shared = Shared(arrays, dtype)
            wanted = _first(call(*(x.clone() for x in shared.inputs)))
            out = shared.output(wanted[0].shape, shift) if wanted[0].ndim else None
            if out is None or out.numel() < 2 or not dtypes.can_cast(wanted[0].dtype, dtype):
                continue
            before, others = shared.outside(out), tuple(ct.empty_like(w) for w in wanted[1:])
            call(*shared.inputs, out=(out, *others) if others else out)
            _close(out, wanted[0].to(dtype), dtype, f"out= {shift} behind the first input")
            np.testing.assert_array_equal(shared.outside(out), before)


@pytest.mark.parametrize("op", [p for p in _written() if p.values[0].inplace])
def test_in_place_over_the_other_inputs(op):
    """The other inputs begin one element after the target."""
    for arrays, call, dtype in _calls(op):
        shared = Shared(arrays[:1], dtype)
        x = shared.inputs[0]
        shifted = shared.base.as_strided(x.shape, x.stride(), 1)
        shifted[..., -1] = 1
        inputs = [x, *[shifted] * (len(arrays) - 1)]
        wanted = call(*(t.clone() for t in inputs))
        if wanted.shape == x.shape and dtypes.can_cast(wanted.dtype, dtype):
            before = shared.outside(x)
            assert call(*inputs, out=x, inplace=True) is x
            _close(x, wanted.to(dtype), dtype, "in place")
            np.testing.assert_array_equal(shared.outside(x), before)


# --- gradients -------------------------------------------------------------------------------------------------------


def _expanded(shape):
    """(strides, extent) of a layout whose longest dimension shows one place."""
    long = max(range(len(shape)), key=lambda d: shape[d])
    strides, step = [0] * len(shape), 1
    for d in reversed(range(len(shape))):
        if d != long:
            strides[d], step = step, step * shape[d]
    return tuple(strides), step


def _overlapping(shape):
    """(strides, extent) of a layout all of whose strides are 1."""
    return (1,) * len(shape), 1 + sum(n - 1 for n in shape)


def _differentiable():
    """Elementwise ops with one layout, all others with both."""
    return [pytest.param(op, layout, id=f"{op.name}-{layout.__name__.strip('_')}") for op in _ops()
            if op.differentiable and dtypes.float32 in samples.allowed(op)
            for layout in (_overlapping, _expanded)[: 1 + (op.kind != "elementwise")]]


def _gradients(call, xs, of):
    """The gradients of tensors that xs are made of; None where the results have none."""
    results = [r for r in _first(call(*xs)) if r.is_floating_point() and r.requires_grad]
    seeds = [(ct.arange(r.numel()).reshape(r.shape) % 5 - 2).to(r.dtype) for r in results]
    return ct.autograd.grad(results, of, seeds, allow_unused=True) if results else None


@pytest.mark.parametrize(("op", "layout"), _differentiable())
def test_gradient_of_inputs_that_repeat_places(op, layout):
    """The gradient of a place is the sum of the gradients of its indices, computed on copies."""
    for arrays, call, _ in _calls(op):
        layouts = [layout(a.shape) for a in arrays]
        memory = [ct.tensor(np.resize(a, extent), dtype=ct.float32, requires_grad=True)
                  for a, (_, extent) in zip(arrays, layouts, strict=True)]
        views = [m.as_strided(a.shape, strides) for m, a, (strides, _) in zip(memory, arrays, layouts, strict=True)]
        copies = [v.detach().clone().requires_grad_() for v in views]
        own = _gradients(call, copies, copies)
        if own is None:
            continue
        found = _gradients(call, views, memory)
        for f, g, (strides, extent) in zip(found, own, layouts, strict=True):
            assert (f is None) is (g is None)
            if g is not None:
                _compare_sums(f.numpy(), g.numpy(), strides, extent)


def _compare_sums(found, each, strides, extent):
    """found: per place of memory; each: per index, to be added up at its place."""
    places = np.lib.stride_tricks.as_strided(np.arange(extent), each.shape, [8 * s for s in strides])
    wanted, size = np.zeros(extent), np.zeros(extent)
    np.add.at(wanted, places.reshape(-1), each.reshape(-1).astype(np.float64))
    np.add.at(size, places.reshape(-1), np.abs(each).reshape(-1).astype(np.float64))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * size.max(initial=1e-3))
