"""Whether cltensor did what PyTorch did: statement by statement, values within a tolerance of the dtype."""

from dataclasses import dataclass, replace

import numpy as np

from . import differences, execution

#: (relative, absolute) by dtype; a result of another one agrees exactly
TOLERANCES = {
    "float64": (1e-6, 1e-7), "float32": (1e-4, 1e-5), "float16": (4e-3, 2e-3), "bfloat16": (3e-2, 2e-2), "float": (1e-4, 1e-5),
}
EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
#: largest error, in roundings of the largest number, of a result that is right in float64
_ROUNDINGS = 8
#: how many times PyTorch's error a result's error may be
_FACTOR = 4


@dataclass(frozen=True)
class Mismatch:
    """The first difference: the statement, the tensor or error concerned, and both sides' values."""

    position: int
    kind: str
    message: str
    finite: bool = True  # whether all that was live in PyTorch up to there is finite
    intended: bool = False  # whether differences.py lists it

    def signature(self, program):
        """A text that mismatches of one cause probably share."""
        return f"{self.kind} | {program.statements[self.position].family}"


def compare(program, module):
    """The first Mismatch of a program, or None; and how many values were compared."""
    found, count = _compared(program, module)
    if found and not program.reads:  # say where it begins
        nearer, more = _compared(replace(program, reads=True), module)
        found, count = nearer or found, count + more
    return None if found and found.intended else found, count


def _compared(program, module):
    import torch
    with execution.silent():
        theirs, ours = execution.run(program, torch), execution.run(program, module)
        return _judged(program, ours, theirs, module)


def judge(program, ours, theirs, module=None):
    """The first Mismatch between two runs, or None where there is none or it is intended; and how many comparisons it took."""
    found, count = _judged(program, ours, theirs, module)
    return None if found and found.intended else found, count


def _judged(program, ours, theirs, module):
    judged = _Judge(program, module)
    for position, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
        found = judged.errors(position, mine, other)
        if found is None and mine.live and not judged.apart:
            found = judged.live(position, mine, other)
        if found:
            found = replace(found, finite=all(map(_finite, theirs[: position + 1])))
            return replace(found, intended=differences.intended(program, found) is not None), judged.count
        if mine.late or judged.apart:
            break
    return None, judged.count


class _Judge:
    def __init__(self, program, module):
        self.program, self.module, self.count, self.apart = program, module, 0, False
        self._wide = self._mine_wide = self._moved = None

    def errors(self, position, mine, other):
        """A Mismatch in what was raised."""
        if mine.error is None and other.error is None:
            return None
        self.count += 1
        if other.error is None:
            if self._differs_wide(position):
                return None
            return Mismatch(position, "refused", f"cltensor raises {_shown(mine.error)}; PyTorch does not")
        if isinstance(other.error, NotImplementedError) and mine.error is None:
            self.apart = True
            return None
        if mine.error is None:
            return Mismatch(position, "accepted", f"PyTorch raises {_shown(other.error)}; cltensor does not")
        if not _compatible(mine.error, other.error):
            return Mismatch(position, "error class", f"PyTorch raises {_shown(other.error)}; cltensor {_shown(mine.error)}")
        return None

    def live(self, position, mine, other):
        """A Mismatch among the live values."""
        for name, theirs in other.live.items():
            if name not in mine.live:
                return Mismatch(position, "missing", f"{name} is there in PyTorch, not in cltensor")
            found = self.value(position, name, mine.live[name], theirs, lambda w, name=name: w.get(name))
            if found:
                return found
        return None

    def value(self, position, name, mine, theirs, pick):
        """A Mismatch between two values or their gradients."""
        self.count += 1
        for attribute in ("dtype", "shape", "requires_grad"):
            a, b = getattr(mine, attribute), getattr(theirs, attribute)
            if a != b:
                if attribute == "shape" and self._unstable(position, pick, theirs):
                    return None
                return Mismatch(position, attribute, f"{name}: {attribute} is {b} in PyTorch, {a} in cltensor")
        if not self._same(position, name, mine, theirs, pick):
            return Mismatch(position, "values", _difference(name, mine, theirs))
        if (mine.grad is None) != (theirs.grad is None):
            return Mismatch(position, "grad", f"{name}.grad is {_grad(theirs)} in PyTorch, {_grad(mine)} in cltensor")
        if theirs.grad is not None:
            return self.value(position, f"{name}.grad", mine.grad, theirs.grad, lambda w: getattr(pick(w), "grad", None))
        return None

    def _same(self, position, name, mine, theirs, pick):
        if close(mine.values, theirs.values, theirs.dtype):
            return True
        coarsest = self._coarsest(position, name, theirs.dtype)
        if theirs.dtype in ("float32", "float64") and close(mine.values, theirs.values, coarsest):
            return True
        wide = self._widely(position, pick)
        if wide is None:
            return False
        if wide.shape != theirs.shape or self._unsteady(position, mine, wide, pick):
            return True
        if "float" not in theirs.dtype:
            return not np.any((mine.values != theirs.values) & (wide.values == theirs.values))
        return (right_in_double(mine.values, theirs.values, wide.values, theirs.dtype)
                or self._rounded(position, mine, theirs, wide, pick))

    def _coarsest(self, position, name, dtype):
        """The least exact of the dtypes that a value may have been rounded to on its way: those of all it is connected with."""
        near, before = {name.split(".")[0].split("[")[0]}, None
        statements = self.program.statements[: position + 1]
        while near != before:
            before = set(near)
            for s in statements:
                names = (s.defines | s.uses) - {"ct"}
                if names & near:
                    near |= names
        found = [d for s in statements if s.defines & near for d in ("bfloat16", "float16") if d in s.text]
        return "bfloat16" if "bfloat16" in found else "float16" if found else dtype

    def _rounded(self, position, mine, theirs, wide, pick):
        """Whether a value differs by rounding alone: little beside the program's largest number, and not at all in float64."""
        room = _ROUNDINGS * EPSILON.get(theirs.dtype, 0) * max(1.0, self._largest(position))
        with np.errstate(all="ignore"):
            if not (np.abs(mine.values.astype("f8") - wide.values) <= room).all():
                return False
        ours = pick(self._ours_wide()[position].live) if position < len(self._ours_wide()) else None
        return ours is not None and ours.values.shape == wide.values.shape and close(ours.values, wide.values, "float64")

    def _unsteady(self, position, mine, wide, pick):
        """Whether PyTorch's values in float64 move by as much where the leaves move by a rounding of their dtype."""
        if self._moved is None:
            self._moved = [execution.widened(moved, _torch()) for moved in execution.moved(self.program)]
        apart = _apart(mine.values, wide.values, mine.dtype)
        for run in self._moved:
            seen = pick(run[position].live) if position < len(run) else None
            if seen is None:
                continue
            if seen.values.shape != wide.values.shape:
                return True
            apart &= ~_as_far(seen.values, mine.values, wide.values)
        return not apart.any()

    def _largest(self, position):
        live = [seen.values for seen in self._all_wide()[position].live.values() if seen.values.dtype.kind == "f"]
        return max((float(np.max(np.abs(v[np.isfinite(v)]), initial=0)) for v in live), default=0.0)

    def _ours_wide(self):
        if self._mine_wide is None:
            self._mine_wide = execution.widened(self.program, self.module)
        return self._mine_wide

    def _unstable(self, position, pick, theirs):
        wide = self._widely(position, pick)
        return wide is not None and wide.shape != theirs.shape

    def _differs_wide(self, position):
        wide = self._all_wide()
        return position < len(wide) and wide[position].error is not None

    def _widely(self, position, pick):
        wide = self._all_wide()
        return pick(wide[position].live) if position < len(wide) else None

    def _all_wide(self):
        if self._wide is None:
            self._wide = execution.widened(self.program, _torch())
        return self._wide


