"""Layers and functions of ops, exported to ONNX with a dynamic first dimension: onnxruntime gives what they give here."""

import pytest

import cltensor as ct
from cltensor import nn, onnx
from cltensor.nn import functional as F
from import_time import needs_device

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytestmark = [pytest.mark.device, pytest.mark.any_style]
needs_device()


def pictures():
    return ct.randn(2, 4, 8, 8)


def sequences():
    return ct.randn(2, 5, 16)


def rows():
    return ct.randn(3, 4)


def _written(a, i):
    a = a.clone()
    a[i] = 1.0
    a[0, 1:3] = a[1, :2]
    a[a > 0.5] = 0.5
    a[:, 1:] += a[:, :3]
    return a


def _losses(a):
    return (F.mse_loss(a, a * 2), F.l1_loss(a, a * 2), F.smooth_l1_loss(a, a * 2), F.huber_loss(a, a * 3),
            F.binary_cross_entropy_with_logits(a, a.sigmoid()), F.kl_div(a, a.softmax(1), reduction="batchmean"),
            F.gaussian_nll_loss(a, a * 2, a.exp()))


def _classes(a, t):
    return (F.cross_entropy(a, t), F.cross_entropy(a, t, reduction="none"), F.nll_loss(F.log_softmax(a, 1), t),
            F.cross_entropy(a, t, label_smoothing=0.1))


def _moved(a):
    return (a.roll(1, 1), a.tril(), a.flip(0), *ct.meshgrid(a[0], a[1], indexing="ij"), ct.kron(a, a[:2]), a.diag_embed(),
            a.rot90(), a.repeat_interleave(2, 1), a.tile(2, 2), a.unflatten(1, (2, 2)))


def _ordered(a):
    return (a.quantile(0.3, 1), a.median(1).values, a.mode(1).values, a.kthvalue(2, 1).values, a.std(1), a.var(), a.logsumexp(1),
            a.norm(), a.prod(1), ct.searchsorted(ct.tensor([-1.0, 0.0, 1.0]), a))


def _resized(x):
    modes = ("nearest", "bilinear", "bicubic", "area", "nearest-exact")
    return (*(F.interpolate(x, scale_factor=2, mode=m) for m in modes),
            F.interpolate(x, (5, 11), mode="bilinear", align_corners=True),
            F.interpolate(x, (5, 4), mode="bilinear", antialias=True))


def _activated(a):
    return [f(a) for f in (F.glu, F.rrelu, F.hardtanh, F.logsigmoid, F.tanhshrink, F.celu, F.selu, F.softsign, F.hardshrink,
                           F.softshrink, F.relu6, F.elu, F.mish, F.silu, F.gelu, F.hardswish, F.hardsigmoid)]


def _integers(a):
    return (a // 3, a % 3, a & 1, a | 4, a << 1, a >> 1, ~a, a.bitwise_xor(2), a.abs(), a.sign(), a.clamp(0, 2), -a, a**2, a.sum(),
            a.max(), a.float() / 2, a.to(ct.int8), a.bool())


