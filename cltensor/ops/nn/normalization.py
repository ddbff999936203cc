"""Normalisation of regular pieces of memory and its gradient, one launch each (template norm)."""

import math
from typing import NamedTuple

import numpy as np

from ...base.errors import DTypeError, ShapeError
from ...codegen import types
from ...codegen.templates import render
from ...dispatch.plan import In, Out, Value
from ..kinds.elementwise import streams
from ..kinds.kernel import kernel
from ..kinds.launch import compute_dtype, step
from . import onnx_rules

GRAIN = 2048  # elements per cpu work-group, at least: fewer cost more than they save
WIDEST = 1 << 16  # most weights for which each work-group may keep sums
SHORTEST = 16  # with shorter runs, it is faster to process columns side by side


class Cut(NamedTuple):
    """How a contiguous tensor is divided into units; see the template."""

    weights: str
    units: int
    step: int
    segments: int
    stride: int
    run: int
    period: int = 1


def cut(x, dims, along, weighed=True):
    """The Cut for normalising a tensor or Spec x over `dims`, with a weight for each index of the dimensions `along`.

    None if the units are not regular pieces of memory.
    """
    shape, ndim = x.shape, len(x.shape)
    if dims[:1] == (0,) and ndim > 1 and dims[1:] == tuple(range(2, ndim)):
        found = _batch(shape, along)
    else:
        found = _rows(shape, dims, along) if dims == tuple(range(ndim - len(dims), ndim)) else None
    if found is None or not math.prod(shape):
        return None
    return found if weighed else found._replace(weights="none")


def suits(x, dims, along):
    """Whether norm_forward and norm_backward accept x and have enough units to keep its device busy."""
    found = cut(x, dims, along)
    return found is not None and found.units >= x.device.profile.compute_units


def _batch(shape, along):
    n, c, size = shape[0], shape[1], math.prod(shape[2:])
    return Cut("unit", c, size, n, c * size, size, c) if along == (1,) and size >= SHORTEST else None


def _rows(shape, dims, along):
    lead = len(shape) - len(dims)
    units, size = math.prod(shape[:lead]), math.prod(shape[lead:])
    if along == dims:
        return Cut("element", units, size, 1, 0, size) if size <= WIDEST else None
    if along == (1,) and lead == 2:
        return Cut("unit", units, size, 1, 0, size, shape[1])
    if along == (1, 2) and lead == 2:
        run = size // max(shape[2], 1)
        return Cut("segment", units, size, shape[2], run, run, shape[1])
    return None


def _kept(x, dims):
    return x.dense(tuple(1 if d in dims else n for d, n in enumerate(x.shape)), compute_dtype(x.dtype))


def _check(op, x, *others):
    for name, s in (("x", x), *others):
        if s is not None and not s.contiguous:
            raise ShapeError(f"{op}: {name} {tuple(s.shape)} with strides {s.strides} must be contiguous")


