"""Calls: what a static graph is made of, and values with symbols in them."""

import itertools
import operator
from dataclasses import dataclass, field

from ...autograd.api import grad

_serial = itertools.count()


@dataclass(eq=False)
class Placeholder:
    """What is fed at each run.  shape: None for each size that is not known before."""

    name: str
    shape: tuple
    dtype: object
    line: str
    serial: int = field(default_factory=_serial.__next__)

    def parts(self):
        """Nothing: it depends on nothing."""
        return ()


@dataclass(eq=False)
class Held:
    """A tensor that the graph keeps from run to run (of a Variable) or never changes (a constant)."""

    name: str
    tensor: object
    line: str
    serial: int = field(default_factory=_serial.__next__)

    def parts(self):
        """See Placeholder."""
        return ()


@dataclass(eq=False)
class Call:
    """One public call: a function and its arguments, with symbols in place of tensors and of unknown sizes."""

    function: object
    args: tuple
    kwargs: dict
    line: str
    serial: int = field(default_factory=_serial.__next__)

    def parts(self):
        """The leaves of its arguments."""
        return leaves((self.args, self.kwargs))


def gradient_of(ys, xs, grad_ys=None, create_graph=False):
    """Gradients of xs from those of ys."""
    return grad(ys, xs, grad_ys, retain_graph=True, create_graph=create_graph)


def assigned(variable, value):
    """What a variable will hold; Program writes it there at the end of the run."""
    return value


#: functions that are not public ones, by the names under which they are saved
OWN = {"gradients": gradient_of, "assign": assigned,
       **{f"size.{name}": getattr(operator, name) for name in ("add", "sub", "mul", "floordiv", "mod", "neg")}}


def mapped(value, fn):
    """value with fn applied to its leaves; branches are lists, tuples, dicts and slices."""
    if isinstance(value, tuple):
        parts = [mapped(v, fn) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if type(value) is list:
        return [mapped(v, fn) for v in value]
    if isinstance(value, dict):
        return {k: mapped(v, fn) for k, v in value.items()}
    if isinstance(value, slice):
        return slice(*(mapped(v, fn) for v in (value.start, value.stop, value.step)))
    return fn(value)


def leaves(value):
    """The leaves of a value, in the order in which `mapped` meets them."""
    found = []
    mapped(value, found.append)
    return found


def symbolic(x):
    """Whether a leaf is a Symbol or an Unknown."""
    return hasattr(type(x), "stand_ins")


def reachable(nodes):
    """All that nodes depend on, themselves included, in the order of definition."""
    seen, pending = set(nodes), list(nodes)
    for node in pending:  # grows in the loop
        new = {x.node for x in node.parts() if symbolic(x)} - seen
        seen |= new
        pending += new
    return sorted(seen, key=lambda node: node.serial)
