"""Every op of the registry, exported to ONNX: onnxruntime gives what it gives here, or it has no form, for a reason."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import onnx
from cltensor.base import dtypes
from cltensor.dispatch.registry import REGISTRY
from cltensor.graph.structure import flatten
from ops import samples

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytestmark = [pytest.mark.device, pytest.mark.any_style]

COMPLEX = "ONNX's operators are not defined for complex numbers"
FUNCTION = "ONNX has no such function of numbers, nor those that it is made of"
GRADIENT = "a gradient whose sums no operator makes"
HOST = "runs on the host"
RANDOM = "draws random numbers that no operator draws"
SAMPLING = "samples at places that no operator takes"
#: ops without a form in ONNX, and why
WITHOUT = {
    **dict.fromkeys([
        "view_as_real", "view_as_complex", "recast_view", "complex_of", "polar_of", "complex_convolution", "fft_c2c", "fft_r2c",
        "fft_c2r", "complex_convolution_input_gradient", "complex_matmul", "complex_addmm", "complex_linear",
        "logcumsumexp_complex"], COMPLEX),
    **dict.fromkeys([
        "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_k0", "modified_bessel_k1",
        "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "chebyshev_polynomial_t", "chebyshev_polynomial_u",
        "chebyshev_polynomial_v", "chebyshev_polynomial_w", "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u",
        "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he",
        "laguerre_polynomial_l", "legendre_polynomial_p", "igamma", "igammac", "zeta", "polygamma_order", "nextafter", "gcd", "lcm",
        "standard_gamma_grad", "dirichlet_grad", "ndtri"], FUNCTION),
    **dict.fromkeys(["attention_backward", "recurrent_backward", "deform_scatter", "roi_mean_gradient"], GRADIENT),
    **dict.fromkeys(["deform_sample"], SAMPLING),
    **dict.fromkeys(["apply_", "map_", "map2_", "linalg_inv", "linalg_cholesky", "linalg_solve_triangular", "cholesky_solve_dense",
                     "linalg_solve", "linalg_det", "linalg_slogdet", "linalg_qr", "linalg_eigh", "linalg_svd", "linalg_pinv",
                     "geqrf_compact", "lu_permutation", "linalg_lu_factor", "linalg_ldl_factor", "linalg_ldl_solve",
                     "linalg_eig"], HOST),
    **dict.fromkeys(["poisson_seeded", "binomial_seeded", "standard_gamma_seeded", "log_standard_gamma_seeded", "von_mises_seeded",
                     "dirichlet_drawn"], RANDOM),
}
#: samples that have no form, of ops that have one: {op: the numbers of its samples}
PARTLY = {"nms_kept": {1}, "roi_mean": {2, 3}}
#: ops whose further results serve their gradients alone
FIRST = ("roi_max",)
#: ops without samples, which other tests here export
ELSEWHERE = ("full", "cat_along", "stack_along", "recurrent", "recurrent_forward", "random_like", "bernoulli_of", "dropout_seeded",
             "device_copy", "check_input", "check_target", "check_var", "check_std", "check_divisor")


def dtype_of(op):
    return next(d for d in (dtypes.float32, dtypes.int64, dtypes.bool_) if d in samples.tried(op))


def program(op, given, attributes):
    """(a function of the tensors among the arguments, those tensors)."""
    def call(*tensors):
        rest = iter(tensors)
        found = op(*[next(rest) if isinstance(x, ct.Tensor) else x for x in given], **attributes)
        return found[0] if op.name in FIRST else found

    return call, tuple(x for x in given if isinstance(x, ct.Tensor))


@pytest.mark.parametrize("op", [pytest.param(op, id=op.name) for op in REGISTRY.values()
                                if op.name not in WITHOUT and op.name not in ELSEWHERE])
def test_an_op(op):
    dtype = dtype_of(op)
    for at, (arrays, attributes) in enumerate(samples.samples(op, dtype)):
        call, tensors = program(op, samples.tensors(arrays, dtype), attributes)
        if at in PARTLY.get(op.name, ()):
            with pytest.raises(onnx.UnmappedError, match=op.name):
                onnx.export(call, tensors)
        else:
            onnx.export(call, tensors)  # which compares


@pytest.mark.parametrize("name", [n for n, reason in WITHOUT.items() if reason is FUNCTION
                                  or (reason in (GRADIENT, SAMPLING) and REGISTRY[n].samples is not None)])
def test_an_op_without_a_form_is_named(name):
    op = REGISTRY[name]
    dtype = dtype_of(op)
    arrays, attributes = samples.samples(op, dtype)[0]
    call, tensors = program(op, samples.tensors(arrays, dtype), attributes)
    with pytest.raises(onnx.UnmappedError, match=rf"{name} has no form in ONNX.*test_export_ops.py:\d+"):
        onnx.export(call, tensors)


def test_the_lists_name_ops_and_none_twice():
    assert set(WITHOUT) | set(PARTLY) | set(ELSEWHERE) <= set(REGISTRY)
    assert not set(WITHOUT) & set(ELSEWHERE)
    assert len(WITHOUT) < len(REGISTRY) / 4


INTEGERS = [op for op in samples.ops("elementwise", "reduction") if op.name not in WITHOUT and op.samples is None]


@pytest.mark.parametrize("dtype", [dtypes.int64, dtypes.int32, dtypes.uint8, dtypes.bool_, dtypes.float16], ids=lambda d: d.name)
def test_other_dtypes(dtype):
    """All ops at once: the results of each are outputs of one model."""
    calls, tensors = [], []
    for op in INTEGERS:
        if dtype in samples.tried(op):
            arrays, attributes = samples.samples(op, dtype)[0]
            call, given = program(op, samples.tensors(arrays, dtype), attributes)
            calls.append((call, len(given)))
            tensors += given

    def every(*given):
        rest = iter(given)
        return [call(*(next(rest) for _ in range(count))) for call, count in calls]

    assert len(calls) > 40
    onnx.export(every, tensors)


def test_joining_and_filling():
    x, y = ct.randn(2, 3), ct.arange(3).expand(2, 3)
    onnx.export(lambda x, y: (ct.cat([x, y, x], 1), ct.stack([x, y]), ct.full_like(x, 2.5), ct.cat([x]), ct.zeros(3)), (x, y))


@pytest.mark.parametrize("mode", ["lstm", "gru", "tanh", "relu"])
@pytest.mark.parametrize("reverse", [False, True])
def test_recurrent_layers(mode, reverse):
    gates, op = {"lstm": 4, "gru": 3}.get(mode, 1), REGISTRY["recurrent"]
    x, h, c = ct.randn(6, 4), ct.randn(2, 3), ct.randn(2, 3)
    weights = [ct.randn(3 * gates, 4), ct.randn(3 * gates, 3)]
    biases = [ct.randn(3 * gates), ct.randn(3 * gates)]

    def run(x, h, c, *parameters):
        for given in (parameters, (*parameters[:2], None, None)):
            start = (h, c if mode == "lstm" else None) if given is parameters else (None, None)
            made = op(x, *start, *given, None, mode=mode, batch_sizes=(2, 2, 2), reverse=reverse)
            made = made if isinstance(made, tuple) else (made,)
            yield made[0]
            if mode == "lstm":
                yield made[1].narrow(0, 0 if reverse else 4, 2)

    onnx.export(lambda *given: list(run(*given)), (x, h, c, *weights, *biases))


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_packed_sequences(kind):
    layer, rnn = getattr(ct.nn, kind)(3, 4, bidirectional=True), ct.nn.utils.rnn

    def run(x):
        y, state = layer(rnn.pack_padded_sequence(x, [5, 2, 2], enforce_sorted=False))
        return rnn.pad_packed_sequence(y)[0], state

    onnx.export(run, ct.randn(5, 3, 3))


def test_states_that_are_projected_have_no_form():
    with pytest.raises(onnx.UnmappedError, match="recurrent has no form in ONNX: its states are projected"):
        onnx.export(ct.nn.LSTM(3, 4, proj_size=2), ct.randn(5, 2, 3))


@pytest.mark.parametrize("dtype", [ct.float16, ct.bfloat16], ids=str)
def test_models_of_16_bits(dtype):
    model = ct.nn.Sequential(ct.nn.Conv2d(2, 4, 3), ct.nn.BatchNorm2d(4), ct.nn.SiLU(), ct.nn.Flatten(), ct.nn.Linear(16, 3),
                             ct.nn.LayerNorm(3), ct.nn.Softmax(1)).to(dtype)
    proto = onnx.export(model, ct.randn(2, 2, 4, 4).to(dtype), check=dtype is ct.float16)
    assert {t.data_type for t in proto.graph.initializer if "weight" in t.name} == {10 if dtype is ct.float16 else 16}


def test_random_numbers_have_their_distribution():
    proto = onnx.export(lambda x: (ct.randn_like(x), ct.rand_like(x), ct.nn.functional.dropout(x, 0.25), ct.bernoulli(x * 0.25)),
                        ct.ones(100, 100), training=None)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    normal, uniform, dropped, truths = session.run(None, {session.get_inputs()[0].name: np.ones((100, 100), np.float32)})
    assert abs(normal.mean()) < 0.05
    assert abs(normal.std() - 1) < 0.05
    assert 0 <= uniform.min() <= uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.02
    assert {*np.unique(dropped)} == {0, np.float32(1 / 0.75)}
    assert abs((dropped == 0).mean() - 0.25) < 0.03
    assert abs(truths.mean() - 0.25) < 0.03


LAYOUTS = {
    "transposed": lambda x: x.permute(2, 0, 1) * 2,
    "cut": lambda x: x[1:, ::2, 1] + 1,
    "joined": lambda x: x.reshape(-1)[3:20:4] * x[0, 0, 0],
    "split": lambda x: x.view(3, 2, 2, 6).transpose(1, 2)[..., 1::3],
    "split and cut": lambda x: x.view(3, 2, 2, 6)[:, 1, :, 2:5].permute(2, 1, 0),
    "one": lambda x: x[2, 3, 5],
    "repeated": lambda x: x[:1].expand(4, 4, 6) + x[0, 0],
    "diagonal": lambda x: x.diagonal(0, 1, 2),
    "windows": lambda x: x.unfold(2, 3, 1).sum(-1),
    "strided": lambda x: x.as_strided((3, 5), (2, 3), 1),
    "empty": lambda x: (x[:0], x),
    "turned": lambda x: x.flip(0, 2).transpose(0, 1),
    "written along an axis": lambda x: _written(x, lambda y: y[:, 1:3].mul_(2)),
    "written at one place": lambda x: _written(x, lambda y: y[1].fill_(7)),
    "written transposed": lambda x: _written(x, lambda y: y.transpose(0, 2)[1:3].copy_(y.transpose(0, 2)[:2].clone())),
    "written with steps": lambda x: _written(x, lambda y: y[:, ::2, 1::3].zero_()),
    "written to memory made empty": lambda x: _written(ct.empty(2, *x.shape), lambda y: (y[0].copy_(x), y[1].copy_(-x))),
    "read after writes to views": lambda x: _written(x, lambda y: (y[0].add_(1), y[:, 0].mul_(y[:, 1]), y[1, 2:].zero_())),
}


def _written(x, write):
    y = x.clone() if x.numel() else x
    write(y)
    return y, y.sum(0)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_layout(layout):
    x = ct.randn(3, 4, 6)
    onnx.export(layout, x)
    onnx.export(lambda x: layout(x.transpose(0, 2).contiguous().transpose(0, 2)), x)


def test_results_that_are_inputs_weights_and_one_twice():
    layer = ct.nn.Linear(3, 3)
    proto = onnx.export(lambda x: (x, layer.weight, y := layer(x), y, x[0]), ct.randn(2, 3))
    assert len({o.name for o in proto.graph.output}) == 5
    assert len(flatten([n.op_type for n in proto.graph.node])[0]) >= 4
