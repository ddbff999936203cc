"""Adaptive softmax, normalisation across maps and processes, chunked cross entropy, grouped products: as PyTorch's."""

import warnings

import numpy as np
import pytest

import cltensor
from cltensor import nn
from cltensor.nn import functional as F

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device


def pair(name, *args, **settings):
    """PyTorch's layer and ours with its parameters."""
    theirs, ours = getattr(torch.nn, name)(*args, **settings), getattr(nn, name)(*args, **settings)
    ours.load_state_dict({k: cltensor.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    assert repr(ours) == repr(theirs)
    return theirs, ours


def close(got, expected, tolerance=1e-5):
    np.testing.assert_allclose(got.numpy(force=True), expected.numpy(force=True), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("head_bias", [False, True])
def test_adaptive_softmax(head_bias, rng):
    theirs, ours = pair("AdaptiveLogSoftmaxWithLoss", 16, 20, [5, 10, 15], div_value=2.0, head_bias=head_bias)
    x, target = rng.standard_normal((8, 16)).astype(np.float32), rng.integers(0, 12, 8)  # nothing in the last cluster
    a, b = torch.tensor(x, requires_grad=True), cltensor.tensor(x, requires_grad=True)
    expected, got = theirs(a, torch.tensor(target)), ours(b, cltensor.tensor(target))
    assert got._fields == expected._fields
    expected.loss.backward()
    got.loss.backward()
    for g, e in ((got.output, expected.output), (got.loss, expected.loss), (b.grad, a.grad), (ours.log_prob(b), theirs.log_prob(a)),
                 (ours.predict(b), theirs.predict(a)), (ours.head.weight.grad, theirs.head.weight.grad),
                 (ours.tail[0][1].weight.grad, theirs.tail[0][1].weight.grad)):
        close(g, e)
    close(ours(b[0], cltensor.tensor(7)).output, theirs(a[0], torch.tensor(7)).output)
    ours.reset_parameters()


@pytest.mark.parametrize("cutoffs", [[], [5, 5], [5, 20], [0, 5], [5.5], [10, 5]])
def test_adaptive_softmax_cutoffs(cutoffs):
    with pytest.raises(ValueError, match="cutoffs should be a sequence"):
        nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs)


@pytest.mark.parametrize(("shape", "target", "message"), [
    ((3, 16), [1, 7], "same size"), ((3, 16), [1, 7, 20], "values in range .1, 20."), ((3, 16), 1, "0D target tensor expects 1D"),
    ((3, 16), [[1]], "multi-target")])
def test_adaptive_softmax_errors(shape, target, message):
    with pytest.raises(RuntimeError, match=message):
        nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5])(cltensor.ones(shape), cltensor.tensor(target))


@pytest.mark.parametrize(("size", "channels"), [(1, 4), (2, 3), (3, 7), (5, 7), (9, 4)])
def test_normalisation_across_maps(size, channels, rng):
    theirs, ours = pair("CrossMapLRN2d", size, alpha=0.7, beta=0.6, k=1.3)
    x = rng.standard_normal((2, channels, 2, 3)).astype(np.float64)
    close(ours(cltensor.tensor(x)), theirs(torch.tensor(x)), 1e-12)
    with pytest.raises(ValueError, match="4D"):
        ours(cltensor.ones(2, 3))


def test_gradient_across_maps(rng):
    layer = nn.CrossMapLRN2d(3, alpha=0.7, beta=0.6, k=1.3)
    x = cltensor.tensor(rng.standard_normal((1, 4, 2, 1)), requires_grad=True)
    assert cltensor.autograd.gradcheck(layer, (x,))


