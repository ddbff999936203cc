"""Every row of the table in OpenCL C, for every type it has a spelling for, against its NumPy reference on the device."""

import functools

import numpy as np
import pytest

from cltensor.codegen import expr
from cltensor.codegen.emit import emit
from cltensor.runtime.device import default_device
from codegen.applied import Applied
from codegen.domains import samples, traced

pytestmark = pytest.mark.oclgrind
NUMPY = {"float": np.float32, "double": np.float64, "int": np.int32, "long": np.int64}
TOLERANCE = {"float": 2e-5, "double": 1e-12}
ROWS = [(ctype, name) for ctype in NUMPY for name, row in expr.FUNCTIONS.items() if ctype in row.spellings]


@functools.cache
def applied(ctype):
    """The kernel holding all functions of one type."""
    device = default_device()
    if ctype == "double" and not device.profile.fp64:
        pytest.skip(f"{device.name} has no double precision")
    bodies = {}
    for name in (name for c, name in ROWS if c == ctype):
        inputs = {f"x{i}": v for i, v in enumerate("abc"[: expr.FUNCTIONS[name].arity])}
        made = emit(traced(name), dict.fromkeys(inputs, ctype), ctype, inputs)
        bodies[name] = made.statements, made.results[0]
    return Applied(device, bodies, ctype)


@pytest.mark.parametrize(("ctype", "name"), [row for row in ROWS if row[0] in TOLERANCE])
def test_floating(ctype, name, rng):
    env = {n: v.astype(NUMPY[ctype]) for n, v in samples(name, rng, 100).items()}
    got = applied(ctype)(name, *env.values(), dtype=NUMPY[ctype])
    if name == "nextafter":
        want = np.nextafter(*env.values())
    else:
        want = expr.evaluate(traced(name), {n: v.astype(np.float64) for n, v in env.items()})
    np.testing.assert_allclose(got, want, rtol=TOLERANCE[ctype], atol=TOLERANCE[ctype] / 10)


@pytest.mark.parametrize(("ctype", "name"), [row for row in ROWS if row[0] not in TOLERANCE])
def test_integer(ctype, name, rng):
    d = NUMPY[ctype]
    limits, edges = np.iinfo(d), np.array([0, 1, -1, 2, -7, 7, 31, 33, 64, np.iinfo(d).max, np.iinfo(d).min], d)
    grid = [v.ravel() for v in np.meshgrid(edges, edges, edges[:7])]
    if name in ("pow", "gcd"):  # NumPy's references of the extremes overflow
        grid = [np.clip(v, -100, 12 if i else 100) for i, v in enumerate(grid)]
    else:
        grid = [np.concatenate([v, rng.integers(limits.min, limits.max, 200, d, endpoint=True)]) for v in grid]
    arity = expr.FUNCTIONS[name].arity
    with np.errstate(all="ignore"):
        want = expr.evaluate(traced(name), {f"x{i}": v for i, v in enumerate(grid[:arity])})
    np.testing.assert_array_equal(applied(ctype)(name, *grid[:arity], dtype=d), np.asarray(want).astype(d))
