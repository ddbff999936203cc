"""Samples of planes beside the taps of a convolution, moved by offsets: what deformable convolutions multiply with.

x (N, C, H, W), offset (N, groups, taps, 2, *out) in rows and columns, y (N, C, taps, *out).  Between pixels samples are bilinear,
outside x is 0.  `slope` says for each axis whether the derivative by the place along it is taken instead: with it derivatives of
every order are made of two kernels.  Source: Dai et al., Deformable Convolutional Networks, 2017.
"""

import numpy as np

from ...base.errors import ShapeError
from ...codegen.templates import render
from ...dispatch.plan import In, Out
from ..index.concat import stack
from ..kinds.kernel import kernel
from ..kinds.launch import cpu_groups, step
from .planes import parts_of_a_plane, wide


def _check(op, shape, offset, kernel_size):
    n, channels = shape[:2]
    taps = kernel_size[0] * kernel_size[1]
    if (len(shape) not in (4, 5) or offset.ndim != 6 or offset.shape[0] != n or channels % max(offset.shape[1], 1)
            or offset.shape[2:4] != (taps, 2)):
        raise ShapeError(f"{op}: offset {offset.shape} does not fit input {shape} and kernel_size {kernel_size}: expected "
                         f"(N, groups, {taps}, 2, *out) with groups that divide the {channels} channels")


def sample_shape(x, offset, *, kernel_size, stride, padding, dilation, slope):
    """The Spec of y."""
    _check("deform_sample", x.shape, offset, kernel_size)
    return x.dense((*x.shape[:2], offset.shape[2], *offset.shape[4:]))


def scatter_shape(g, offset, *, size, kernel_size, stride, padding, dilation, slope):
    """The Spec of gx: (N, C, *size)."""
    _check("deform_scatter", g.shape, offset, kernel_size)
    return g.dense((*g.shape[:2], *size))


