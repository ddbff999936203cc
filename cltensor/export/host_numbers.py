"""Host numbers: what Python computes anew at each call, such as learning rates and step counts, as assignments of a program."""

import inspect
import re
from dataclasses import dataclass

from ..base.errors import CaptureError, CLTensorError
from .traced import Path, Traced, text_of

_PATHS = 32  # ways through the branches of one Action
_RESERVED = {"min", "max", "ceil", "sqrt", "exp", "log", "if", "else", "inf", "nan"}


@dataclass
class HostNumber:
    """A number that lasts as long as a program.  owned: the owner's HostValue; name: in expressions; path: for users."""

    owned: object
    name: str
    path: str
    value: object

    def described(self):
        """The number as the file has it."""
        kind = "float" if isinstance(self.value, float) else "int"
        value = self.value if kind == "int" or self.value - self.value == 0 else repr(self.value)
        return {"name": self.name, "path": self.path, "type": kind, "value": value}


class HostNumbers:
    """The numbers of the owners of Actions, and the steps that compute what kernels take.

    names: {id of an object: its name}.  used: the HostNumbers that the steps mention.
    """

    def __init__(self, names):
        self._names, self._taken, self._known = names, set(_RESERVED), {}
        self._steps, self._places = {}, {}

    def steps_of(self, action):
        """The file's steps of an Action: checks and assignments."""
        if action not in self._steps:
            self._steps[action] = self._traced(action)
        return self._steps[action]

    def number_of(self, scalar):
        """The name of a Scalar in expressions."""
        self.steps_of(scalar.action)
        return self._places[scalar.action, scalar.place]

    def described(self):
        """The numbers as the file has them."""
        text = " ".join(str(part) for steps in self._steps.values() for step in steps
                        for part in (step.get("check", ""), *(x for pair in step.get("set", ()) for x in pair)))
        used = set(re.findall(r"[A-Za-z_]\w*", text))
        return [n.described() for numbers in self._known.values() for n in numbers if n.name in used]

    def name(self, wanted):
        """A name for expressions that no other number has."""
        plain = re.sub(r"\W", "_", wanted, flags=re.ASCII)
        plain = plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
        name, n = plain, 2
        while name in self._taken:
            name, n = f"{plain}_{n}", n + 1
        self._taken.add(name)
        return name

    def _owned(self, owner):
        """The HostNumbers of an owner."""
        if id(owner) not in self._known:
            title = self._names.get(id(owner)) or type(owner).__name__.lower()
            found = {}
            for value in owner._host_values():
                if value.shared not in found:
                    path = f"{title}.{value.path}"
                    found[value.shared] = HostNumber([], self.name(path), path, value.get())
                found[value.shared].owned.append(value)
            self._known[id(owner)] = list(found.values())
        return self._known[id(owner)]

    def _traced(self, action):
        owner = owner_of(action.compute)
        if owner is None:
            raise CaptureError(f"what Python computes at each call, {_title(action.compute)}, cannot be exported: an exported "
                               "program runs no Python.  Leave schedulers and GradScaler out of the function, and set the "
                               "program's numbers, such as the learning rate, between calls")
        numbers = self._owned(owner)
        found, after, checks = self._explored(action.compute, owner, numbers, ())
        assigned = []
        for place, text in enumerate(found):
            name = self._places[action, place] = self.name(f"t{len(self._places)}")
            assigned.append([name, text])
        changed = [(n.name, text) for n, text in zip(numbers, after, strict=True) if text != n.name]
        if len(changed) > 1:
            assigned += [[f"{name}_", text] for name, text in changed]
            changed = [(name, f"{name}_") for name, _ in changed]
        assigned += [[name, text] for name, text in changed]
        return [*({"check": text, "message": told} for text, told in checks), *([{"set": assigned}] if assigned else [])]

    def _explored(self, compute, owner, numbers, given):
        """(texts of the results, texts of the numbers afterwards, checks), for these outcomes of the first questions."""
        found, after, asked = _run(compute, owner, numbers, given)
        if len(asked) == len(given):
            return found, after, []
        if len(given) >= _PATHS.bit_length():
            raise CaptureError(f"{_title(compute)} asks too much of the numbers that it computes with")
        text, outcome = asked[len(given)]
        mine = self._explored(compute, owner, numbers, (*given, outcome))
        try:
            other = self._explored(compute, owner, numbers, (*given, not outcome))
            if len(other[0]) != len(mine[0]):
                raise CaptureError("other numbers are computed")
        except (CLTensorError, ArithmeticError, TypeError, ValueError):
            told = f"the program was exported for {text if outcome else f'not {text}'}; export it again for these numbers"
            return (*mine[:2], [*mine[2], (text if outcome else f"({text}) == 0", told)])
        yes, no = (mine, other) if outcome else (other, mine)
        merged = [[a if a == b else f"({a} if {text} else {b})" for a, b in zip(yes[k], no[k], strict=True)] for k in (0, 1)]
        return (*merged, mine[2])


def _run(compute, owner, numbers, given):
    """(texts of the results, texts of the numbers afterwards, what was asked) of one run with traced numbers."""
    before = owner._host_state()
    try:
        for n in numbers:
            traced = Traced(n.value, n.name)
            for value in n.owned:
                value.set(traced)
        with Path(given) as path:
            found = [text_of(x) for x in compute()]
            after = [text_of(n.owned[0].get()) for n in numbers]
        return found, after, path.asked
    finally:
        owner._restore_host_state(before)


def owner_of(compute):
    """The object whose numbers a function computes with, if it says which they are; else None."""
    compute = getattr(compute, "func", compute)
    owner = getattr(compute, "__self__", None)
    if owner is None and inspect.isfunction(compute) and compute.__closure__:
        owner = inspect.getclosurevars(compute).nonlocals.get("self")
    return owner if hasattr(owner, "_host_values") else None


def _title(compute):
    return getattr(getattr(compute, "func", compute), "__qualname__", "a function")
