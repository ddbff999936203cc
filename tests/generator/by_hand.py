"""Cases of the templates that no op's samples launch: those that programs of several ops launch, and those without a NumPy form."""

import numpy as np

from cltensor.base import dtypes
from cltensor.dispatch.registry import REGISTRY
from cltensor.ops.conv.pooling import output_size
from ops.test_pooling import max_reference, mean_reference, windows

from . import cases
from .cases import held


def copies(style, dtype, rng):
    """transpose: between layouts that have gaps."""
    outer, rows, columns = 3, 37, 21
    x = rng.integers(0, 100, (outer, columns + 1, rows + 2))
    y = np.swapaxes(x[:, :columns, :rows], 1, 2)
    given = {"b0": outer, "x_b0": x[0].size, "y_b0": rows * columns, "outer": outer, "rows": rows, "columns": columns,
             "xs": rows + 2, "ys": columns, "x_p": held(x, dtype), "y_p": held(y, dtype, read=False)}
    yield cases.of_template("transpose", style, given, dtype=dtype)


def column_sums(style, dtype, rng):
    """Three matrices, one of them without rows, and no fourth."""
    given = {}
    for m, (rows, columns, gap) in enumerate(((5, 70, 1), (0, 3, 0), (131, 9, 4), (0, 0, 0))):
        x = rng.integers(-3, 4, (rows, columns + gap))
        given |= {f"x{m}": held(x if x.size else np.zeros(1), dtype), f"rows{m}": rows, f"stride{m}": columns + gap,
                  f"columns{m}": columns,
                  f"y{m}": held(x[:, :columns].sum(0) if columns else np.zeros(1), dtype, read=columns == 0)}
    yield cases.of_template("column_sums", style, given, dtype=dtype)


def tuples(style, dtype, rng):
    """multi_tensor: x0 - s0 * x1 for tuples of tensors, in place."""
    given = {"s0": 2.0, "share": 50}
    for t, n in enumerate((7, 0, 300, 64)):
        x0, x1 = rng.integers(-9, 9, (2, max(n, 1)))
        given |= {f"x0_{t}": held(x0, dtype), f"x1_{t}": held(x1, dtype), f"n_{t}": n}
        if n:
            given[f"x0_{t}"].expected = held(x0 - 2 * x1, dtype).data
    yield cases.of_template("multi_tensor", style, given, dtype=dtype)


def chains(style, dtype, rng):
    """multiply_add, few steps of it."""
    s = np.arange(3) / 3
    for _ in range(4):
        s = s * 0.5 + 1
    given = {"a": 0.5, "b": 1.0, "items": 5, "y": held(np.full(5 * 4, s.sum()), dtype, read=False)}
    yield cases.of_template("multiply_add", style, given, dtype=dtype, LANES=4, CHAINS=3, STEPS=4)


def slices(style, dtype, rng):
    """matmul_sum: the sums of three slices of two products."""
    parts = rng.integers(-9, 9, (3, 2, 5, 7))
    computed = dtype if dtype.itemsize > 2 else dtypes.float32
    given = {"parts": held(parts, computed), "c": held(parts.sum(0), dtype, read=False), "slices": 3, "M": 5, "N": 7, "numel": 70}
    yield cases.of_template("matmul_sum", style, given, dtype=dtype)


def pools(style, dtype, rng):
    """Maxima and means of windows, with their positions, and their gradients."""
    size, kernel, stride, padding, dilation, ones = (7, 9), (3, 2), (2, 3), (1, 0), (2, 1), (1, 1)
    window, plain = (kernel, stride, padding, dilation), (kernel, stride, padding, ones)
    tall, low = (output_size(size, *w, False) for w in (plain, window))
    x, g, more = (rng.integers(-9, 9, (2, 3, *s)).astype(float) for s in (size, low, tall))
    y, place, gx = max_reference(x, low, windows(size, low, *window), g)
    mean, mean_gx = mean_reference(x, tall, windows(size, tall, *plain), more)
    named = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": False}
    means = {**named, "count_include_pad": True, "divisor_override": None}
    for name, arrays, attrs, results in (
            ("max_pool", (x,), {**named, "dilation": dilation}, (y, place)),
            ("max_pool_take", (x, place), {"window": window}, (y,)),
            ("max_pool_gradient", (g, place), {"size": size, "window": window}, (gx,)),
            ("avg_pool", (x,), means, (mean,)), ("avg_pool_gradient", (more,), {**means, "size": size}, (mean_gx,))):
        if dtype in REGISTRY[name].allowed:
            given = [(arrays, attrs)]
            yield from cases.of_samples(REGISTRY[name], given, dtype, style, lambda arrays, attrs, found=results: found)


def drawn(style, dtype, rng):
    """Random numbers: those of NumPy's form in float64; in other dtypes, that they stay in their buffers."""
    n, given = 1000, {"seed": 7, "offset": 3}
    unit, rates = rng.uniform(0, 1, n), rng.choice([0, 0.5, 3, 40, 1e4], n)
    for name, arrays, attrs in (
            ("random_like", (np.zeros(n),), {"distribution": "uniform", "a": -1.0, "b": 2.0}),
            ("random_like", (np.zeros(n),), {"distribution": "normal", "a": 0.0, "b": 1.0}),
            ("bernoulli_of", (unit,), {"dtype": dtype.name, "a": 0.0, "b": 1.0}), ("poisson_seeded", (rates,), {}),
            ("binomial_seeded", (np.floor(rates), unit), {}), ("standard_gamma_seeded", (rates,), {}),
            ("von_mises_seeded", (rates,), {})):
        exact = None if dtype is dtypes.float64 else lambda arrays, attrs: None
        yield from cases.of_samples(REGISTRY[name], [(arrays, {**attrs, **given})], dtype, style, exact)


def every(style, dtype):
    """All Cases of one style and dtype."""
    rng = np.random.default_rng(11)
    for made in (copies, column_sums, tuples, slices, pools, drawn, *([chains] if dtype.itemsize > 2 else [])):
        yield from made(style, dtype, rng)