def _torch():
    import torch
    return torch


def _finite(outcome):
    """Whether all floats that were live are finite, and their gradients."""
    live = [part for seen in outcome.live.values() for part in (seen, seen.grad) if part is not None]
    return all(np.isfinite(seen.values).all() for seen in live if seen.values.dtype.kind == "f")


def _apart(got, expected, dtype):
    """Where values disagree."""
    if dtype not in TOLERANCES:
        return np.atleast_1d(got != expected)
    rtol, atol = TOLERANCES[dtype]
    with np.errstate(all="ignore"):
        return np.atleast_1d(~np.isclose(got.astype("f8"), expected.astype("f8"), rtol=rtol, atol=atol, equal_nan=True))


def _as_far(moved, got, wide):
    """Where a moved value lies as far from its place as another one does, or half as far."""
    moved, got, wide = (np.atleast_1d(a).astype("f8") for a in (moved, got, wide))
    with np.errstate(all="ignore"):
        near = np.abs(moved - wide) * 2 >= np.abs(got - wide)
        return near | (np.isfinite(moved) != np.isfinite(wide)) | ((moved != wide) & ~np.isfinite(got))


def close(got, expected, dtype):
    """Whether all values agree within the tolerance of a dtype; NaN agrees with NaN."""
    if dtype not in TOLERANCES:
        return bool(np.array_equal(got, expected))
    rtol, atol = TOLERANCES[dtype]
    with np.errstate(all="ignore"):
        return bool(np.isclose(got.astype("f8"), expected.astype("f8"), rtol=rtol, atol=atol, equal_nan=True).all())


def right_in_double(got, expected, wide, dtype):
    """Whether each value lies as near to what float64 gives as PyTorch's does, or nearly."""
    rtol, atol = TOLERANCES[dtype]
    got, expected, wide = (a.astype("f8") for a in (got, expected, wide))
    with np.errstate(all="ignore"):
        theirs = np.abs(expected - wide)
        room = atol + rtol * np.abs(wide) + _FACTOR * np.where(np.isfinite(theirs), theirs, 0)
        typical = np.max(theirs[np.isfinite(theirs)], initial=0)
        near = np.abs(got - wide) <= np.maximum(room, typical * _FACTOR)
        agree = near | (np.isnan(got) & (np.isnan(wide) | np.isnan(expected))) | (got == wide) | (got == expected)
        return bool((agree | np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)).all())


def _compatible(mine, other):
    return isinstance(mine, type(other)) or isinstance(other, NotImplementedError) or type(other) is RuntimeError


def _shown(error):
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _grad(seen):
    return "None" if seen.grad is None else f"a tensor of shape {list(seen.grad.shape)}"


def _difference(name, mine, theirs):
    exact = theirs.dtype not in TOLERANCES
    rtol, atol = TOLERANCES.get(theirs.dtype, (0, 0))
    got, expected = mine.values, theirs.values
    with np.errstate(all="ignore"):
        apart = got != expected if exact else ~np.isclose(got.astype("f8"), expected.astype("f8"), rtol, atol, equal_nan=True)
    at = tuple(int(k) for k in np.argwhere(np.atleast_1d(apart))[0]) if theirs.shape else ()
    return (f"{name} ({theirs.dtype}, shape {list(theirs.shape)}): {int(apart.sum())} of {got.size} values differ; "
            f"at {list(at)} PyTorch has {expected[at]}, cltensor {got[at]}")
