"""Every layer shows itself, computes and differentiates as PyTorch's does, from the same parameters."""

import inspect
import warnings

import numpy as np
import pytest

import cltensor
from cltensor import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.device, pytest.mark.filterwarnings("ignore::UserWarning:torch")]


class Case:
    """A layer with its arguments, shapes of its inputs, and how closely it is to agree."""

    def __init__(self, name, *args, shapes=((2, 3, 8, 8),), train=True, close=2e-5, ints=0, **settings):
        self.name, self.args, self.settings = name, args, settings
        self.shapes, self.train, self.close, self.ints = shapes, train, close, ints

    def __repr__(self):
        shown = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.settings.items())]
        return f"{self.name}({', '.join(shown)}){'' if self.train else ' eval'} {self.shapes[0]}"


VECTOR, ROWS, LINE, IMAGE, CUBE = (4,), (5, 4), (2, 4, 9), (2, 4, 6, 7), (2, 4, 5, 6, 4)
CURVES = ["ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Hardtanh", "Hardswish", "Hardsigmoid",
          "Hardshrink", "Softshrink", "Softplus", "Sigmoid", "Tanh", "LogSigmoid", "Softsign", "Tanhshrink", "GLU", "PReLU"]
CASES = [
    Case("Linear", 4, 3, shapes=[ROWS]), Case("Linear", 4, 3, bias=False, shapes=[(2, 5, 4)]),
    Case("Linear", 4, 3, shapes=[VECTOR]), Case("Bilinear", 3, 4, 2, shapes=[(5, 3), (5, 4)]),
    Case("Identity", 3, shapes=[ROWS]), Case("Conv1d", 4, 6, 3, stride=2, padding=1, shapes=[LINE]),
    Case("Conv1d", 4, 6, 3, padding="same", dilation=2, shapes=[LINE]), Case("Conv2d", 4, 6, 3, shapes=[IMAGE]),
    Case("Conv2d", 4, 6, (3, 2), stride=(2, 1), padding=(1, 0), groups=2, shapes=[IMAGE]),
    Case("Conv2d", 4, 6, 4, padding="same", bias=False, shapes=[IMAGE]), Case("Conv2d", 4, 6, 3, shapes=[(4, 6, 7)]),
    Case("Conv2d", 4, 6, 3, padding=1, padding_mode="reflect", shapes=[IMAGE]),
    Case("Conv2d", 4, 6, 4, padding="same", padding_mode="circular", shapes=[IMAGE]),
    Case("Conv3d", 4, 2, 3, padding=1, shapes=[CUBE]),
    Case("ConvTranspose1d", 4, 6, 3, stride=2, output_padding=1, shapes=[LINE]),
    Case("ConvTranspose2d", 4, 6, 3, stride=2, padding=1, output_padding=1, groups=2, shapes=[IMAGE]),
    Case("ConvTranspose2d", 4, 6, 3, padding=0, dilation=3, output_padding=2, shapes=[IMAGE]),
    Case("ConvTranspose3d", 4, 2, 2, stride=2, shapes=[CUBE]),
    *(Case(f"BatchNorm{n}d", 4, shapes=[s], train=t)
       for n, s in ((1, ROWS), (1, LINE), (2, IMAGE), (3, CUBE)) for t in (True, False)),
    Case("BatchNorm2d", 4, momentum=None, shapes=[IMAGE]), Case("BatchNorm2d", 4, affine=False, shapes=[IMAGE]),
    Case("BatchNorm2d", 4, track_running_stats=False, shapes=[IMAGE], train=False),
    Case("BatchNorm2d", 4, bias=False, shapes=[IMAGE]), Case("BatchNorm2d", 4, eps=0.1, momentum=0.3, shapes=[IMAGE]),
    *(Case(f"InstanceNorm{n}d", 4, affine=True, shapes=[s]) for n, s in ((1, LINE), (2, IMAGE), (3, CUBE))),
    Case("InstanceNorm2d", 4, track_running_stats=True, shapes=[IMAGE]), Case("InstanceNorm2d", 4, shapes=[(4, 6, 7)]),
    Case("InstanceNorm2d", 4, track_running_stats=True, shapes=[IMAGE], train=False), Case("LayerNorm", 4, shapes=[ROWS]),
    Case("LayerNorm", (6, 7), shapes=[IMAGE]), Case("LayerNorm", 4, bias=False, shapes=[ROWS]),
    Case("LayerNorm", [7], elementwise_affine=False, eps=0.1, shapes=[IMAGE]), Case("GroupNorm", 2, 4, shapes=[IMAGE]),
    Case("GroupNorm", 4, 4, affine=False, shapes=[(*ROWS, 3)]), Case("RMSNorm", 4, shapes=[ROWS]),
    Case("RMSNorm", (6, 7), eps=0.1, shapes=[IMAGE]), Case("LocalResponseNorm", 3, shapes=[IMAGE]),
    *(Case(f"{kind}{n}d", size, shapes=[s])
       for n, s in ((1, LINE), (2, IMAGE), (3, CUBE))
       for kind, size in (("MaxPool", 2), ("AvgPool", 2), ("AdaptiveAvgPool", 3), ("AdaptiveMaxPool", 2))),
    Case("MaxPool2d", (3, 2), stride=(2, 1), padding=1, ceil_mode=True, shapes=[IMAGE]),
    Case("MaxPool2d", 2, shapes=[(4, 6, 7)]),
    Case("AvgPool2d", 3, stride=2, padding=1, count_include_pad=False, shapes=[IMAGE]),
    Case("AvgPool2d", 2, divisor_override=3, shapes=[IMAGE]), Case("AdaptiveAvgPool2d", (None, 3), shapes=[IMAGE]),
    Case("LPPool2d", 2, 3, shapes=[IMAGE]), *(Case(name, shapes=[ROWS]) for name in CURVES),
    Case("GELU", "tanh", shapes=[ROWS]), Case("PReLU", 4, shapes=[IMAGE]), Case("RReLU", shapes=[ROWS], train=False),
    Case("Threshold", 0.1, 0.5, shapes=[ROWS]), Case("LeakyReLU", 0.2, inplace=False, shapes=[ROWS]),
    *(Case(name, 1, shapes=[s]) for name in ("Softmax", "Softmin", "LogSoftmax") for s in (ROWS, IMAGE)),
    Case("Softmax2d", shapes=[IMAGE]),
    *(Case(name, 0.3, shapes=[IMAGE], train=False) for name in ( "Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout")),
    Case("Dropout1d", 0.3, shapes=[LINE], train=False), Case("Dropout3d", 0.3, shapes=[CUBE], train=False),
    Case("PixelShuffle", 2, shapes=[IMAGE]), Case("PixelUnshuffle", 2, shapes=[(2, 1, 4, 6)]),
    Case("ChannelShuffle", 2, shapes=[IMAGE]), Case("Unfold", (3, 2), stride=2, padding=1, shapes=[IMAGE]),
    Case("Fold", (6, 7), (3, 2), stride=2, padding=1, shapes=[(2, 24, 12)]), Case("Upsample", 9, shapes=[LINE]),
    Case("Upsample", scale_factor=(2, 1.5), mode="bilinear", shapes=[IMAGE]),
    Case("Upsample", (9, 5), mode="bicubic", shapes=[IMAGE]), Case("UpsamplingNearest2d", scale_factor=2, shapes=[IMAGE]),
    Case("UpsamplingBilinear2d", (9, 12), shapes=[IMAGE]), Case("Flatten", shapes=[IMAGE]),
    Case("Flatten", 0, 1, shapes=[IMAGE]), Case("Unflatten", 1, (2, 2), shapes=[IMAGE]),
    Case("Embedding", 7, 3, shapes=[(2, 5)], ints=7), Case("Embedding", 7, 3, padding_idx=-1, shapes=[(20,)], ints=7),
    Case("Embedding", 7, 3, max_norm=1.0, shapes=[(20,)], ints=7),
    Case("Embedding", 7, 3, scale_grad_by_freq=True, shapes=[(20,)], ints=7),
    *(Case(f"{kind}Pad2d", (1, 2, 0, 1), shapes=[IMAGE]) for kind in ("Zero", "Reflection", "Replication", "Circular")),
    Case("ConstantPad1d", 2, 1.5, shapes=[LINE]), Case("CosineSimilarity", shapes=[ROWS, ROWS]),
    Case("PairwiseDistance", shapes=[ROWS, ROWS]),
]