def test_synchronised_batch_normalisation(rng):
    _, ours = pair("SyncBatchNorm", 3, momentum=0.2)
    reference = torch.nn.BatchNorm2d(3, momentum=0.2)
    x = rng.standard_normal((2, 3, 4, 5)).astype(np.float32)
    close(ours(cltensor.tensor(x)), reference(torch.tensor(x)))
    close(ours.running_var, reference.running_var)
    close(ours.eval()(cltensor.tensor(x)), reference.eval()(torch.tensor(x)))
    with pytest.raises(ValueError, match="2D"):
        ours(cltensor.ones(3))
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3).eval(), nn.Sequential(nn.BatchNorm1d(2, affine=False)))
    weight = model[1].weight
    made = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert made is model
    assert type(model[1]) is type(model[2][0]) is nn.SyncBatchNorm
    assert model[1].weight is weight
    assert (model[1].training, model[2][0].training) == (False, True)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", [{}, {"batch_chunk_size": 3}, {"chunking_method": "aspect_ratio:2"}, {"chunking_method": None}])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_in_chunks(reduction, options, weighted, rng):
    w = rng.random(6).astype(np.float32) if weighted else None
    x, target = rng.standard_normal((7, 4)).astype(np.float32), rng.integers(0, 6, 7)
    target[2] = -100
    found = []
    for chunks in (None, nn.LinearCrossEntropyOptions(**options)):
        layer = nn.LinearCrossEntropyLoss(4, 6, bias=True, reduction=reduction, options=chunks,
                                          weight=None if w is None else cltensor.tensor(w))
        if found:
            layer.load_state_dict(found[0][0].state_dict())
        given = cltensor.tensor(x, requires_grad=True)
        y = layer(given, cltensor.tensor(target))
        y.square().sum().backward()
        found.append((layer, y, given.grad, layer.linear.weight.grad, layer.linear.bias.grad))
    for e, g in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_allclose(g.numpy(force=True), e.numpy(force=True), rtol=1e-5, atol=1e-6)


