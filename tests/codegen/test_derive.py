"""Derived gradients against finite differences of the NumPy references, to second order, and PyTorch's rules at kinks."""

import math

import numpy as np
import pytest

from cltensor.codegen import expr
from cltensor.codegen.derive import gradient, times
from codegen.domains import close, samples, traced

H = 1e-5
inf, nan = math.inf, math.nan
x, y, g = expr.Input("x"), expr.Input("y"), expr.Input("g")
SMOOTH = sorted(name for name, f in expr.FUNCTIONS.items() if f.grad is not None and "b" not in f.kinds)
JUMPING = {"floor_divide", "trunc_divide", "remainder", "fmod", "floor", "ceil", "trunc", "round", "sign", "copysign"}
KINKED = {"abs", "maximum", "minimum", "fmax", "fmin", "clamp", "clamp_min", "clamp_max"}


def differences(node, name, env):
    """Central differences of node along input `name`."""
    step = {**env, name: env[name] + H}, {**env, name: env[name] - H}
    up, down = (np.asarray(expr.evaluate(node, e), np.float64) for e in step)
    return (up - down) / (2 * H)


def differentiable(name):
    """The arguments function `name` has a partial derivative for."""
    node = traced(name)
    partials = node.function.grad(*node.args, node)
    return [f"x{i}" for i, p in enumerate(partials) if p is not None]


def clear_of_jumps(name, env):
    """Keep the samples whose neighbours lie on the same branch: clear of half integers, of zero, of ties."""
    if name not in JUMPING | KINKED:
        return env
    first, *rest = env.values()
    ratio = first / rest[0] if name in JUMPING and rest else first
    gaps = [np.abs(2 * ratio - np.round(2 * ratio)), *(np.abs(first - other) for other in rest)]
    keep = np.all([gap > 0.01 for gap in gaps], axis=0)
    return {k: v[keep] for k, v in env.items()}