CASES = {
    "grid_sample": (lambda x, g: F.grid_sample(x, g, align_corners=False), pictures, lambda: ct.rand(2, 5, 6, 2) * 2 - 1),
    "affine_grid": (lambda t: F.affine_grid(t, (2, 1, 4, 5), align_corners=False).sum(0), lambda: ct.randn(2, 2, 3)),
    "unfold": (lambda x: F.unfold(x, 3, padding=1), pictures),
    "fold": (lambda x: F.fold(F.unfold(x, 2, stride=2), (8, 8), 2, stride=2), pictures),
    "embedding_bag": (F.embedding_bag, lambda: ct.randint(0, 3, (2, 4)), rows),
    "multi_head_attention": (nn.MultiheadAttention(16, 4, batch_first=True), sequences, sequences, sequences),
    "padding mask": (lambda s, m: nn.MultiheadAttention(16, 4, batch_first=True)(s, s, s, key_padding_mask=m)[0], sequences,
                     lambda: ct.tensor([[True, False, True, True, False], [True, True, True, False, False]])),
    "decoder": (nn.TransformerDecoder(nn.TransformerDecoderLayer(16, 4, 32, batch_first=True), 1), sequences, sequences),
    "grouped attention": (lambda q, k: F.scaled_dot_product_attention(q, k, k, enable_gqa=True, is_causal=True),
                          lambda: ct.randn(2, 4, 5, 8), lambda: ct.randn(2, 2, 5, 8)),
    "masked attention": (lambda q, m: F.scaled_dot_product_attention(q, q, q, attn_mask=m), lambda: ct.randn(2, 2, 5, 8),
                         lambda: ct.rand(5, 5) > 0.3),
    "conv1d": (nn.Conv1d(5, 4, 3, padding="same", padding_mode="circular"), sequences),
    "conv3d": (nn.Sequential(nn.Conv3d(1, 2, 3), nn.BatchNorm3d(2), nn.MaxPool3d(2)), lambda: ct.randn(2, 1, 6, 6, 6)),
    "conv_transpose2d": (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), pictures),
    "conv_transpose1d": (nn.ConvTranspose1d(5, 6, 4, stride=3, dilation=2), sequences),
    "pad": (lambda x: [F.pad(x, (1, 2, 2, 1), mode=m) for m in ("reflect", "replicate", "circular", "constant")], pictures),
    "pixel_unshuffle": (lambda x: F.pixel_unshuffle(x, 2), pictures),
    "distances": (lambda a: (F.cosine_similarity(a, a * 2 + 1), F.pairwise_distance(a, a + 1), F.normalize(a), ct.cdist(a, a + 1),
                             ct.linalg.vector_norm(a, 3)), rows),
    "classes": (_classes, rows, lambda: ct.tensor([0, 3, 1])),
    "losses": (_losses, rows),
    "local_response_norm": (nn.LocalResponseNorm(3), pictures),
    "rms_norm": (nn.RMSNorm(16), sequences),
    "pooling": (lambda x: (F.adaptive_max_pool2d(x, 3), F.adaptive_avg_pool2d(x, (3, 5)), F.lp_pool2d(x.abs(), 2, 2),
                           F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2),
                           F.avg_pool2d(x, 3, ceil_mode=True, padding=1, count_include_pad=False)), pictures),
    "bilinear": (nn.Bilinear(4, 4, 3), rows, rows),
    "einsum": (lambda a, b: ct.einsum("ij,kj->ik", a, b), rows, lambda: ct.randn(5, 4)),
    "ordered": (_ordered, rows),
    "moved": (_moved, rows),
    "indexed": (lambda a, i: (a[i], a[:, i], a[i, i], ct.take_along_dim(a, i[:, None], 1)), rows, lambda: ct.tensor([0, 2, 1])),
    "put": (lambda a, i: (a.clone().index_put_((i,), a + 1), a.masked_fill(a > 0, 7.0), a.scatter(1, i[:, None], 9.0),
                          a.index_add(0, i, a)), rows, lambda: ct.tensor([0, 2, 1])),
    "written": (_written, rows, lambda: ct.tensor([0, 2])),
    "accumulated": (lambda a: (a.cumsum(1), a.cumprod(1), *a.cummax(1), a.logcumsumexp(0), a.diff()), rows),
    "resized": (_resized, pictures),
    "activated": (_activated, rows),
    "one_hot": (lambda i: F.one_hot(i, 5), lambda: ct.tensor([0, 2, 1])),
    "cells": (lambda a: (*nn.LSTMCell(4, 5)(a), nn.GRUCell(4, 5)(a), nn.RNNCell(4, 5)(a)), rows),
    "integers": (_integers, lambda: ct.arange(-4, 5)),
    "batches": (lambda x: nn.BatchNorm2d(4)(x), pictures),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_function(case):
    ct.manual_seed(0)
    function, *inputs = case
    inputs = tuple(made() for made in inputs)
    names = [f"x{i}" for i in range(len(inputs))]
    axes = {n: {0: "batch"} for n, x in zip(names, inputs, strict=True) if x.shape[0] == inputs[0].shape[0]}
    onnx.export(function, inputs)
    onnx.export(function, inputs, input_names=names, dynamic_axes=axes)
