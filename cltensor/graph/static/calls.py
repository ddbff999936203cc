"""Calls: what a static graph is made of, and values with symbols in them."""

import itertools
import operator
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType

from ...autograd.api import grad
from ...tensor import namespace

zeros_like = namespace()["zeros_like"]
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


def gradient_of(ys, xs, grad_ys=None, *, branches=False, create_graph=False):
    """Gradients of xs from those of ys.  branches: a run may take a way that some of xs are not used on; theirs are zeros then."""
    if not branches:
        return grad(ys, xs, grad_ys, retain_graph=True, create_graph=create_graph)
    given = [(y, g) for y, g in zip(ys, grad_ys or [None] * len(ys), strict=True) if y.requires_grad]
    if not given:
        return tuple(map(zeros_like, xs))
    ys, grad_ys = map(list, zip(*given, strict=True))
    found = grad(ys, xs, grad_ys, retain_graph=True, create_graph=create_graph, allow_unused=True)
    return tuple(zeros_like(x) if g is None else g for x, g in zip(xs, found, strict=True))


def assigned(variable, value):
    """What a variable will hold; Program writes it there at the end of the run."""
    return value


#: functions that are not public ones, by the names under which they are saved
OWN = {"gradients": gradient_of, "assign": assigned,
       **{f"size.{name}": getattr(operator, name) for name in ("add", "sub", "mul", "floordiv", "mod", "neg")}}


def mapped(value, fn, made=None):
    """value with fn applied to its leaves; branches are lists, tuples, dicts, slices, functions that read symbols around them.

    made: {function: what became of it} so far.
    """
    made = {} if made is None else made
    if isinstance(value, tuple):
        parts = [mapped(v, fn, made) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if type(value) is list:
        return [mapped(v, fn, made) for v in value]
    if isinstance(value, dict):
        return {k: mapped(v, fn, made) for k, v in value.items()}
    if isinstance(value, slice):
        return slice(*(mapped(v, fn, made) for v in (value.start, value.stop, value.step)))
    if isinstance(value, FunctionType) and _holds_symbols(value):
        return _rebound(value, fn, made)
    return fn(value)


def _rebound(function, fn, made):
    """A function like another one, whose closure and globals hold fn of the symbols there."""
    if function in made:
        return made[function]
    cells = [CellType() if _holds_symbols(_content(c)) else c for c in function.__closure__ or ()]
    globals_ = dict(function.__globals__)
    new = made[function] = FunctionType(function.__code__, globals_, function.__name__, function.__defaults__, tuple(cells))
    new.__kwdefaults__ = function.__kwdefaults__
    for cell, old in zip(cells, function.__closure__ or (), strict=True):
        if cell is not old:
            cell.cell_contents = mapped(old.cell_contents, fn, made)
    globals_.update((n, mapped(v, fn, made)) for n, v in _named(function).items() if _holds_symbols(v))
    return new


def _holds_symbols(value, seen=()):
    """Whether a value is a symbol, a list, tuple or dict with symbols in it, or a function that reads some."""
    if isinstance(value, dict):
        return any(_holds_symbols(v, seen) for v in value.values())
    if type(value) in (list, tuple):
        return any(_holds_symbols(v, seen) for v in value)
    if not isinstance(value, FunctionType):
        return symbolic(value)
    around = (*map(_content, value.__closure__ or ()), *_named(value).values())
    return value not in seen and any(_holds_symbols(v, (*seen, value)) for v in around)


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None


def _named(function):
    """{name: value} of the globals that a function's code names; of functions those of its own module."""
    names, pending, space = set(), [function.__code__], function.__globals__
    for code in pending:  # grows in the loop
        names.update(code.co_names)
        pending += [c for c in code.co_consts if isinstance(c, CodeType)]
    found = {n: space[n] for n in names if n in space}
    return {n: v for n, v in found.items() if getattr(v, "__globals__", space) is space}


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