@pytest.mark.parametrize("name", SMOOTH)
def test_first_order(name, rng):
    node, env = traced(name), clear_of_jumps(name, samples(name, rng, 40))
    wrt = differentiable(name)
    found = gradient(node, wrt, ["g"])
    for n in wrt:
        seeded = {**env, "g": 1.5}
        close(expr.evaluate(found[n], seeded), 1.5 * differences(node, n, env), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", SMOOTH)
def test_second_order(name, rng):
    node, env = traced(name), clear_of_jumps(name, samples(name, rng, 20))
    wrt = differentiable(name)
    for first in gradient(node, wrt, [1.0]).values():
        for m, second in gradient(first, wrt, [1.0]).items():
            want = differences(first, m, env)
            close(expr.evaluate(second, env), want, rtol=1e-5, atol=1e-6 * max(1.0, np.abs(want).max()))


def test_a_chain_and_several_outputs():
    outputs = expr.trace(lambda a, b: (expr.exp(a) * b, expr.sin(a)), ("x", "y"))
    found = gradient(outputs, ("x", "y"), ("g", "h"))
    env = {"x": 0.3, "y": 2.0, "g": 1.5, "h": -0.5}
    close(expr.evaluate(found["x"], env), 1.5 * np.exp(0.3) * 2 - 0.5 * np.cos(0.3), 1e-12, 0)
    assert found["y"] is g * expr.exp(x)


def test_an_output_without_gradient_and_an_unused_input():
    found = gradient((x * 2, y), ("x", "y"), ("g", None))
    assert found["y"] is expr.Const(0)
    assert found["x"] is g * 2
    assert gradient(x * 2, ["y"], ["g"])["y"] is expr.Const(0)


def test_gradients_come_out_as_one_would_write_them():
    assert gradient(x + y, ["x"], ["g"])["x"] is g
    assert gradient(x - y, ["y"], ["g"])["y"] is -g
    assert gradient(x * x, ["x"], ["g"])["x"] is g * (x * 2)
    assert gradient(x / y, ["x"], ["g"])["x"] is g / y
    assert gradient(expr.relu(x), ["x"], ["g"])["x"] is expr.where(x <= 0, 0, g)
    assert gradient(expr.tanh(x), ["x"], ["g"])["x"] is g * (1 - expr.tanh(x) * expr.tanh(x))


@pytest.mark.parametrize("name", ["exp", "exp2", "expm1", "sqrt", "rsqrt", "tanh", "sigmoid", "tan", "erfinv", "ndtri"])
def test_the_saved_output_replaces_its_computation(name):
    node = traced(name)
    found = gradient(node, ["x0"], ["g"])["x0"]
    assert expr.inputs(expr.replace(found, {node: expr.Input("y")})) == ["g", "y"]


def test_a_zero_partial_hides_infinities():
    assert expr.evaluate(gradient(expr.relu(x), ["x"], ["g"])["x"], {"x": -1.0, "g": inf}) == 0
    assert times(g, expr.Const(0)) is expr.Const(0)


def test_conditions_get_no_gradient():
    found = gradient(expr.where(x > 0, x, y), ("x", "y"), ["g"])
    assert found["x"] is expr.where(x > 0, g, 0)
    assert found["y"] is expr.where(x > 0, 0, g)


# What PyTorch 2.13 gives where a derivative is a matter of convention: (function, arguments, partials)
CONVENTIONS = [
    (expr.maximum, (0.0, 0.0), (0.5, 0.5)), (expr.maximum, (nan, 0.0), (1, 1)), (expr.minimum, (0.0, 0.0), (0.5, 0.5)),
    (expr.fmax, (0.0, 0.0), (1, 0)), (expr.fmax, (nan, 0.0), (0, 1)), (expr.fmax, (0.0, nan), (1, 0)),
    (expr.fmin, (0.0, 0.0), (1, 0)), (expr.fmin, (nan, nan), (1, 0)), (expr.abs, (0.0,), (0,)), (expr.sign, (3.0,), (0,)),
    (expr.relu, (0.0,), (0,)), (expr.clamp, (0.0, 0.0, 1.0), (1, 0, 0)), (expr.clamp, (1.0, 0.0, 1.0), (1, 0, 0)),
    (expr.clamp, (-1.0, 0.0, 1.0), (0, 1, 0)), (expr.clamp, (2.0, 0.0, 1.0), (0, 0, 1)),
    (expr.clamp, (0.5, 2.0, 1.0), (0, 0, 1)), (expr.clamp, (nan, 0.0, 1.0), (0, 0, 0)),
    (expr.clamp, (-1.0, 0.0, 0.0), (0, 0, 0)), (expr.clamp, (1.0, 0.0, 0.0), (0, 0, 1)),
    (expr.clamp_min, (0.0, 0.0), (1, 0)), (expr.clamp_min, (nan, 0.0), (0, 0)), (expr.clamp_max, (0.0, 0.0), (1, 0)),
    (expr.pow, (0.0, 2.0), (0, 0)), (expr.pow, (0.0, 0.0), (0, 0)), (expr.pow, (0.0, 1.0), (1, 0)),
    (expr.pow, (-2.0, 3.0), (12, nan)), (expr.pow, (0.0, -1.0), (-inf, -inf)), (expr.pow, (0.0, 0.5), (inf, 0)),
    (expr.pow, (nan, 0.0), (0, nan)), (expr.pow, (2.0, 0.0), (0, math.log(2))),
    (lambda a: a**2, (0.0,), (0,)), (lambda a: a**3, (-2.0,), (12,)), (lambda a: a**0, (0.0,), (0,)),
    (lambda a: a**-1, (0.0,), (-inf,)), (lambda a: a**2.5, (0.0,), (0,)), (expr.sqrt, (0.0,), (inf,)),
    (expr.rsqrt, (0.0,), (-inf,)), (expr.atan2, (0.0, 0.0), (0, 0)), (expr.hypot, (0.0, 0.0), (nan, nan)),
    (expr.logaddexp, (-inf, -inf), (nan, nan)), (expr.logaddexp, (inf, 0.0), (1, 0)),
    (expr.xlogy, (0.0, 2.0), (math.log(2), 0)), (expr.xlogy, (0.0, 0.0), (0, nan)), (expr.xlogy, (0.0, nan), (nan, nan)),
    (expr.xlog1py, (0.0, -1.0), (0, nan)), (expr.copysign, (0.0, 1.0), (0, 0)), (expr.copysign, (2.0, -1.0), (-1, 0)),
    (expr.fmod, (5.0, -3.0), (1, 1)), (expr.remainder, (5.0, -3.0), (1, 2)), (expr.remainder, (5.0, 0.0), (1, -inf)),
    (expr.sinc, (0.0,), (0,)), (expr.logit, (0.0,), (inf,)), (expr.logit, (1.0,), (inf,)), (expr.logit, (2.0,), (nan,)),
    (expr.i0, (0.0,), (0,)), (expr.i1, (0.0,), (0.5,)), (expr.i0e, (0.0,), (0,)), (expr.i1e, (0.0,), (0.5,)),
    (expr.ldexp, (3.0, 2.0), (4, 12 * math.log(2))), (expr.floor, (1.5,), (0,)), (expr.round, (0.5,), (0,)),
    (expr.lerp, (1.0, 2.0, 0.25), (0.75, 0.25, 1)), (expr.frac, (1.5,), (1,)), (expr.softplus, (0.0,), (0.5,)),
]


@pytest.mark.parametrize(("fn", "values", "partials"), CONVENTIONS)
def test_conventions_of_pytorch(fn, values, partials):
    names = [f"x{i}" for i in range(len(values))]
    found = gradient(expr.trace(fn, len(values)), names, [1.0])
    got = [float(expr.evaluate(found[n], dict(zip(names, values, strict=True)))) for n in names]
    np.testing.assert_allclose(got, partials, rtol=1e-12, atol=1e-15)


def test_softplus_is_smooth_at_zero():
    first = gradient(expr.softplus(x), ["x"], [1.0])["x"]
    second = gradient(first, ["x"], [1.0])["x"]
    third = gradient(second, ["x"], [1.0])["x"]
    assert [expr.evaluate(e, {"x": 0.0}) for e in (first, second, third)] == [0.5, 0.25, 0.0]
