"""The functions of nn in the main namespace take ATen's arguments and give what PyTorch's give, gradients included."""

import functools
import inspect

import numpy as np
import pytest

import cltensor as ct
from cltensor.nn import aten

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device

RNG = np.random.default_rng(5)
X, Y, Z = (RNG.standard_normal((4, 6)).astype(np.float32) for _ in range(3))
IMAGE = RNG.standard_normal((2, 4, 6)).astype(np.float32)
PLANE = RNG.standard_normal((2, 3, 4, 5)).astype(np.float32)
CHANNELS = [RNG.random(4).astype(np.float32) + 0.5 for _ in range(4)]
POSITIVE, SIGNS = np.abs(Z[0]), np.array([1, -1, 1, -1], np.float32)
TABLE, ROWS = RNG.standard_normal((5, 3)).astype(np.float32), np.array([1, 3, 1, 0, 4])
LOG_PROBABILITIES = (lambda a: a - np.log(np.exp(a).sum(-1, keepdims=True)))(RNG.standard_normal((6, 2, 4))).astype(np.float32)


def weights(gates, inputs=3, hidden=4, directions=2, layers=2, bias=True):
    """The flat parameters of a recurrent layer."""
    shapes = []
    for layer in range(layers):
        for _ in range(directions):
            width = hidden * directions if layer else inputs
            shapes += [(gates * hidden, width), (gates * hidden, hidden), *[(gates * hidden,)] * 2 * bias]
    return [RNG.uniform(-0.5, 0.5, s).astype(np.float32) for s in shapes]


STEPS, STATE = RNG.standard_normal((5, 2, 3)).astype(np.float32), RNG.standard_normal((4, 2, 4)).astype(np.float32)
PACKED, SIZES = RNG.standard_normal((7, 3)).astype(np.float32), np.array([2, 2, 2, 1])
RNN, GRU, LSTM = weights(1), weights(3), weights(4)
BARE = weights(3, directions=1, layers=1, bias=False)
CELL = {n: [w[:1] if w.ndim < 1 else w for w in weights(n, 3, 4, 1, 1)] for n in (1, 3, 4)}
THETA = RNG.standard_normal((2, 2, 3)).astype(np.float32)
GRID = RNG.uniform(-1, 1, (2, 3, 3, 2)).astype(np.float32)


def segments(how, initial, t, a):
    return t.segment_reduce(a(X), how, lengths=a(np.array([2, 0, 2])), initial=initial)