def both(case):
    """(PyTorch's layer, ours) with the same parameters and buffers."""
    theirs, ours = (getattr(lib, case.name)(*case.args, **case.settings) for lib in (torch.nn, nn))
    with torch.no_grad():
        for t in theirs.state_dict().values():
            if t.is_floating_point():
                t.copy_(torch.randn(t.shape, generator=torch.Generator().manual_seed(t.numel())).abs() + 0.5)
    ours.load_state_dict({k: cltensor.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    return theirs.train(case.train), ours.train(case.train)


def results(layer, make, arrays):
    """Everything a forward and a backward pass of a layer gives, as arrays by name."""
    inputs = [None if a is None else make(a) for a in arrays]
    floating = {i: x for i, x in enumerate(inputs) if x is not None and x.is_floating_point()}
    for x in floating.values():
        x.requires_grad_()
    y = layer(*inputs)
    weights = make(np.linspace(-1, 1, y.numel(), dtype=np.float32).reshape(tuple(y.shape)))
    found = {"y": y.detach()}
    if y.requires_grad:
        (y * weights).sum().backward()
        found.update((f"gradient of input {i}", x.grad) for i, x in floating.items())
        found.update((f"gradient of {name}", p.grad) for name, p in layer.named_parameters())
    found.update(layer.named_buffers())
    return {name: t.detach().numpy() for name, t in found.items()}


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_layer(case, rng):
    theirs, ours = both(case)
    assert repr(ours) == repr(theirs)
    arrays = [rng.integers(0, case.ints, s) if case.ints else rng.standard_normal(s).astype(np.float32) for s in case.shapes]
    expected, got = results(theirs, torch.from_numpy, arrays), results(ours, cltensor.from_numpy, arrays)
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        atol = case.close * max(1, np.abs(value).max(initial=0))
        np.testing.assert_allclose(got[name], value, rtol=case.close, atol=atol, err_msg=name)


def _pooled(*shape, size=2, n):
    """A random tensor, pooled, and where its maxima were."""
    def make(rng):
        x = torch.from_numpy(rng.standard_normal(shape).astype(np.float32))
        return [t.numpy() for t in getattr(torch.nn.functional, f"max_pool{n}d")(x, size, return_indices=True)]
    return make


def _alignable(rng):
    """Log-probabilities of 7 steps, 3 sequences and 5 classes, padded targets, and lengths; the last one does not fit."""
    log_probs = torch.from_numpy(rng.standard_normal((7, 3, 5)).astype(np.float32)).log_softmax(2).numpy()
    return [log_probs, np.array([[1, 2, 2, 3], [3, 1, 0, 0], [1, 1, 1, 2]]), np.array([7, 5, 4]), np.array([4, 2, 4])]


def _rows(*targets):
    return lambda rng: [rng.standard_normal((3, 5)).astype(np.float32), np.array(targets)]


def _triplet(rng):
    return list(rng.standard_normal((3, 4, 5)).astype(np.float32))


def _samples(*shape, n):
    """A random tensor, and the randomness of a fractional pooling of it."""
    return lambda rng: [rng.standard_normal(shape).astype(np.float32), rng.random((*shape[:2], n)).astype(np.float32)]


# layers whose inputs are not just any numbers: name, settings, a function that makes the inputs
PARTICULAR = [
    ("MultiMarginLoss", {"p": 2, "margin": 0.7}, _rows(0, 4, 2)), ("MultiMarginLoss", {"reduction": "none"}, _rows(0, 4, 2)),
    ("MultiLabelMarginLoss", {}, _rows([1, 0, -1, 2, 3], [2, 4, 1, 0, -1], [-1, 0, 0, 0, 0])),
    ("MultiLabelMarginLoss", {"reduction": "sum"}, _rows([3, 3, -1, 2, 3], [2, 4, 1, 0, 3], [1, -1, 0, 0, 0])),
    ("TripletMarginWithDistanceLoss", {}, _triplet),
    ("TripletMarginWithDistanceLoss", {"margin": 0.5, "swap": True, "reduction": "none"}, _triplet),
    ("CTCLoss", {"zero_infinity": True}, _alignable), ("CTCLoss", {"reduction": "none"}, _alignable),
    ("CTCLoss", {"blank": 4, "reduction": "sum", "zero_infinity": True}, _alignable),
    ("MaxUnpool1d", {"kernel_size": 2}, _pooled(2, 3, 8, n=1)), ("MaxUnpool2d", {"kernel_size": 2}, _pooled(2, 3, 6, 4, n=2)),
    ("MaxUnpool2d", {"kernel_size": (2, 2), "stride": 2, "padding": 0}, _pooled(3, 6, 4, n=2)),
    ("MaxUnpool3d", {"kernel_size": 2}, _pooled(2, 2, 4, 6, 4, n=3)),
    ("EmbeddingBag", {"num_embeddings": 7, "embedding_dim": 3}, lambda rng: [rng.integers(0, 7, (4, 5))]),
    *(("EmbeddingBag", {"num_embeddings": 7, "embedding_dim": 3, "mode": mode, "padding_idx": -2, **more},
       lambda rng: [np.array([1, 5, 2, 5, 0, 6, 1, 1, 5]), np.array([0, 2, 2, 3, 8])])
      for mode, more in (("sum", {}), ("mean", {"include_last_offset": True}), ("max", {}))),
    # every row twice: PyTorch divides some gradients by how often another row was read
    ("EmbeddingBag", {"num_embeddings": 7, "embedding_dim": 3, "mode": "mean", "scale_grad_by_freq": True},
     lambda rng: [np.array([1, 5, 2, 5, 0, 1, 0, 2]), np.array([0, 2, 2, 3])]),
    ("EmbeddingBag", {"num_embeddings": 7, "embedding_dim": 3, "mode": "sum", "max_norm": 1.0},
     lambda rng: [rng.integers(0, 7, (4, 5)), None, rng.standard_normal((4, 5)).astype(np.float32)]),
]


@pytest.mark.parametrize(("name", "settings", "inputs"), PARTICULAR, ids=[f"{n} {s}" for n, s, _ in PARTICULAR])
def test_layer_with_particular_inputs(name, settings, inputs, rng):
    theirs, ours = both(Case(name, **settings))
    assert repr(ours) == repr(theirs)
    arrays = inputs(rng)
    expected, got = results(theirs, torch.from_numpy, arrays), results(ours, cltensor.from_numpy, arrays)
    assert got.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(got[key], value, rtol=2e-5, atol=2e-5, err_msg=key)


@pytest.mark.parametrize(("name", "shape", "settings"), [
    ("FractionalMaxPool2d", (2, 3, 10, 11), {"kernel_size": (3, 2), "output_size": (4, 5)}),
    ("FractionalMaxPool2d", (2, 3, 10, 11), {"kernel_size": 2, "output_ratio": (0.5, 0.7)}),
    ("FractionalMaxPool3d", (1, 2, 7, 9, 8), {"kernel_size": (2, 3, 2), "output_size": (4, 3, 1)}),
])
def test_fractional_pooling(name, shape, settings, rng):
    x, u = _samples(*shape, n=len(shape) - 2)(rng)
    found = []
    for lib, make in ((torch.nn, torch.from_numpy), (nn, cltensor.from_numpy)):
        layer = getattr(lib, name)(**settings, return_indices=True, _random_samples=make(u))
        leaf = make(x).requires_grad_()
        y, positions = layer(leaf)
        (y * y).sum().backward()
        found.append((repr(layer), y.detach().numpy(), positions.numpy(), leaf.grad.numpy()))
    assert found[0][0] == found[1][0]
    for expected, got in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", ["Dropout", "ReLU", "RReLU", "Hardtanh", "ELU", "Threshold"])
def test_in_place_layers_show_and_do_it(name):
    args = (0.1, 0.5) if name == "Threshold" else ()
    assert repr(getattr(nn, name)(*args, inplace=True)) == repr(getattr(torch.nn, name)(*args, inplace=True))
    x = cltensor.tensor([-1.0, 2.0])
    assert getattr(nn, name)(*args, inplace=True).eval()(x) is x


LOSSES = [
    ("L1Loss", {}), ("MSELoss", {}), ("SmoothL1Loss", {"beta": 0.7}), ("HuberLoss", {"delta": 0.4}), ("BCEWithLogitsLoss", {}),
    ("SoftMarginLoss", {}), ("KLDivLoss", {"log_target": True}), ("PoissonNLLLoss", {"full": True}),
    ("MultiLabelSoftMarginLoss", {}),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "settings"), LOSSES)
def test_paired_losses(name, settings, reduction, rng):
    arrays = rng.standard_normal((2, 3, 4)).astype(np.float32)
    target = np.abs(arrays[1]) if name == "PoissonNLLLoss" else arrays[1]
    found = []
    for lib, make in ((torch.nn, torch.from_numpy), (nn, cltensor.from_numpy)):
        x = make(arrays[0]).requires_grad_()
        layer = getattr(lib, name)(reduction=reduction, **settings)
        loss = layer(x, make(target))
        loss.sum().backward()
        found.append((repr(layer), loss.detach().numpy(), x.grad.numpy()))
    assert found[0][0] == found[1][0]
    for expected, got in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [n for n, v in vars(nn).items() if isinstance(v, type) and issubclass(v, nn.Module)])
