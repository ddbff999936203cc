"""Softmax, log-softmax and their parts over one dimension: one launch forward and one backward each."""

import math

import numpy as np

from ...base import dtypes
from ...codegen.functions import FUNCTIONS
from ...codegen.templates import render
from ...dispatch.autocast import FLOAT32_ON_GPU
from ...dispatch.plan import In, Out
from ..kinds.elementwise import streams
from ..kinds.kernel import kernel
from ..kinds.launch import step
from . import onnx_rules

WGS = 64


def _launch(what):
    def launch(specs, outs, dim):
        x = specs[0]
        profile = x.device.profile
        shape = x.shape or (1,)
        outer, n, inner = math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1:])
        source = render("softmax", style=profile.style, what=what, dtype=x.dtype, contiguous=inner == 1, WGS=WGS,
                        stream=streams(profile, outs[0]))
        buffers = dict(zip(("x_p", "y_p"), map(In, range(len(specs))), strict=False))
        buffers.update(zip(("top_p", "out_p")[-len(outs):], map(Out, range(len(outs))), strict=True))
        groups = max(1, min(profile.groups, outer * inner, x.numel // 2048))
        return [step(source, **buffers, outer=outer, n=n, inner=inner, groups=groups)]

    return launch


def _samples(rng):
    return [((rng.standard_normal((3, 5)),), {"dim": 1}), ((rng.standard_normal((4, 3, 2)),), {"dim": 1})]


def _pair_samples(rng):
    return [((rng.standard_normal((3, 5)), rng.standard_normal((3, 5))), {"dim": 1}),
            ((rng.standard_normal((4, 3, 2)), rng.standard_normal((4, 3, 2))), {"dim": 1})]


def _softmax_ref(x, dim):
    e = np.exp(x - x.max(dim, keepdims=True))
    return e / e.sum(dim, keepdims=True)


def _dense(x, *, dim):
    return x.dense()


def _dense2(g, y, *, dim):
    return g.dense()


def _parts_ref(x, dim):
    top = x.max(dim)
    return top, np.log(np.exp(x - np.expand_dims(top, dim)).sum(dim))


def _parts_shape(x, *, dim):
    shape = x.shape[:dim] + x.shape[dim + 1:]
    kept = x.dense(shape, dtypes.float64 if x.dtype is dtypes.float64 else dtypes.float32)
    return kept, kept


def _work(simple, exponentials):
    """The work of so many simple operations and exponentials for each element."""
    return lambda specs, outs, dim: (simple + exponentials * FUNCTIONS["exp"].flops) * specs[0].numel


softmax_parts = kernel(
    "softmax_parts", onnx=onnx_rules.softmax_parts,
    shape=_parts_shape, launch=_launch("softmax_parts"), work=_work(3, 1), dtypes="floating", public=False,
    batch="dim", ref=_parts_ref, samples=_samples,
    doc="(max, log of the sum of exp(x - max)) over dim, in float32 or float64: with them softmax is exp(x - max - log); x dense.")
softmax_grad = kernel(
    "softmax_grad", onnx=onnx_rules.softmax_grad,
    shape=_dense2, launch=_launch("softmax_grad"), work=_work(4, 0), dtypes="floating", public=False, batch="dim",
    saves="g y",
    ref=lambda g, y, dim: y * (g - (g * y).sum(dim, keepdims=True)), samples=_pair_samples,
    vjp=(lambda gg, out, g, y, dim: softmax_grad(gg.contiguous(), y, dim=dim),
         lambda gg, out, g, y, dim: gg * (g - (g * y).sum(dim, keepdim=True)) - g * (gg * y).sum(dim, keepdim=True)),
    doc="Gradient of softmax from the gradient and value of its result.")
log_softmax_grad = kernel(
    "log_softmax_grad", onnx=onnx_rules.log_softmax_grad,
    shape=_dense2, launch=_launch("log_softmax_grad"), work=_work(3, 1), dtypes="floating", public=False,
    batch="dim", saves="g y", ref=lambda g, y, dim: g - np.exp(y) * g.sum(dim, keepdims=True), samples=_pair_samples,
    vjp=(lambda gg, out, g, y, dim: gg - (gg * y.exp()).sum(dim, keepdim=True),
         lambda gg, out, g, y, dim: -gg * y.exp() * g.sum(dim, keepdim=True)),
    doc="Gradient of log-softmax from the gradient and value of its result.")
softmax = kernel("softmax_dim", onnx=onnx_rules.softmax,
                 autocast=FLOAT32_ON_GPU, shape=_dense, launch=_launch("softmax"), dtypes="floating", public=False,
                 work=_work(4, 1), batch="dim", saves="y", ref=_softmax_ref, samples=_samples,
                 vjp=(lambda g, y, x, dim: softmax_grad(g.contiguous(), y, dim=dim),),
                 doc="exp(x) normalised to sum 1 over dim; x dense.")
log_softmax = kernel("log_softmax_dim", onnx=onnx_rules.log_softmax,
                     autocast=FLOAT32_ON_GPU, shape=_dense, launch=_launch("log_softmax"), dtypes="floating",
                     work=_work(4, 1), public=False, batch="dim", saves="y",
                     ref=lambda x, dim: np.log(_softmax_ref(x, dim)), samples=_samples,
                     vjp=(lambda g, y, x, dim: log_softmax_grad(g.contiguous(), y, dim=dim),),
                     doc="Logarithm of softmax over dim; x dense.")