# name -> the call, given the library and a function from an array to a tensor of it
CALLS = {
    "batch_norm training": lambda t, a: t.batch_norm(a(IMAGE), *map(a, CHANNELS), True, 0.1, 1e-5, True),
    "batch_norm": lambda t, a: t.batch_norm(a(IMAGE), *map(a, CHANNELS), False, 0.1, 1e-5, True),
    "instance_norm": lambda t, a: t.instance_norm(a(IMAGE), *map(a, CHANNELS[:2]), None, None, True, 0.1, 1e-5, True),
    "layer_norm": lambda t, a: t.layer_norm(a(IMAGE), (6,), None, None, 1e-5, True),
    "group_norm": lambda t, a: t.group_norm(a(IMAGE), 2, *map(a, CHANNELS[:2]), 1e-5, True),
    "native_layer_norm": lambda t, a: t.native_layer_norm(a(IMAGE), (4, 6), None, None, 1e-5),
    "native_group_norm": lambda t, a: t.native_group_norm(a(IMAGE), *map(a, CHANNELS[:2]), 2, 4, 6, 2, 1e-5),
    "native_batch_norm": lambda t, a: t.native_batch_norm(a(IMAGE), *map(a, CHANNELS), True, 0.1, 1e-5),
    "native_batch_norm evaluating": lambda t, a: t.native_batch_norm(a(IMAGE), *map(a, CHANNELS), False, 0.1, 1e-5),
    "embedding": lambda t, a: t.embedding(a(TABLE), a(ROWS), 1, True, False),
    "embedding without padding": lambda t, a: t.embedding(a(TABLE), a(ROWS)),
    "embedding_bag": lambda t, a: t.embedding_bag(a(TABLE), a(ROWS), a(np.array([0, 3])))[0],
    "embedding_bag mean": lambda t, a: t.embedding_bag(a(TABLE), a(ROWS), a(np.array([0, 3])), False, 1)[:3],
    "embedding_bag max": lambda t, a: t.embedding_bag(a(TABLE), a(ROWS), a(np.array([0, 3, 5])), False, 2, False, None, True, 3),
    "ctc_loss": lambda t, a: t.ctc_loss(a(LOG_PROBABILITIES), a(np.array([[1, 2], [3, 1]])), [6, 5], [2, 1], 0, 2, False),
    "kl_div": lambda t, a: t.kl_div(a(X), a(np.abs(Y)), 1),
    "kl_div log": lambda t, a: t.kl_div(a(X), a(Y), reduction=2, log_target=True),
    "bce": lambda t, a: t.binary_cross_entropy_with_logits(a(X), a(np.abs(Y)), None, a(POSITIVE), 2),
    "cosine_embedding_loss": lambda t, a: t.cosine_embedding_loss(a(X), a(Y), a(SIGNS), 0.25, 0),
    "hinge_embedding_loss": lambda t, a: t.hinge_embedding_loss(a(X), a(np.sign(Y)), 0.5, 1),
    "margin_ranking_loss": lambda t, a: t.margin_ranking_loss(a(X), a(Y), a(np.sign(Z)), 0.5, 2),
    "poisson_nll_loss": lambda t, a: t.poisson_nll_loss(a(X), a(np.abs(Y)), True, False, 1e-8, 1),
    "triplet_margin_loss": lambda t, a: t.triplet_margin_loss(a(X), a(Y), a(Z), 1.0, 2.0, 1e-6, True, 0),
    "max_pool1d_with_indices": lambda t, a: t.max_pool1d_with_indices(a(IMAGE), 3, 2, 1),
    "F.max_pool2d_with_indices": lambda t, a: t.nn.functional.max_pool2d_with_indices(a(PLANE), 2),
    "F.adaptive_max_pool2d_with_indices": lambda t, a: t.nn.functional.adaptive_max_pool2d_with_indices(a(PLANE), (2, 2)),
    "adaptive_max_pool1d": lambda t, a: t.adaptive_max_pool1d(a(IMAGE), 4),
    "native_channel_shuffle": lambda t, a: t.native_channel_shuffle(a(IMAGE).detach(), 2),
    "conv_tbc": lambda t, a: t.conv_tbc(a(STEPS), a(TIME_KERNEL), a(CHANNELS[0]), 1),
    "convolution": lambda t, a: t.convolution(a(IMAGE), a(KERNEL), None, [1], [1], [1], False, [0], 2),
    "convolution transposed": lambda t, a: t.convolution(a(IMAGE), a(KERNEL), None, [2], [1], [1], True, [1], 1),
    "affine_grid_generator": lambda t, a: t.affine_grid_generator(a(THETA), (2, 3, 4, 5), False),
    "grid_sampler": lambda t, a: t.grid_sampler(a(PLANE), a(GRID), 0, 1, False),
    "grid_sampler_2d": lambda t, a: t.grid_sampler_2d(a(PLANE), a(GRID), 1, 0, True),
    "lstm": lambda t, a: t.lstm(a(STEPS), [a(STATE), a(STATE)], [*map(a, LSTM)], True, 2, 0.0, False, True, False),
    "lstm packed": lambda t, a: t.lstm(a(PACKED), a(SIZES), [a(STATE), a(STATE)], [*map(a, LSTM)], True, 2, 0.0, False, True),
    "gru": lambda t, a: t.gru(a(STEPS.transpose(1, 0, 2)), a(STATE), [*map(a, GRU)], True, 2, 0.0, True, True, True),
    "gru without biases": lambda t, a: t.gru(a(STEPS), a(STATE[:1]), [*map(a, BARE)], False, 1, 0.0, True, False, False),
    "gru packed": lambda t, a: t.gru(a(PACKED), a(SIZES), a(STATE), [*map(a, GRU)], True, 2, 0.0, False, True),
    "rnn_tanh": lambda t, a: t.rnn_tanh(a(STEPS), a(STATE), [*map(a, RNN)], True, 2, 0.0, False, True, False),
    "rnn_relu": lambda t, a: t.rnn_relu(a(STEPS), a(STATE), [*map(a, RNN)], True, 2, 0.0, False, True, False),
    "lstm_cell": lambda t, a: t.lstm_cell(a(STEPS[0]), [a(STATE[0]), a(STATE[1])], *map(a, CELL[4])),
    "gru_cell": lambda t, a: t.gru_cell(a(STEPS[0]), a(STATE[0]), *map(a, CELL[3])),
    "rnn_tanh_cell": lambda t, a: t.rnn_tanh_cell(a(STEPS[0]), a(STATE[0]), *map(a, CELL[1][:2])),
    "rnn_relu_cell": lambda t, a: t.rnn_relu_cell(a(STEPS[0]), a(STATE[0]), *map(a, CELL[1])),
    "range": lambda t, a: (t.range(1, 4, 0.5), t.range(3, 0, -1), t.range(0, 5, 2, dtype=t.int64)),
    "frobenius_norm": lambda t, a: (t.frobenius_norm(a(X), (0, 1)), t.frobenius_norm(a(X), 1, True)),
    "nuclear_norm": lambda t, a: (t.nuclear_norm(a(X)), t.nuclear_norm(a(X), True), t.nuclear_norm(a(IMAGE), (1, 2))),
    "norm_except_dim": lambda t, a: [t.norm_except_dim(a(IMAGE), 2, d) for d in (0, 1, 2, -1)],
    **{f"segment_reduce {how}": functools.partial(segments, how, initial)
       for how, initial in (("sum", None), ("mean", 1.0), ("max", None), ("min", 0.5), ("prod", None))},
    "segment_reduce offsets": lambda t, a: t.segment_reduce(a(X), "sum", offsets=a(np.array([0, 1, 4]))),
    "segment_reduce along 1": lambda t, a: t.segment_reduce(a(X), "mean", lengths=a(np.array([[2, 4], [1, 5]] * 2)), axis=1),
}
TIME_KERNEL, KERNEL = RNG.standard_normal((3, 3, 4)).astype(np.float32), RNG.standard_normal((4, 2, 3)).astype(np.float32)


