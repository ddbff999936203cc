"""Pooling of regions of interest, in planes (N, C, H, W) at regions (K, 5): image, left, top, right, bottom.

Each region is cut into output_size bins; y is (K, C, *output_size).  Coordinates are multiplied by spatial_scale first.  The
kinds of mean: "align", bilinear samples of every bin (He et al., Mask R-CNN, 2017); "ps_align" and "ps_pool", samples and pixels
where each bin reads a channel of its own (Dai et al., R-FCN, 2016).  The maximum is that of Girshick, Fast R-CNN, 2015.
Regions have no gradient.
"""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import ShapeError
from ...codegen.templates import render
from ...codegen.types import NUMPY_OF, compute_type
from ...dispatch import faults
from ...dispatch.plan import In, Out, Value
from ..kinds.kernel import kernel
from ..kinds.launch import cpu_groups, step
from . import onnx_rules
from .planes import parts_of_a_plane, wide
from .roi_reference import max_of_regions, mean_of_regions

# --- shape rules -----------------------------------------------------------------------------------------------------


def _check(op, x, rois):
    if x.ndim != 4 or rois.ndim != 2 or rois.shape[1] != 5 or rois.dtype is not x.dtype:
        raise ShapeError(f"{op}: expected input (N, C, H, W) and regions (K, 5) of one dtype, got {x.dtype.name} {x.shape} and "
                         f"{rois.dtype.name} {rois.shape}; a region is its image's number, left, top, right, bottom")


def _channels(kind, channels, output_size):
    bins = 1 if kind == "align" else math.prod(output_size)
    if channels % bins:
        raise ShapeError(f"roi_mean: input has {channels} channels; position-sensitive pooling needs a multiple of the "
                         f"{output_size[0]} x {output_size[1]} bins, since each bin reads its own channels")
    return channels // bins


def mean_shape(x, rois, *, kind, output_size, sampling_ratio, aligned, spatial_scale):
    """The Spec of y: (K, C, *output_size), or C / (number of bins) channels if each bin has its own."""
    _check("roi_mean", x, rois)
    return x.dense((rois.shape[0], _channels(kind, x.shape[1], output_size), *output_size))


def mean_gradient_shape(g, rois, *, kind, size, sampling_ratio, aligned, spatial_scale):
    """The Spec of gx, of shape `size`."""
    _check("roi_mean_gradient", g, rois)
    return g.dense(size)


def max_shape(x, rois, *, output_size, spatial_scale):
    """Specs of (y, positions)."""
    _check("roi_max", x, rois)
    y = x.dense((rois.shape[0], x.shape[1], *output_size))
    return y, y.dense(dtype=dtypes.int64)


# --- launch rules ----------------------------------------------------------------------------------------------------


def _launch(form, inputs, outputs, kind="pool", sampling_ratio=0, aligned=False):
    """One Step of the roi template."""
    first, rois, device = inputs[0], inputs[1], inputs[0].device
    planes, bins = (outputs[0], first) if form == "scatter" else (first, outputs[0])
    parts = parts_of_a_plane(device, planes.shape[0] * planes.shape[1], planes.shape[2])
    number = getattr(np, NUMPY_OF[compute_type(first.dtype)])
    source = render("roi", style=device.profile.style, dtype=first.dtype, kind=kind, form=form, adaptive=sampling_ratio <= 0)
    fault, who = faults.note(device)
    given = {"x": In(0), "g": In(0), "rois": In(1), "y": Out(0), "gx": Out(0), "position": Out(1), "fault": fault, "who": who}
    for names, values in (("n c s0 s1", planes.shape), ("regions cy o0 o1", bins.shape), ("xn xc x0 x1", first.strides),
                          ("r0 r1", rois.strides)):
        given.update(zip(names.split(), values, strict=True))
    units = planes.shape[0] * planes.shape[1] * parts if form == "scatter" else bins.numel // 32
    return [step(source, **given, parts=parts, ratio=sampling_ratio, shift=0.5 if aligned or kind == "ps_align" else 0,
                 scale=Value(0, number), groups=cpu_groups(device, max(1, units)))]


def _mean_launch(inputs, outputs, *, output_size=None, size=None, **how):
    return _launch("forward" if size is None else "scatter", inputs, outputs, **how)


# --- declarations ----------------------------------------------------------------------------------------------------