def _groups(x, units):
    return max(1, min(x.device.profile.groups, units, x.numel // GRAIN))


def _step(form, x, found, given, epilogue=None, **parameters):
    profile, given = x.device.profile, dict(given)
    if epilogue is not None:
        functions, values = epilogue.text(types.compute_type(x.dtype), "acc")
        parameters |= {"functions": functions, "epilogue": values[0], "extras": tuple(s.dtype.name for _, s in epilogue.extras),
                       "outs": tuple((s.dtype.name, v) for (_, s), v in zip(epilogue.outs, values[1:], strict=True)),
                       "scalars": tuple(n for n, _ in epilogue.scalars)}
        for n, operands in (("e", epilogue.extras), ("o", epilogue.outs)):
            given.update((f"{n}{i}_p", arg) for i, (arg, _) in enumerate(operands))
        given.update(epilogue.scalars)
    source = render("norm", style=profile.style, form=form, dtype=x.dtype, weights=found.weights,
                    stream=epilogue is None and streams(profile, x), WGS=profile.work_group, **parameters)
    given.update(zip(found._fields[1:], found[1:], strict=True))
    eps = Value(0, getattr(np, types.NUMPY_OF[types.compute_type(x.dtype)]))
    return [step(source, **given, eps=eps, groups=_groups(x, found.units))]


class _Finishing:
    """How a normalisation is finished, by its launch rule."""

    def __init__(self, launch):
        self.launch = launch

    def admits(self, specs, outs, others, **attributes):
        """Whether operands and further results lie as x does."""
        return all(s.contiguous and s.shape == outs[0].shape for s in others)

    def steps(self, specs, outs, epilogue, **attributes):
        """The Steps of the normalisation and its epilogue."""
        return self.launch(specs, outs, epilogue=epilogue, **attributes)


def _operands(**given):
    """Template parameters: which of weight and bias exist, and their dtypes."""
    return {n: s is not None for n, s in given.items()} | {f"{n}_dtype": s.dtype for n, s in given.items() if s is not None}


def _shape(x, weight, bias, *, dims, along, eps):
    _check("norm_forward", x, ("weight", weight), ("bias", bias))
    return x, _kept(x, dims), _kept(x, dims)


def _launch(specs, outs, *, dims, along, epilogue=None):
    x, weight, bias = specs
    given = {"x_p": In(0), "w_p": In(1), "b_p": In(2), "y_p": Out(0), "mean_p": Out(1), "m2_p": Out(2)}
    weighed = weight is not None or bias is not None
    return _step("forward", x, cut(x, dims, along, weighed), given, epilogue, **_operands(weight=weight, bias=bias))


def _gradient_shape(g, x, mean, m2, weight, *, dims, along, sums, eps):
    _check("norm_backward", x, ("g", g), ("mean", mean), ("m2", m2), ("weight", weight))
    if g.dtype is not x.dtype or m2.dtype is not mean.dtype:
        raise DTypeError(f"norm_backward: g {g.dtype.name} needs x's dtype, {x.dtype.name}, and m2 {m2.dtype.name} mean's, "
                         f"{mean.dtype.name}")
    if not sums:
        return x
    found = cut(x, dims, along)
    shape = {"element": (_groups(x, found.units), found.run), "unit": (found.units // found.period, found.period),
             "segment": (found.units // found.period, found.period * found.segments)}
    return x, x.dense((2, *shape[found.weights]), compute_dtype(x.dtype))


def _gradient_launch(specs, outs, *, dims, along, sums, epilogue=None):
    x, weight = specs[1], specs[4]
    found = cut(x, dims, along, sums or weight is not None)
    given = {"g_p": In(0), "x_p": In(1), "mean_p": In(2), "m2_p": In(3), "w_p": In(4), "gx_p": Out(0), "s_p": Out(1)}
    return _step("backward", x, found, given, epilogue, **_operands(weight=weight, bias=None), mean_dtype=specs[2].dtype, sums=sums)


def laid(vector, x, along):
    """A weight or bias (array or tensor) shaped to broadcast over x; None stays None."""
    return None if vector is None else vector.reshape([n if d in along else 1 for d, n in enumerate(x.shape)])


def reference(x, weight, bias, *, dims, along, eps):
    """NumPy: (y, mean, m2)."""
    mean, variance = (f(x, axis=dims, keepdims=True) for f in (np.mean, np.var))
    weight, bias = laid(weight, x, along), laid(bias, x, along)
    y = (x - mean) / np.sqrt(variance + eps) * (1 if weight is None else weight) + (0 if bias is None else bias)
    return y, mean, variance * (x.size / mean.size)


def samples(rng):
    """Samples: each weight layout, runs with and without a remainder, parameters left out."""
    def drawn(*shape):
        return rng.uniform(-2, 2, shape)

    batch, channels, groups = ({"dims": d, "along": a, "eps": 0.1} for d, a in (((0, 2), (1,)), ((2,), (1,)), ((2, 3), (1, 2))))
    rows = {"dims": (1,), "along": (1,), "eps": 0.1}
    x, y = drawn(2, 3, 40), drawn(3, 37)
    return [((x, *drawn(2, 3)), batch), ((x, *drawn(2, 3)), channels), ((drawn(2, 3, 2, 5), *drawn(2, 6)), groups),
            ((y, *drawn(2, 37)), rows), ((y, drawn(37), None), rows), ((y, None, None), rows)]


def _gradient_reference(g, x, mean, m2, weight, *, dims, along, sums, eps):
    deviation = np.sqrt(m2 * mean.size / x.size + eps)
    normal, gw = (x - mean) / deviation, g if weight is None else g * laid(weight, x, along)
    g1, g2 = (np.mean(v, axis=dims, keepdims=True) for v in (gw, gw * normal))
    return (gw - g1 - normal * g2) / deviation


def _gradient_samples(rng):
    found = []
    for (x, weight, _), attributes in samples(rng):
        _, mean, m2 = reference(x, None, None, **attributes)
        found.append(((rng.uniform(-2, 2, x.shape), x, mean, m2, weight), {**attributes, "sums": False}))
    return found


def _work(each):
    """The work of so many operations for each element."""
    return lambda specs, outs, **attributes: each * specs[0].numel


norm_forward = kernel(
    "norm_forward", onnx=onnx_rules.normalized,
    shape=_shape, launch=_launch, finishing=_Finishing(_launch), work=_work(8), values=("eps",),
    dtypes="floating", public=False,
    ref=reference, samples=samples,
    doc="""(y, mean, m2) of x normalised over dims, times weight plus bias, which hold a number for each index of the dimensions
    `along`, or are None.""")

norm_backward = kernel(
    "norm_backward", onnx=onnx_rules.norm_backward,
    shape=_gradient_shape, launch=_gradient_launch, finishing=_Finishing(_gradient_launch), work=_work(12),
    values=("eps",), dtypes="floating", public=False,
    ref=_gradient_reference, samples=_gradient_samples,
    doc="""The gradient of norm_forward's x from that of y; with `sums` also (2, n, weights), whose sums over n are those of g, and
    of g times the normalised x, for each weight.""")
