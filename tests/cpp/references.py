"""What the C++ tests compare with: elementwise ops by the registry's samples and references, layers by NumPy, and trainings."""

import inspect
import json

import numpy as np

import cltensor as ct
from cltensor import nn, optim
from cltensor.base import dtypes
from cltensor.cli.kernels import calls, pack_ops
from cltensor.cli.parser import UsageError
from cltensor.dispatch.registry import REGISTRY
from cltensor.nn import functional as F
from cltensor.ops.conv import reference
from ops import samples

#: elementwise ops that are tried always
FEW = ("add", "mul", "div", "pow", "exp", "erf", "gelu", "softplus", "atan2", "maximum", "where_select", "lerp", "leaky_relu",
       "logical_not", "eq", "lstm_step", "adam_step", "threshold")

KINDS = (dtypes.float32, dtypes.int64, dtypes.bool_)


def all_ops():
    """The names of elementwise ops that are in a pack and have references."""
    return [op.name for op in samples.referenced("elementwise") if pack_ops.packed(op) and op.name != "copy"]


def write(folder, names):
    """Write references.safetensors, elementwise.json and the states of trained models to a folder."""
    tensors = {}
    ops = [case for name in names for case in _elementwise(REGISTRY[name], tensors)]
    (folder / "elementwise.json").write_text(json.dumps(ops))
    for name, value in (*_layers(), *_random()):
        tensors[name] = value
    for name, value in _trainings(folder):
        tensors[name] = value
    ct.save({name: ct.tensor(np.array(value, order="C")) for name, value in tensors.items()}, folder / "references.safetensors")


def _elementwise(op, tensors):
    for dtype in [d for d in KINDS if d in op.allowed][:2]:
        for i, (arrays, attrs) in enumerate(samples.samples(op, dtype)[:2]):
            arrays = [np.asarray(a) for a in arrays]
            inputs = tuple((a.shape, _typed(a, dtype, n in op.exempt)) for a, n in zip(arrays, op.inputs, strict=True))
            try:
                call = calls.call(op, inputs, attrs, "cpu")
            except UsageError:  # a sample that this dtype does not have
                continue
            expected = call.expected(arrays)
            if expected is None or any(s.dtype not in KINDS for s in (*call.inputs, *call.outputs)):
                continue
            at = f"{op.name}.{dtype.name}.{i}"
            given = {f"{at}.x{k}": a.astype(s.dtype.numpy) for k, (a, s) in enumerate(zip(arrays, call.inputs, strict=True))}
            found = {f"{at}.y{k}": np.broadcast_to(y, s.shape).astype(np.float64 if s.dtype.is_floating_point else s.dtype.numpy)
                     for k, (y, s) in enumerate(zip(expected, call.outputs, strict=True))}
            smooth = dtype is dtypes.float32 and op.differentiable and call.outputs[0].dtype is dtype
            tensors.update(given | found)
            named = {**op.attrs, **attrs}
            numbers = [float(named[n]) for n in op.attr_names]
            assert inspect.Parameter.empty not in numbers
            yield {"op": op.name, "inputs": list(given), "results": list(found), "numbers": numbers, "allowed": 2e-5,
                   "gradient": smooth and op.name not in samples.NO_GRADIENT}


def _typed(array, dtype, condition):
    if condition:
        return dtypes.bool_
    return dtype if array.dtype.kind == "f" or dtype.category == "int" else dtypes.BY_NAME[array.dtype.name]


def _layers():
    rng = np.random.default_rng(5)
    draw = lambda *shape: rng.standard_normal(shape).astype(np.float32)  # noqa: E731
    for name, a, b in (("small", (2, 3), (3, 2)), ("long", (7, 700), (700, 5)), ("wide", (130, 33), (33, 150)),
                       ("batched", (2, 1, 20, 9), (3, 9, 17))):
        a, b = draw(*a), draw(*b)
        yield from ((f"matmul.{name}.a", a), (f"matmul.{name}.b", b), (f"matmul.{name}.y", (a.astype(np.float64) @ b)))
    x = draw(3, 5, 4)
    parts = {d: np.exp(x - x.max(d, keepdims=True)) / np.exp(x - x.max(d, keepdims=True)).sum(d, keepdims=True) for d in (1, 2)}
    yield from (("softmax.x", x), ("softmax.y1", parts[1]), ("softmax.y2", parts[2]), ("softmax.log2", np.log(parts[2])))
    x, w, b = draw(2, 4, 7, 8), draw(6, 2, 3, 2), draw(6)
    yield from (("conv.x", x), ("conv.w", w), ("conv.b", b))
    yield "conv.y", reference.forward(*(a.astype(np.float64) for a in (x, w, b)), stride=(2, 1), padding=(1, 1), dilation=(1, 2),
                                      groups=2)
    x = draw(2, 3, 7, 6)
    around = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    seen = np.lib.stride_tricks.sliding_window_view(around, (3, 3), (2, 3))[:, :, ::2, ::2]
    yield from (("pool.x", x), ("pool.max", seen.max((-1, -2))), ("pool.mean", np.where(np.isinf(seen), 0, seen).mean((-1, -2))))
    x, w, b = draw(5, 4, 6), draw(6), draw(6)
    yield from (("norm.x", x), ("norm.w", w), ("norm.b", b))
    yield "norm.y", (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * w + b
    x, t = draw(6, 4), rng.integers(0, 4, 6)
    yield from (("loss.x", x), ("loss.t", t), ("loss.y", np.mean(np.log(np.exp(x).sum(1)) - x[np.arange(6), t])))


def _random():
    ct.manual_seed(11)
    for name, value in (("randn", ct.randn(5)), ("rand", ct.rand(5)), ("randint", ct.randint(-3, 12, (9,))),
                        ("linear", nn.Linear(3, 2).weight.detach())):
        yield f"random.{name}", value.numpy()


class Words(nn.Module):
    """The network of the same layers in cpp/tests/frontend/references.cpp."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(7, 4)
        self.lstm = nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(10)
        self.head = nn.Sequential(nn.Linear(10, 8), nn.GELU(), nn.Linear(8, 3))

    def forward(self, x):
        return self.head(self.norm(self.lstm(self.words(x))[0].mean(1)))


def images():
    """The second network there."""
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(16, 3))


MODELS = {"words": Words, "images": images}
OPTIMIZERS = {"sgd": lambda p: optim.SGD(p, 0.05, 0.9, weight_decay=0.01, nesterov=True), "adamw": lambda p: optim.AdamW(p, 0.01)}


def _trainings(folder):
    rng = np.random.default_rng(6)
    given = {"words": rng.integers(0, 7, (6, 4)), "images": rng.standard_normal((6, 1, 4, 4)).astype(np.float32)}
    for model_name, make in MODELS.items():
        for rule, optimizer_of in OPTIMIZERS.items():
            ct.manual_seed(4)
            model, name = make(), f"{model_name}.{rule}"
            x, t = ct.tensor(given[model_name]), ct.tensor(rng.integers(0, 3, 6))
            ct.save(model.state_dict(), folder / f"{name}.before.safetensors")
            optimizer, losses = optimizer_of(model.parameters()), []
            for _ in range(3):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x), t)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            ct.save(model.state_dict(), folder / f"{name}.after.safetensors")
            with ct.no_grad():
                y = model.eval()(x).numpy()
            yield from ((f"{name}.x", x.numpy()), (f"{name}.t", t.numpy()), (f"{name}.losses", np.array(losses)), (f"{name}.y", y))