def _launch(inputs, outputs, *, kernel_size, stride, padding, dilation, slope, size=None):
    """One Step of the deform template."""
    first, offset, device = inputs[0], inputs[1], inputs[0].device
    form, planes = ("forward", first) if size is None else ("scatter", outputs[0])
    n, c = planes.shape[:2]
    parts = parts_of_a_plane(device, n * c, planes.shape[2])
    source = render("deform", style=device.profile.style, dtype=first.dtype, form=form, slope0=slope[0], slope1=slope[1])
    given = {"x": In(0), "g": In(0), "offset": In(1), "y": Out(0), "gx": Out(0)}
    for names, values in (
            ("n c s0 s1", planes.shape), ("taps", offset.shape[2:3]), ("o0 o1", offset.shape[4:]), ("d0 d1", stride),
            ("xn xc x0 x1" if size is None else "xn xc xt x0 x1", first.strides), ("fn fg ft fa f0 f1", offset.strides),
            ("p0_ p1_", padding), ("t0 t1", dilation)):
        given.update(zip(names.split(), values, strict=True))
    groups = cpu_groups(device, max(1, outputs[0].numel // 32) if size is None else n * c * parts)
    return [step(source, **given, each=c // offset.shape[1], parts=parts, k1=kernel_size[1], groups=groups)]


# --- gradients -------------------------------------------------------------------------------------------------------


def _offset_gradient(products, offset, slope, **window):
    """The gradient of the offset: for both axes the products of what the result is multiplied with and its slope, by group."""
    n, groups, taps, _, *out = offset.shape
    each = []
    for axis in (0, 1):
        moved = (slope[0] or axis == 0, slope[1] or axis == 1)
        total = None if slope[axis] else products(moved).reshape(n, groups, -1, taps, *out).sum(2)
        each.append(offset.new_zeros((n, groups, taps, *out)) if total is None else total)
    return stack(*each, dim=3)


def _sample_vjp(g, y, x, offset, *, needs, slope, **window):
    gx = goffset = None
    if needs[0]:
        gx = deform_scatter(wide(g), wide(offset), size=tuple(x.shape[2:]), slope=slope, **window).to(g.dtype)
    if needs[1]:
        goffset = _offset_gradient(lambda moved: g * deform_sample(x, offset, slope=moved, **window), offset, slope)
    return gx, goffset


def _scatter_vjp(g, y, g_, offset, *, needs, size, slope, **window):
    gg = goffset = None
    if needs[0]:
        gg = deform_sample(g, offset, slope=slope, **window)
    if needs[1]:
        goffset = _offset_gradient(lambda moved: g_ * deform_sample(g, offset, slope=moved, **window), offset, slope)
    return gg, goffset


# --- references ------------------------------------------------------------------------------------------------------


def _weights(place, size, slope):
    """The weights of the pixels of an axis at a place on it, or their derivatives by the place."""
    away = np.arange(size) - place
    inside = np.abs(away) < 1
    return np.where(inside, np.where(away > 0, 1.0, -1.0) if slope else 1 - np.abs(away), 0)


def _samples_of(offset, size, kernel_size, stride, padding, dilation, slope):
    """((n, group, tap, i, j), row weights, column weights) of every sample."""
    n, groups, taps, _, *out = offset.shape
    for at in np.ndindex(n, groups, taps, *out):
        tap = divmod(at[2], kernel_size[1])
        moved = offset[at[0], at[1], at[2], :, at[3], at[4]]
        places = [at[3 + a] * stride[a] - padding[a] + tap[a] * dilation[a] + moved[a] for a in (0, 1)]
        yield at, *(_weights(places[a], size[a], slope[a]) for a in (0, 1))


def _sample_ref(x, offset, **window):
    y, each = np.zeros((*x.shape[:2], offset.shape[2], *offset.shape[4:])), x.shape[1] // offset.shape[1]
    for (n, group, *at), rows, columns in _samples_of(offset, x.shape[2:], **window):
        channels = slice(group * each, (group + 1) * each)
        y[(n, channels, *at)] = np.einsum("chw,h,w->c", x[n, channels], rows, columns)
    return y


def _scatter_ref(g, offset, *, size, **window):
    gx, each = np.zeros((*g.shape[:2], *size)), g.shape[1] // offset.shape[1]
    for (n, group, *at), rows, columns in _samples_of(offset, size, **window):
        channels = slice(group * each, (group + 1) * each)
        gx[n, channels] += np.einsum("c,h,w->chw", g[(n, channels, *at)], rows, columns)
    return gx


_WINDOW = {"kernel_size": (2, 2), "stride": (1, 2), "padding": (1, 0), "dilation": (1, 2)}


def _declared(*shape, **attrs):
    """Samples with every slope; offsets keep their distance from whole pixels, where slopes jump."""
    def drawn(rng):
        offset = rng.integers(-2, 2, (1, 2, 4, 2, 2, 3)) + rng.uniform(0.1, 0.9, (1, 2, 4, 2, 2, 3))
        return [((rng.uniform(-1, 1, shape), offset), {**_WINDOW, **attrs, "slope": slope})
                for slope in ((False, False), (True, False), (False, True), (True, True))]
    return drawn


deform_sample = kernel(
    "deform_sample", shape=sample_shape, launch=_launch, dtypes="floating", saves="x(offset) offset", public=False, vjp=_sample_vjp,
    work=lambda specs, outs, **_: 12 * outs[0].numel, samples=_declared(1, 4, 4, 5), ref=_sample_ref,
    doc="Samples of x beside the taps of a convolution.")

deform_scatter = kernel(
    "deform_scatter", shape=scatter_shape, launch=_launch, dtypes="wide", saves="g(offset) offset", public=False, vjp=_scatter_vjp,
    work=lambda specs, outs, **_: 12 * specs[0].numel, samples=_declared(1, 4, 4, 2, 3, size=(4, 5)), ref=_scatter_ref,
    doc="gx of spatial size `size`: each g added to the pixels that its sample was made of.")