def flat(result):
    return [result] if not isinstance(result, (tuple, list)) else [x for r in result for x in flat(r)]


def ran(library, name):
    """(results, gradients of the floating inputs of the sum of cosines of the results)."""
    leaves = []

    def leaf(array):
        x = library.tensor(array)
        if array.dtype.kind == "f" and not any(array is c for c in CHANNELS[2:]) and array is not SIGNS and array is not POSITIVE:
            leaves.append(x.requires_grad_())
        return x

    results = flat(CALLS[name](library, leaf))
    traced = [r.cos().sum() for r in results if r.requires_grad]
    if traced:
        sum(traced).backward()
    return results, [x.grad for x in leaves]


@pytest.mark.filterwarnings("ignore:.*deprecated")
@pytest.mark.parametrize("name", CALLS)
def test_as_in_pytorch(name):
    (ours, our_grads), (theirs, their_grads) = ran(ct, name), ran(torch, name)
    assert len(ours) == len(theirs)
    for a, b in zip([*ours, *our_grads], [*theirs, *their_grads], strict=True):
        if a is not None or (b is not None and b.any()):  # PyTorch gives zeros where there is no gradient
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=2e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", ["dropout_", "alpha_dropout_", "feature_dropout_", "feature_alpha_dropout_"])
def test_dropout_in_place(name):
    x = ct.ones(4, 50)
    assert getattr(ct, name)(x, 0.5, True) is x
    assert len(x.unique()) == 2
    per_channel = (x == x[:, :1]).all().item()
    assert not per_channel
    plain = getattr(ct, name.rstrip("_"))(ct.ones(4, 50), 0.5, False)
    assert (plain == 1).all()