def test_linear_cross_entropy_layer_and_options(rng):
    theirs, ours = pair("LinearCrossEntropyLoss", 4, 5, out_features=(2, 3), bias=True, weight=None)
    x, target = rng.standard_normal((2, 4)).astype(np.float32), rng.integers(0, 5, (2, 2, 3))
    close(ours(cltensor.tensor(x), cltensor.tensor(target)), theirs(torch.tensor(x), torch.tensor(target)))
    assert repr(nn.LinearCrossEntropyOptions()) == repr(torch.nn.LinearCrossEntropyOptions())
    with pytest.warns(UserWarning, match="options are ignored"):
        F.linear_cross_entropy(cltensor.ones(2, 4), cltensor.ones(3, 4), cltensor.ones(2, 3),
        options=nn.LinearCrossEntropyOptions())
    with pytest.raises(TypeError, match="LinearCrossEntropyOptions"):
        F.linear_cross_entropy(cltensor.ones(2, 4), cltensor.ones(3, 4), cltensor.tensor([0, 1]), options=3)
    for wrong in ({"batch_chunk_size": 0}, {"chunking_method": "foo"}, {"acc_policy": "foo"}, {"acc_dtype": cltensor.int32}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            nn.LinearCrossEntropyOptions(**wrong)


LOSSES = [("mse_loss", 2), ("l1_loss", 2), ("smooth_l1_loss", 2), ("binary_cross_entropy_with_logits", 2), ("kl_div", 2),
          ("poisson_nll_loss", 2), ("soft_margin_loss", 2), ("multilabel_soft_margin_loss", 2), ("hinge_embedding_loss", 2),
          ("margin_ranking_loss", 3), ("triplet_margin_loss", 3), ("binary_cross_entropy", 2), ("cross_entropy", 2)]


@pytest.mark.parametrize(("name", "n"), LOSSES)
@pytest.mark.parametrize("older", [{"size_average": False}, {"reduce": False}, {"size_average": True, "reduce": True}, {"reduce":
True}])
def test_older_arguments_of_losses(name,
n,
older,
rng):
    arrays = rng.random((n, 3, 4)).astype(np.float32)
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
        got = getattr(F, name)(*map(cltensor.tensor, arrays), **older)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        close(got, getattr(torch.nn.functional, name)(*map(torch.tensor, arrays), **older))


def test_older_arguments_of_layers():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.MSELoss(False).reduction == "sum"
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert nn.CrossEntropyLoss(None, None, -1, False).reduction == "none"
    with pytest.warns(FutureWarning, match="min_val"):
        assert nn.Hardtanh(min_value=-2.0).min_val == -2
    with pytest.raises(AssertionError, match="greater than"):
        nn.Hardtanh(1.0, 1.0)
    with pytest.warns(FutureWarning, match="NLLLoss2d"):
        nn.NLLLoss2d(ignore_index=3)
    with pytest.warns(FutureWarning, match="nn.init.uniform"):
        nn.init.uniform(cltensor.empty(2))
    with pytest.warns(UserWarning, match="align_corners=False"):
        F.affine_grid(cltensor.ones(1, 2, 3), (1, 1, 2, 2))
    with pytest.warns(FutureWarning, match="clip_grad_norm"):
        nn.utils.clip_grad_norm([nn.Parameter(cltensor.ones(2))], 1.0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_grouped_products(dtype, rng):
    a, b, offs = rng.standard_normal((16, 8)), rng.standard_normal((2, 8, 8)), np.array([6, 12], np.int32)
    for x, y, o in ((a, b, offs), (b, a.T, offs), (a.T, a, offs), (a.reshape(2, 8, 8), b, None)):
        left, right = ([lib.tensor(t).to(getattr(lib, dtype)) for lib in (cltensor, torch)] for t in (x, y))
        ends = [None, None] if o is None else [cltensor.tensor(o), torch.tensor(o)]
        got = F.grouped_mm(left[0], right[0], offs=ends[0]).float()
        expected = torch.nn.functional.grouped_mm(left[1], right[1], offs=ends[1]).float()
        if got.shape[:1] == (16,) or got.shape[-1:] == (16,):
            assert not (got[12:] if got.shape[0] == 16 else got[:, 12:]).any()
            got, expected = (t[:12] if t.shape[0] == 16 else t[:, :12] for t in (got, expected))
        close(got, expected, 2e-2 if dtype == "bfloat16" else 1e-5)


@pytest.mark.parametrize(("shapes", "offs", "error"), [
    (((4, 2), (1, 2, 3)), None, RuntimeError), (((1, 4, 2), (1, 2, 3)), [4], RuntimeError), (((4, 3), (1, 2, 3)), [4],
    RuntimeError),
    (((4, 2), (1, 2, 3)), [2, 4], RuntimeError), (((4,), (1, 2, 3)), [4], RuntimeError)])
def test_grouped_products_that_do_not_fit(shapes, offs, error):
    ends = None if offs is None else cltensor.tensor(offs, dtype=cltensor.int32)
    with pytest.raises(error, match="grouped_mm"):
        F.grouped_mm(*map(cltensor.ones, shapes), offs=ends)
    with pytest.raises(TypeError, match="int32"):
        F.grouped_mm(cltensor.ones(4, 2), cltensor.ones(1, 2, 3), offs=cltensor.tensor([4]))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_gradients_of_convolutions(n, rng):
    x, w = rng.standard_normal((2, 4, *(7,) * n)), rng.standard_normal((6, 2, *(3,) * n))
    settings = {"stride": 2, "padding": 1, "groups": 2}
    a, b = torch.tensor(x, requires_grad=True), torch.tensor(w, requires_grad=True)
    y = getattr(torch.nn.functional, f"conv{n}d")(a, b, **settings)
    g = rng.standard_normal(y.shape)
    y.backward(torch.tensor(g))
    close(getattr(nn.grad, f"conv{n}d_input")(x.shape, cltensor.tensor(w), cltensor.tensor(g), **settings), a.grad, 1e-10)
    close(getattr(nn.grad, f"conv{n}d_weight")(cltensor.tensor(x), w.shape, cltensor.tensor(g), **settings), b.grad, 1e-10)
    with pytest.raises(ValueError, match="input_size"):
        getattr(nn.grad, f"conv{n}d_input")((1, 2), cltensor.tensor(w), cltensor.tensor(g))
    with pytest.raises(ValueError, match="weight_size"):
        getattr(nn.grad, f"conv{n}d_weight")(cltensor.tensor(x), (1, 2), cltensor.tensor(g))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("align_corners", [None, True])
@pytest.mark.parametrize("how", [{"size": (5, 4)}, {"size": (20, 3)}, {"size": (1, 1)}, {"scale_factor": 0.37},
                                 {"scale_factor": (1.7, 0.6), "recompute_scale_factor": True}], ids=str)
def test_antialiased_resizing(mode, align_corners, how, rng):
    x = rng.standard_normal((2, 3, 11, 13)).astype(np.float32)
    found = []
    for lib, make in ((torch, torch.tensor), (cltensor, cltensor.tensor)):
        t = make(x, requires_grad=True)
        y = lib.nn.functional.interpolate(t, mode=mode, align_corners=align_corners, antialias=True, **how)
        y.square().sum().backward()
        found.append((y, t.grad))
    for e, g in zip(*found, strict=True):
        close(g, e, 1e-4)


def test_antialiased_bytes_and_modes(rng):
    x = rng.integers(0, 256, (1, 3, 11, 13)).astype(np.uint8)
    got, expected = (lib.nn.functional.interpolate(lib.tensor(x), (5, 4), mode="bilinear", antialias=True).numpy().astype(int)
                     for lib in (cltensor, torch))
    assert np.abs(got - expected).max() <= 1  # PyTorch's weights have 16 bits
    with pytest.raises(ValueError, match="bilinear and bicubic"):
        F.interpolate(cltensor.ones(1, 1, 4, 4), (2, 2), mode="nearest", antialias=True)
