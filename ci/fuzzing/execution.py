"""Run a program with one module, and record its tensors after each statement."""

import copy
import math
import random
import re
import types
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

#: the parts of a program that say how wide its floats are
_NARROW = re.compile(r"\bct\.(float32|float16|bfloat16)\b")
#: half a rounding of a number near 1
_EPSILON = {"float64": 2.0**-30, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
#: expressions whose meaning depends on the width of the dtype
_BY_DTYPE = re.compile(r"\.view\(ct\.|nextafter_")
_NEXT = re.compile(r"ct\.nextafter\((\w+), \w+\)")  # in a wider dtype the next number is hardly another one


@dataclass
class Seen:
    """A tensor as it was at one moment, or a plain number."""

    shape: tuple
    dtype: str
    values: np.ndarray
    requires_grad: bool = False
    grad: "Seen | None" = None


@dataclass
class Outcome:
    """The result of one statement: the error it raised, or None, and every live value after it."""

    error: Exception | None = None
    live: dict = field(default_factory=dict)
    late: bool = False  # whether the error came with reading values only


@contextmanager
def silent():
    """Show no warnings; not for use within a thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def run(program, module):
    """One Outcome for each statement of a program; if values are read at the end only, the last one alone has live values."""
    space, outcomes = {"ct": module}, []
    reference = module.__name__ == "torch"
    with np.errstate(all="ignore"):
        for position, s in enumerate(program.statements):
            outcome = Outcome(_execute((reference and s.reference) or s.text, space))
            outcomes.append(outcome)
            if program.reads or position == len(program.statements) - 1:
                _look(space, outcome)
                if outcome.late:
                    break
    return outcomes


def _execute(text, space):
    try:
        exec(text, space)
    except Exception as error:
        return copy.copy(error).with_traceback(None)
    return None


def _look(space, outcome):
    """Record every live value; an error raised by reading belongs to the statement."""
    try:
        outcome.live = {n: seen(v) for name, value in space.items() for n, v in _parts(name, value)}
    except Exception as error:
        outcome.error, outcome.late = error, True


def _parts(name, value):
    if name.startswith("__") or isinstance(value, types.ModuleType):
        return
    if isinstance(value, (list, tuple)):
        for k, part in enumerate(value):
            yield from _parts(f"{name}[{k}]", part)
    else:
        yield name, value


def seen(value):
    """A value as a Seen."""
    if not hasattr(value, "requires_grad"):
        return Seen((), type(value).__name__, np.asarray(value))
    grad = value.grad if value.is_leaf and value.requires_grad else None
    return Seen(tuple(value.shape), str(value.dtype).rpartition(".")[2], numbers(value), bool(value.requires_grad),
                None if grad is None else seen(grad))


def numbers(tensor):
    """A tensor's values as an array; bfloat16 as float32."""
    plain = tensor.detach()
    plain = plain.float() if str(plain.dtype).endswith("bfloat16") else plain
    return np.array(plain.numpy(force=True))  # PyTorch keeps gradients of zeros without memory


def widened(program, module):
    """The outcomes with all floats as float64; statements that look at the bits of a dtype are left out."""
    default = module.get_default_dtype()
    module.set_default_dtype(module.float64)
    try:
        return run(types.SimpleNamespace(statements=_wide(program), reads=program.reads), module)
    finally:
        module.set_default_dtype(default)


def moved(program):
    """Two copies of a program whose float leaves are off by half a rounding of their dtype, in opposite directions.

    In programs with second derivatives a leaf moves off 0 as well, and infinities and NaN become 1: there a second derivative
    often does not exist, and each formula gives something else.
    """
    twice = any("create_graph" in s.text for s in program.statements)
    for side in (1, -1):
        rng = random.Random(0)
        yield replace(program, statements=tuple(_moved(s, rng, side, twice) for s in program.statements))


def _moved(statement, rng, side, twice):
    epsilon = _EPSILON.get(getattr(statement, "dtype", None))
    if epsilon is None:
        return statement
    return replace(statement, values=tuple(_beside(float(v), side * epsilon * rng.uniform(-1, 1), twice) for v in statement.values))


def _beside(value, epsilon, twice):
    if not math.isfinite(value):
        return 1.0 + epsilon if twice else value
    return value + epsilon * (abs(value) + twice)


def _wide(program):
    gone, lines = set(), []
    for s in program.statements:
        if _BY_DTYPE.search(s.text) or gone & s.uses:
            gone |= s.defines
            lines.append(_Line("pass", ""))
        else:
            lines.append(_Line(*(_NEXT.sub(r"\1.clone()", _NARROW.sub("ct.float64", t)).replace(".float()", ".double().clone()")
                                 for t in (s.text, s.reference))))
    return lines


@dataclass
class _Line:
    text: str
    reference: str


