"""Recurrent layers and cells compute, differentiate and complain as PyTorch's do, from the same parameters."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.autograd import gradgradcheck
from cltensor.nn.utils import rnn
from cltensor.ops.nn.recurrent_gradient import recurrent

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.device, pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")]

INPUT, HIDDEN, BATCH, STEPS = 3, 4, 3, 4
LAYERS = [
    ("RNN", {}), ("RNN", {"nonlinearity": "relu", "bias": False, "bidirectional": True}), ("GRU", {}),
    ("GRU", {"num_layers": 2, "bidirectional": True, "batch_first": True}), ("GRU", {"bias": False}), ("LSTM", {}),
    ("LSTM", {"num_layers": 2, "bidirectional": True, "proj_size": 2}), ("LSTM", {"batch_first": True, "bias": False}),
]
CELLS = [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("GRUCell", {"bias": False}), ("LSTMCell", {}), ("GRUCell", {})]


def twins(name, **settings):
    """(ours, PyTorch's) layers with the same parameters."""
    torch.manual_seed(3)
    theirs, ours = (getattr(m, name)(INPUT, HIDDEN, **settings) for m in (torch.nn, nn))
    ours.load_state_dict({k: ct.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    return ours, theirs


def pair(*shape, seed=0):
    """The same random numbers as a tensor of ours and of PyTorch's, which both require grad."""
    x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return ct.tensor(x).requires_grad_(), torch.tensor(x, requires_grad=True)


def leaves(outputs):
    """The tensors in nested tuples."""
    if isinstance(outputs, (ct.Tensor, torch.Tensor)):
        return [outputs]
    return [t for o in outputs if o is not None for t in leaves(o)]


def same(a, b, close=2e-5):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=close, atol=close)


def compare(ours, theirs, ours_out, theirs_out, inputs):
    """Outputs, and the gradients of a weighted sum of all of them by inputs and parameters, are the same."""
    losses = []
    for outputs in (leaves(ours_out), leaves(theirs_out)):
        floating = [o for o in outputs if o.is_floating_point()]
        losses.append(sum((o * (i + 1)).sin().sum() for i, o in enumerate(floating)))
    for a, b in zip(leaves(ours_out), leaves(theirs_out), strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        same(a, b)
    for loss in losses:
        loss.backward()
    for a, b in inputs:
        same(a.grad, b.grad, 1e-4)
    named = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        same(p.grad, named[name].grad, 1e-4)


def initial(name, settings, *batch):
    """Initial states for a layer, as (ours, PyTorch's) pairs."""
    layers = settings.get("num_layers", 1) * (1 + settings.get("bidirectional", False))
    states = [pair(layers, *batch, settings.get("proj_size", HIDDEN), seed=1)]
    return [*states, pair(layers, *batch, HIDDEN, seed=2)] if name == "LSTM" else states


def given(states, which):
    return states[0][which] if len(states) == 1 else tuple(s[which] for s in states)


@pytest.mark.parametrize("start", [False, True], ids=["zeros", "states"])
@pytest.mark.parametrize(("name", "settings"), LAYERS)
def test_layer(name, settings, start):
    ours, theirs = twins(name, **settings)
    shape = (BATCH, STEPS) if settings.get("batch_first") else (STEPS, BATCH)
    x, states = pair(*shape, INPUT), initial(name, settings, BATCH) if start else []
    outs = [m(x[i], *([given(states, i)] if start else [])) for i, m in enumerate((ours, theirs))]
    compare(ours, theirs, *outs, [x, *states])
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize(("name", "settings"), [LAYERS[1], LAYERS[3], LAYERS[6]])
def test_packed(name, settings):
    ours, theirs = twins(name, **{**settings, "batch_first": False})
    x, states = pair(STEPS, BATCH, INPUT), initial(name, settings, BATCH)
    outs = []
    for i, (m, tools) in enumerate(((ours, rnn), (theirs, torch.nn.utils.rnn))):
        packed = tools.pack_padded_sequence(x[i], [2, 4, 1], enforce_sorted=False)
        y, last = m(packed, given(states, i))
        outs.append((tools.pad_packed_sequence(y, padding_value=0.5, total_length=5), last))
    compare(ours, theirs, *outs, [x, *states])


@pytest.mark.parametrize(("name", "settings"), [LAYERS[0], LAYERS[7]])
def test_unbatched(name, settings):
    ours, theirs = twins(name, **settings)
    x, states = pair(STEPS, INPUT), initial(name, settings)
    compare(ours, theirs, ours(x[0], given(states, 0)), theirs(x[1], given(states, 1)), [x, *states])


@pytest.mark.parametrize(("name", "settings"), CELLS)
def test_cell(name, settings):
    ours, theirs = twins(name, **settings)
    x, h, c = pair(BATCH, INPUT), pair(BATCH, HIDDEN, seed=1), pair(BATCH, HIDDEN, seed=2)
    states = [h, c] if name == "LSTMCell" else [h]
    first, second = ((m(x[i], given(states, i)), m(x[i])) for i, m in enumerate((ours, theirs)))
    compare(ours, theirs, first, second, [x, *states])
    compare(ours, theirs, ours(x[0][0]), theirs(x[1][0]), [])
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("mode", ["tanh", "gru", "lstm"])
def test_second_gradient(mode):
    gates = {"gru": 3, "lstm": 4}.get(mode, 1)
    rng = np.random.default_rng(5)

    def drawn(*shape):
        return ct.tensor(rng.uniform(-1, 1, shape)).requires_grad_()

    x, h, c = drawn(5, 2), drawn(2, 2), drawn(2, 2) if mode == "lstm" else None
    weights = [drawn(2 * gates, 2), drawn(2 * gates, 2), drawn(2 * gates), drawn(2 * gates)]

    def call(*args):
        made = recurrent(*args[:2], args[2] if c is not None else None, *args[-4:], None, mode=mode, batch_sizes=(2, 2, 1),
                         reverse=False)
        return made[0] if isinstance(made, tuple) else made

    assert gradgradcheck(call, [t for t in (x, h, c, *weights) if t is not None], fast_mode=True)


def test_dropout_between_layers_only_in_training():
    layer = nn.GRU(INPUT, HIDDEN, num_layers=2, dropout=1.0)
    x = ct.randn(STEPS, BATCH, INPUT)
    dropped, other = layer(x)[0], layer(x * 2)[0]
    same(dropped, other)
    assert float((layer.eval()(x)[0] - layer(x * 2)[0]).abs().max()) > 1e-3
    with pytest.warns(UserWarning, match="dropout option adds dropout"):
        nn.GRU(INPUT, HIDDEN, dropout=0.5)


COMPLAINTS = [
    lambda m, t: m.LSTM(3, 4)(t.zeros(2, 2, 5)), lambda m, t: m.GRU(3, 4)(t.zeros(2, 2, 3, 1)), lambda m, t: m.RNN(3, 0),
    lambda m, t: m.LSTM(3, 4)(t.zeros(2, 2, 3, dtype=t.float16)), lambda m, t: m.GRU(3, 4)(t.zeros(2, 2, 3), t.zeros(1, 3, 4)),
    lambda m, t: m.GRU(3, 4)(t.zeros(2, 3), t.zeros(1, 1, 4)), lambda m, t: m.GRU(3, 4, proj_size=2), lambda m, t: m.GRU(3, 4.0),
    lambda m, t: m.LSTM(3, 4, proj_size=4), lambda m, t: m.RNN(3, 4, nonlinearity="gelu"), lambda m, t: m.RNN(3, 4, dropout=2),
    lambda m, t: m.LSTM(3, 4)(t.zeros(0, 2, 3)), lambda m, t: m.LSTMCell(3, 4)(t.zeros(2, 5)),
    lambda m, t: m.GRUCell(3, 4)(t.zeros(2, 3), t.zeros(3, 4)), lambda m, t: m.RNNCell(3, 4)(t.zeros(2, 2, 3)),
    lambda m, t: m.utils.rnn.pack_padded_sequence(t.zeros(4, 2, 3), [2, 3]),
    lambda m, t: m.utils.rnn.pack_padded_sequence(t.zeros(4, 2, 3), [2, 0]),
    lambda m, t: m.utils.rnn.pack_padded_sequence(t.zeros(4, 2, 3), [2]), lambda m, t: m.utils.rnn.pad_sequence([]),
]


@pytest.mark.parametrize("call", COMPLAINTS)
def test_complaints(call):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(torch.nn, torch)
    with pytest.raises(type(theirs.value)):
        call(nn, ct)


@pytest.mark.parametrize("settings", [{}, {"batch_first": True, "padding_side": "left", "padding_value": 2.0}])
def test_pad_sequence(settings):
    arrays = [np.arange(n * 2, dtype=np.float32).reshape(n, 2) for n in (2, 4, 1)]
    ours, theirs = (m.pad_sequence([make(a) for a in arrays], **settings)
                    for m, make in ((rnn, ct.tensor), (torch.nn.utils.rnn, torch.tensor)))
    same(ours, theirs)


def test_pack_sequence_and_back():
    arrays = [np.arange(n * 2, dtype=np.float32).reshape(n, 2) for n in (2, 4, 1)]
    packed = rnn.pack_sequence([ct.tensor(a) for a in arrays], enforce_sorted=False)
    expected = torch.nn.utils.rnn.pack_sequence([torch.tensor(a) for a in arrays], enforce_sorted=False)
    for a, b in zip(packed, expected, strict=True):
        assert a.tolist() == b.tolist()
    for a, b in zip(rnn.unpack_sequence(packed), arrays, strict=True):
        assert a.tolist() == b.tolist()
    assert packed.to(ct.float64).data.dtype is ct.float64
