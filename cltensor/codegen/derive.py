"""Symbolic reverse mode: gradients of traced expressions, of any order, as expressions.

Over complex numbers the gradient of a real L by z = a + i b is dL/da + i dL/db, as in PyTorch.  A holomorphic function multiplies
it with the conjugate of its derivative; wirtinger.py has the rules of the others.
"""

from .nodes import Call, Const, Input, as_expr, call, is_call, is_const, topological
from .wirtinger import RULES


def gradient(outputs, wrt, seeds, complex=False):
    """Gradients of sum(seed_i * output_i) as a dict {name in wrt: Expr}.

    outputs: a node or a tuple of nodes.  wrt: input names.  seeds: one input name (or node) for each output, None for
    an output without a gradient.  An input that no output depends on gets the constant 0.  The result may contain
    a forward output as a subexpression (the same object); `expr.replace` can replace it by a saved output.  complex: whether
    the values are complex numbers.
    """
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    if complex:
        return _adjoints(outputs, wrt, seeds, _push_conjugate)
    if len(outputs) == 1 and seeds[0] is not None:
        # Compute the slope first, then multiply by the seed: an infinite seed times a zero factor of the slope would be NaN.
        seed = Input(seeds[0]) if isinstance(seeds[0], str) else as_expr(seeds[0])
        return {name: times(seed, slope) for name, slope in _adjoints(outputs, wrt, (Const(1),), _push).items()}
    return _adjoints(outputs, wrt, seeds, _push)


def _adjoints(outputs, wrt, seeds, push):
    """The sums of seed_i times the derivative of output_i by each input in wrt."""
    adjoints = {}
    for output, seed in zip(outputs, seeds, strict=True):
        if seed is not None:
            _accumulate(adjoints, output, Input(seed) if isinstance(seed, str) else as_expr(seed))
    order = topological(outputs)
    active = _depends_on(order, wrt)
    for node in reversed(order):
        if isinstance(node, Call) and node in adjoints and node in active:
            push(adjoints, node, adjoints[node], active)
    return {name: adjoints.get(Input(name), Const(0)) for name in wrt}


def _depends_on(order, wrt):
    active = {Input(name) for name in wrt}
    for node in order:
        if any(arg in active for arg in node.args):
            active.add(node)
    return active


def _push(adjoints, node, g, active):
    """Add node's contribution to the adjoints of its arguments."""
    if node.function.grad is None:
        return
    partials = node.function.grad(*node.args, node)
    for arg, partial in zip(node.args, partials, strict=True):
        if partial is not None and arg in active:
            _accumulate(adjoints, arg, times(g, as_expr(partial)))


def _push_conjugate(adjoints, node, g, active):
    """_push over complex numbers."""
    rule = RULES.get(node.function.name)
    if rule is not None:
        given = rule(g, *node.args, node)
    elif node.function.grad is not None:
        given = [None if p is None else times(g, call("conj", as_expr(p))) for p in node.function.grad(*node.args, node)]
    else:
        return
    for arg, part in zip(node.args, given, strict=True):
        if part is not None and arg in active:
            _accumulate(adjoints, arg, as_expr(part))


def _accumulate(adjoints, node, g):
    if not is_const(g, 0):
        adjoints[node] = _joined(adjoints[node], g) if node in adjoints else g


def _joined(a, b):
    """a + b, added branch by branch if both are `where` with the same condition."""
    if is_call(a, "where") and is_call(b, "where") and a.args[0] is b.args[0]:
        return call("where", a.args[0], *map(_joined, a.args[1:], b.args[1:]))
    return a + b


def times(g, partial):
    """g * partial, without inf * 0 from a branch not taken or from a zero.

    A zero partial gives 0 whatever g is.  A condition in partial or g chooses between products, so the gradient of a branch
    not taken is 0, however steep the function is there.
    """
    if is_const(partial, 0) or is_const(g, 0):
        return Const(0)
    if is_call(partial, "where") and _chooses(partial):
        condition, a, b = partial.args
        return call("where", condition, times(g, a), times(g, b))
    if _guarded(g):
        return call(g.function.name, *g.args[:-2], *(times(branch, partial) for branch in g.args[-2:]))
    if is_call(partial, "div") and is_const(partial.args[0], 1):
        return call("div", g, partial.args[1])  # rounded once
    if is_const(partial, -1):
        return call("neg", g)
    return call("mul", g, partial)


def _guarded(g):
    """Whether g is a `where` with a zero branch, or a sum of such."""
    if is_call(g, "add"):
        return all(map(_guarded, g.args))
    return is_call(g, "where") and any(is_const(branch, 0) or _guarded(branch) for branch in g.args[1:])


def _chooses(partial):
    """Whether a branch of this `where` is a constant: then multiplying branch by branch avoids inf * 0."""
    return any(is_const(branch) for branch in partial.args[1:])