def test_feature_dropout_takes_whole_channels():
    y = ct.feature_dropout(ct.ones(8, 8, 5), 0.5, True)
    assert (y == y[:, :, :1]).all()
    assert y.unique().tolist() == [0, 2]


def test_native_dropout_gives_its_mask():
    x = ct.ones(1000, requires_grad=True)
    y, mask = ct.native_dropout(x, 0.25, True)
    np.testing.assert_allclose(y.detach().numpy(), mask.numpy() / 0.75, rtol=1e-6)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), mask.numpy() / 0.75, rtol=1e-6)
    assert ct.native_dropout(x, 0.25, False)[1].all()


def test_embedding_renorm():
    ours, theirs = ct.tensor(TABLE), torch.tensor(TABLE)
    ct.embedding_renorm_(ours, ct.tensor(ROWS), 1.0, 2.0)
    torch.embedding_renorm_(theirs, torch.tensor(ROWS), 1.0, 2.0)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5)


@pytest.mark.parametrize(("call", "error"), [
    (lambda: ct.kl_div(ct.ones(2), ct.ones(2), 3), "reduction must be 0"),
    (lambda: ct.segment_reduce(ct.ones(4), "sum"), "Either lengths or offsets"),
    (lambda: ct.segment_reduce(ct.ones(4), "median", lengths=ct.tensor([4])), "must be either sum"),
    (lambda: ct.segment_reduce(ct.ones(4), "sum", lengths=ct.tensor([3])), "to sum to data"),
    (lambda: ct.segment_reduce(ct.ones(4, 2), "sum", lengths=ct.tensor([2]), axis=1), "axis to be the last"),
    (lambda: ct.range(3, 0), "inconsistent with step sign"),
    (lambda: ct.nuclear_norm(ct.ones(3)), "2 dimensions"),
    (lambda: ct.gru(ct.ones(2, 1, 3), None, [ct.ones(12, 3)], True, 1, 0.0, False, False, False), "expected 4 parameters"),
    (lambda: ct.grid_sampler(ct.ones(1, 1, 2, 2), ct.zeros(1, 1, 1, 2), 7, 0, False), "interpolation_mode must be one of"),
    (lambda: ct.set_num_threads(0), "positive integer"),
])
def test_refused(call, error):
    with pytest.raises((RuntimeError, ValueError), match=error):
        call()


def test_the_main_namespace_offers_them_all():
    homes = {name for name, module in ct._HOMES.items() if module == "nn.aten"}
    assert homes == set(aten.__all__)


@pytest.mark.parametrize("name", aten.__all__)
def test_argument_names_are_pytorchs(name):
    schemas = [getattr(getattr(torch.ops.aten, name), o)._schema for o in getattr(torch.ops.aten, name).overloads()]
    wanted = [["input" if a.name == "self" else a.name for a in s.arguments] for s in schemas if "out" not in s.overload_name]
    parameters = inspect.signature(getattr(ct, name)).parameters
    if not any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values()):
        ours = list(parameters)
        assert any(ours[: len(w)] == w for w in wanted) or name in ("affine_grid_generator",), (ours, wanted)


def test_accepted_settings():
    assert ct.get_num_threads() >= 1
    assert ct.set_num_threads(2) is None
    assert ct.set_flush_denormal(True) is False
    assert not ct.is_autocast_enabled()
    ct.set_warn_always(True)
    assert ct.is_warn_always_enabled()
    ct.set_warn_always(False)
    assert ct.is_storage(ct.ones(1).untyped_storage())
