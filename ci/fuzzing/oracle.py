"""The generator's oracle: PyTorch runs each statement while the program is written and reports the result."""

import torch

from .execution import silent
from .facts import Facts


class Oracle:
    """PyTorch's side of a program that is being written."""

    def __init__(self):
        self.space = {"ct": torch}

    def run(self, statement):
        """Run a statement; return the names it bound to tensors, or None if PyTorch refuses."""
        with silent():
            try:
                exec(statement.reference or statement.text, self.space)
            except Exception:
                return None
        return [n for n in statement.defines if isinstance(self.space.get(n), torch.Tensor)]

    def facts(self, expression):
        """Facts of an expression, or None if its value is no tensor."""
        value = self._value(expression)
        if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_complex():
            return None
        return _facts(value)

    def overlap(self, one, other):
        """"none", "same" or "partly": how two expressions' places in memory lie."""
        a, b = self._value(one), self._value(other)
        if not isinstance(a, torch.Tensor) or not isinstance(b, torch.Tensor):
            return "none"
        if a.untyped_storage().data_ptr() != b.untyped_storage().data_ptr():
            return "none"
        first, second = places(a), places(b)
        if torch.equal(first, second) and a.dtype == b.dtype:
            return "same"
        return "partly" if torch.isin(first, second).any() else "none"

    def defined(self, statement):
        """Whether a statement reads every place before it writes to it."""
        lies = {self.overlap(*pair) for pair in statement.apart}
        return "partly" not in lies and not ("same" in lies and statement.family.startswith("set"))

    def _value(self, expression):
        with silent():
            try:
                return eval(expression, self.space)
            except Exception:
                return None


def defined(program):
    """Whether all statements of a program are."""
    oracle = Oracle()
    for s in program.statements:
        if not oracle.defined(s):
            return False
        oracle.run(s)
    return True


def places(t):
    """The number of the element of its storage that each element of a tensor is."""
    found = torch.full(t.shape, t.storage_offset(), dtype=torch.int64)
    for dim, step in enumerate(t.stride()):
        along = [1] * t.ndim
        along[dim] = t.shape[dim]
        found = found + (torch.arange(t.shape[dim]) * step).reshape(along)
    return found


def _facts(t):
    plain = t.detach()
    shown = plain.double() if plain.is_floating_point() else plain.long()
    finite = bool(torch.isfinite(shown).all())
    low, high = (float(shown.min()), float(shown.max())) if t.numel() else (0.0, 0.0)
    requires_grad, is_leaf = _place(t)
    return Facts(tuple(t.shape), str(t.dtype).removeprefix("torch."), requires_grad, is_leaf, finite, low, high,
                 shown.unique().numel() == t.numel(), places(plain).unique().numel() < t.numel(), plain.is_contiguous())


def _place(t):
    """(requires_grad, is_leaf); PyTorch refuses to tell them of one of several views whose base was written to."""
    try:
        return t.requires_grad, t.is_leaf
    except RuntimeError:
        return True, False
