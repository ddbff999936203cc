"""Derived gradients of declarations with `where`: the slope of the branch not taken, be it infinite, does not count.

The reference chooses the branches at a point first, and differentiates the rest.  No device is needed.
"""

import math
import random

import numpy as np
import pytest

import cltensor.nn  # noqa: F401  (declares its ops, too)
from cltensor.codegen import expr
from cltensor.codegen.derive import gradient
from cltensor.dispatch.registry import REGISTRY
from cltensor.ops.kinds.elementwise import _gradient_exprs

POINTS = (0.0, 1.0, -1.0, 0.5, 2.0, 0.05, 25.0, -3.0, 3.0)
TRIED = 60  # points of one op
NUMBERS = {"low": (0.1,), "high": (0.9,), "eps": (1e-3,), "beta": (1.0, 2.0), "threshold": (20.0, 1.0), "lambd": (0.5,),
           "p": (1.0, 2.0), "exponent": (0.5, 2.0)}
INPUTS = {"counts": (True, False), "condition": (True, False)}
#: numbers for each input of ops that are defined in places only
PLACES = {"entr": ((0.05, 0.5, 2.0),), "bce": ((0.05, 0.5, 0.9), (0.0, 0.5, 1.0))}


def _choosing():
    for op in REGISTRY.values():
        if op.kind == "elementwise" and op.differentiable and any(
                isinstance(n, expr.Call) and n.function.name == "where" for n in expr.topological(op.exprs)):
            yield pytest.param(op, id=op.name)


def _points(op):
    """Environments {input or attribute: number}, spread over all combinations."""
    inputs = PLACES.get(op.name) or [INPUTS.get(n, POINTS) for n in op.inputs]
    axes = [*inputs, *[NUMBERS.get(n, (0.5, 1.0)) for n in op.attr_names]]
    every = math.prod(map(len, axes))
    drawn = range(every) if every <= TRIED else random.Random(3).sample(range(every), TRIED)
    for place in drawn:
        env = {}
        for name, values in zip((*op.inputs, *op.attr_names), axes, strict=True):
            place, i = divmod(place, len(values))
            env[name] = values[i]
        yield env


def _chosen(exprs, env):
    """The expressions with every choice made as it falls at env."""
    done = {}
    for node in expr.topological(exprs):
        if not isinstance(node, expr.Call):
            done[node] = node
        elif node.function.name == "where":
            condition, yes, no = node.args
            done[node] = done[yes] if expr.evaluate(condition, env) else done[no]
        else:
            done[node] = expr.call(node.function.name, *(done[a] for a in node.args))
    return tuple(done[e] for e in exprs)


def _values(gradients, env):
    return {n: 0.0 if e is None else float(expr.evaluate(e, env)) for n, e in gradients.items()}


@pytest.mark.parametrize("op", list(_choosing()))
def test_only_the_branch_taken_has_a_say(op):
    seeds = {f"g{i}": 1.5 for i in range(len(op.exprs))}
    wanted = [n for n in op.inputs if n not in op.exempt]
    own = _gradient_exprs(op, tuple(n in wanted for n in op.inputs))
    compared = 0
    for env in _points(op):
        outputs = expr.evaluate(op.exprs, env)
        if not np.isfinite(outputs).all():
            continue
        right = _values(gradient(_chosen(op.exprs, env), wanted, list(seeds)), {**env, **seeds})
        found = _values(own, {**env, **seeds, **{f"y{i}": y for i, y in enumerate(outputs)}})
        for n in wanted:
            if math.isfinite(right[n]):
                compared += 1
                assert math.isfinite(found[n]), f"{op.name}: the gradient of {n} is {found[n]}, not {right[n]}, at {env}"
                if op.grad is None:
                    assert math.isclose(found[n], right[n], rel_tol=1e-9, abs_tol=1e-12), f"{n}: {found[n]}, not {right[n]}: {env}"
    assert compared


def test_a_choice_between_steep_functions():
    x, g = expr.Input("x"), expr.Input("g")
    root = expr.where(x > 0, expr.sqrt(x), 0)
    first = gradient(root, ["x"], ["g"])["x"]
    assert expr.evaluate(first, {"x": 0.0, "g": 2.0}) == 0
    assert expr.evaluate(gradient(first, ["x"], [1.0])["x"], {"x": 0.0, "g": 2.0}) == 0
    both = expr.where(x > 0, expr.log(x), 0) + expr.where(x < 0, expr.log(-x), 0)
    assert expr.evaluate(gradient(both * both, ["x"], ["g"])["x"], {"x": 0.0, "g": 2.0}) == 0
    assert g is expr.Input("g")