def test_arguments_are_named_as_in_pytorch(name):
    theirs = inspect.signature(getattr(torch.nn, name)).parameters
    ours = inspect.signature(getattr(nn, name)).parameters
    assert [p for p in ours if p in theirs] == [p for p in theirs if p in ours]
    assert set(ours) <= set(theirs) | {"args", "kwargs"}
    assert set(theirs) - set(ours) <= {"args", "kwargs", "arg"}
    for p in set(ours) & set(theirs):
        mine, wanted = (getattr(d[p].default, "__name__", d[p].default) for d in (ours, theirs))  # functions by their names
        assert mine == wanted, p


def test_first_values_have_pytorchs_distributions():
    for name, args in (("Linear", (300, 200)), ("Conv2d", (30, 40, 5)), ("ConvTranspose2d", (30, 40, 5)),
                       ("Bilinear", (30, 20, 10)), ("Embedding", (200, 50))):
        torch.manual_seed(0)
        cltensor.manual_seed(0)
        theirs, ours = getattr(torch.nn, name)(*args), getattr(nn, name)(*args)
        for p, q in zip(theirs.parameters(), ours.parameters(), strict=True):
            p, q = p.detach().numpy(), q.detach().numpy()
            assert abs(q.mean() - p.mean()) < 4 * p.std() / p.size**0.5
            assert abs(q.std() / p.std() - 1) < max(0.15, 2 / p.size**0.5)
            if name != "Embedding":
                assert np.abs(q).max() <= np.abs(p).max() * 1.1


def test_implicit_softmax_dimension_warns():
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        nn.Softmax()(cltensor.ones(2, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.Softmax(-1)(cltensor.ones(2, 3))
