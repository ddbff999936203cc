"""Multi-head attention and the transformer compute, differentiate and complain as PyTorch's do, from the same parameters."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.device, pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning"),
              pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")]

ROWS, KEYS, BATCH, WIDTH, HEADS = 3, 5, 2, 8, 2


def twins(name, *args, **settings):
    """(ours, PyTorch's) modules with the same parameters, none of which is 0."""
    torch.manual_seed(3)
    theirs, ours = (getattr(m, name)(*args, **settings) for m in (torch.nn, nn))
    with torch.no_grad():
        for p in theirs.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    ours.load_state_dict({k: ct.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    return ours, theirs


def pair(array):
    """An array as a tensor of ours and of PyTorch's; floating ones require grad."""
    a, b = ct.tensor(array), torch.tensor(array)
    return (a.requires_grad_(), b.requires_grad_()) if array.dtype.kind == "f" else (a, b)


def drawn(*shape, seed=0):
    return pair(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def same(a, b, close=3e-5):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=close, atol=close)


def compare(modules, call, inputs):
    """call(module, inputs) agrees on both sides, with its gradients by inputs and parameters."""
    outs = [call(m, [x[i] for x in inputs]) for i, m in enumerate(modules)]
    for made in zip(*(o if isinstance(o, tuple) else (o,) for o in outs), strict=True):
        if made[0] is None or made[1] is None:
            assert made[0] is made[1]
            continue
        assert tuple(made[0].shape) == tuple(made[1].shape)
        same(*made)
    for o in outs:
        floating = [x for x in (o if isinstance(o, tuple) else (o,)) if x is not None]
        sum((x * (i + 1)).sin().sum() for i, x in enumerate(floating)).backward()
    for a, b in inputs:
        if a.is_floating_point() and b.grad is not None:
            same(a.grad, b.grad, 2e-4)
    theirs = dict(modules[1].named_parameters())
    for name, p in modules[0].named_parameters():
        same(p.grad, theirs[name].grad, 2e-4)


PADDING = np.array([[False] * 3 + [True] * 2, [False] * 5])
BLOCKED = np.triu(np.ones((ROWS, KEYS), bool), 3)
CASES = [
    ({}, {}), ({"bias": False}, {"average_attn_weights": False}), ({"kdim": 6, "vdim": 7}, {"need_weights": False}),
    ({"add_bias_kv": True, "add_zero_attn": True}, {"key_padding_mask": PADDING, "attn_mask": BLOCKED}),
    ({"batch_first": True}, {"key_padding_mask": PADDING, "need_weights": False}),
    ({}, {"attn_mask": np.random.default_rng(1).standard_normal((BATCH * HEADS, ROWS, KEYS)).astype(np.float32)}),
    ({}, {"attn_mask": BLOCKED, "need_weights": False, "is_causal": False}),
]


@pytest.mark.parametrize(("settings", "given"), CASES)
def test_attention(settings, given):
    modules = twins("MultiheadAttention", WIDTH, HEADS, **settings)
    masks = {k: pair(v) for k, v in given.items() if isinstance(v, np.ndarray)}
    plain = {k: v for k, v in given.items() if k not in masks}
    shapes = [(ROWS, WIDTH), (KEYS, settings.get("kdim", WIDTH)), (KEYS, settings.get("vdim", WIDTH))]
    inputs = [drawn(*((BATCH, n) if settings.get("batch_first") else (n, BATCH)), w, seed=i) for i, (n, w) in enumerate(shapes)]
    compare(modules, lambda m, xs: m(*xs[:3], **dict(zip(masks, xs[3:], strict=True)), **plain), [*inputs, *masks.values()])
    assert repr(modules[0]) == repr(modules[1])


@pytest.mark.parametrize("need_weights", [False, True])
def test_self_attention_causal(need_weights):
    modules = twins("MultiheadAttention", WIDTH, HEADS, batch_first=True)
    mask = pair(np.triu(np.ones((KEYS, KEYS), bool), 1))
    compare(modules, lambda m, xs: m(xs[0], xs[0], xs[0], attn_mask=xs[1], need_weights=need_weights, is_causal=True),
            [drawn(BATCH, KEYS, WIDTH), mask])


def test_attention_to_one_memory_unbatched():
    modules = twins("MultiheadAttention", WIDTH, HEADS)
    compare(modules, lambda m, xs: m(xs[0], xs[1], xs[1], key_padding_mask=xs[2]),
            [drawn(ROWS, WIDTH), drawn(KEYS, WIDTH, seed=1), pair(PADDING[0])])


@pytest.mark.parametrize("settings", [{}, {"norm_first": True, "batch_first": True, "activation": "gelu", "bias": False}])
@pytest.mark.parametrize("train", [True, False])
def test_transformer(settings, train):
    modules = twins("Transformer", WIDTH, HEADS, 2, 1, 12, 0.0, **settings)
    for m in modules:
        m.train(train)
    first = settings.get("batch_first")
    inputs = [drawn(*((BATCH, n) if first else (n, BATCH)), WIDTH, seed=n) for n in (KEYS, ROWS)]
    masks = [(m[0].generate_square_subsequent_mask(ROWS), m[1].generate_square_subsequent_mask(ROWS)) for m in [modules]]
    compare(modules, lambda m, xs: m(*xs[:2], tgt_mask=xs[2], src_key_padding_mask=xs[3], memory_key_padding_mask=xs[3]),
            [*inputs, *masks, pair(PADDING)])
    assert repr(modules[0]) == repr(modules[1])


def test_dropout_is_random_in_training_only():
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 16, dropout=0.5)
    x = ct.randn(KEYS, BATCH, WIDTH)
    assert float((layer(x) - layer(x)).abs().max()) > 1e-3
    layer.eval()
    same(layer(x), layer(x))


COMPLAINTS = [
    lambda m, t: m.MultiheadAttention(8, 3), lambda m, t: m.MultiheadAttention(0, 3),
    lambda m, t: m.MultiheadAttention(8, 2)(t.zeros(3, 2, 8), t.zeros(3, 8), t.zeros(3, 8)),
    lambda m, t: m.MultiheadAttention(8, 2)(*[t.zeros(3, 2, 8)] * 3, attn_mask=t.zeros(3, 4)),
    lambda m, t: m.MultiheadAttention(8, 2)(*[t.zeros(3, 2, 8)] * 3, is_causal=True),
    lambda m, t: m.MultiheadAttention(8, 2)(*[t.zeros(3, 2, 6)] * 3),
    lambda m, t: m.MultiheadAttention(8, 2)(*[t.zeros(3, 2, 8)] * 3, attn_mask=t.zeros(3, 3, dtype=t.int64)),
    lambda m, t: m.TransformerEncoderLayer(8, 2, activation="tanh"),
    lambda m, t: m.Transformer(8, 2, 1, 1, 8)(t.zeros(3, 2, 8), t.zeros(3, 1, 8)),
]


@pytest.mark.parametrize("call", COMPLAINTS)
def test_complaints(call):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(torch.nn, torch)
    with pytest.raises(type(theirs.value)):
        call(nn, ct)