_ROIS = np.array([[0, 0.3, 0.7, 4.2, 3.9], [1, -1.4, 1.1, 6.3, 2.2], [0, 2.1, 2.6, 2.9, 8.1]])
_SIZE, _HOW = (2, 4, 5, 6), {"sampling_ratio": 2, "aligned": True, "spatial_scale": 0.75}
_KINDS = [{"kind": "align", **_HOW}, {"kind": "align", **_HOW, "sampling_ratio": -1, "aligned": False},
          {"kind": "ps_align", **_HOW}, {"kind": "ps_pool", **_HOW}]


def _mean_samples(rng):
    return [((rng.uniform(-1, 1, _SIZE), _ROIS), {**how, "output_size": (2, 2)}) for how in _KINDS]


def _mean_gradient_samples(rng):
    return [((rng.uniform(-1, 1, (3, 4 if how["kind"] == "align" else 1, 2, 2)), _ROIS), {**how, "size": _SIZE})
            for how in _KINDS]


def _mean_gradient_ref(g, rois, *, kind, size, sampling_ratio, aligned, spatial_scale):
    """The transpose of the mean, from its values on every unit vector."""
    units = np.eye(math.prod(size[2:])).reshape(-1, 1, 1, *size[2:])
    gx = np.zeros(size)
    for n, c in np.ndindex(*size[:2]):
        for place, unit in enumerate(units):
            x = np.zeros(size)
            x[n, c] = unit[0, 0]
            y = mean_of_regions(x, rois, kind, g.shape[2:], sampling_ratio, aligned, spatial_scale)
            gx[n, c].flat[place] = (y * g).sum()
    return gx


def _mean_vjp(g, y, x, rois, *, output_size, **how):
    return roi_mean_gradient(wide(g), wide(rois), size=tuple(x.shape), **how).to(x.dtype)


def _max_vjp(g, y, x, rois, *, output_size, spatial_scale):
    """Each g added at its position in (C, N * H * W), those of empty bins at one more."""
    n, c, h, w = x.shape
    places = y[1].detach()
    places = places.where(places >= 0, n * h * w).transpose(0, 1).reshape(c, -1)
    gx = wide(g[0]).transpose(0, 1).reshape(c, -1)
    gx = gx.new_zeros((c, n * h * w + 1)).scatter_add(1, places, gx).narrow(1, 0, n * h * w)
    return gx.reshape(c, n, h, w).transpose(0, 1).to(x.dtype)


roi_mean = kernel(
    "roi_mean", onnx=onnx_rules.roi_mean,
    shape=mean_shape, launch=_mean_launch, values=("spatial_scale",), dtypes="floating", saves="rois", public=False,
    reports_faults=True, vjp=(_mean_vjp, None), work=lambda specs, outs, **_: 36 * outs[0].numel, samples=_mean_samples,
    ref=lambda x, rois, *, output_size, kind, sampling_ratio, aligned, spatial_scale: mean_of_regions(
        x, rois, kind, output_size, sampling_ratio, aligned, spatial_scale),
    doc="The mean of each bin of each region.")

roi_mean_gradient = kernel(
    "roi_mean_gradient", shape=mean_gradient_shape, launch=_mean_launch, values=("spatial_scale",), dtypes="wide", saves="rois",
    public=False, reports_faults=True, samples=_mean_gradient_samples, ref=_mean_gradient_ref,
    work=lambda specs, outs, **_: 36 * specs[0].numel,
    vjp=(lambda g, y, g_, rois, *, size, **how: roi_mean(g, rois, output_size=tuple(g_.shape[2:]), **how), None),
    doc="gx of shape `size`: each g spread over what its bin was the mean of.")

roi_max = kernel(
    "roi_max", onnx=onnx_rules.roi_max,
    shape=max_shape, launch=lambda inputs, outputs, *, output_size: _launch("forward", inputs, outputs),
    values=("spatial_scale",), dtypes="floating", saves="y1", public=False, reports_faults=True, vjp=(_max_vjp, None),
    work=lambda specs, outs, **_: specs[0].numel, ref=max_of_regions,
    samples=lambda rng: [((rng.permutation(60).reshape(2, 1, 5, 6) / 20 - 1, _ROIS),
                          {"output_size": (2, 2), "spatial_scale": 0.75})],
    doc="The largest element of each bin of each region, 0 for an empty bin, and its position in (N, H, W), -1 for none.")
