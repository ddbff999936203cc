"""Dynamic sizes: which dimensions of arguments may have any size, and the programs captured for a few of them."""

from ..base.errors import CLTensorError
from ..dispatch.tensor_base import TensorBase
from .formulas import NotGeneral
from .generalization import Generalization, Sample
from .replay import PlanMismatch

#: captures of one program from which its form for all sizes is sought, and programs for one set of guards
SAMPLES, BRANCHES = 6, 8
_FAMILIES = 16


class Dynamic:
    """The Families of a compiled function.

    setting: whether every dimension may have any size; else those that mark_dynamic was called for.
    """

    def __init__(self, setting):
        self.setting, self._families = setting, {}

    def family(self, key, leaves):
        """The Family of a call with these guards, made if need be; None where no dimension is dynamic."""
        if not (self.setting or any(map(marked, leaves))):
            return None
        general = self._general(key, leaves)
        found = self._families[general] = self._families.pop(general, None) or Family()  # at the end
        if len(self._families) > _FAMILIES:
            del self._families[next(iter(self._families))]
        return found

    def clear(self):
        """Forget all of them."""
        self._families.clear()

    def branches(self):
        """All Branches."""
        return [b for family in self._families.values() for b in family.branches]

    def texts(self):
        """What was made of the captures, a line for each Branch."""
        return tuple(map(str, self.branches()))

    def _general(self, key, leaves):
        """Guards without the sizes that may differ."""
        template, described, modes = key
        return template, tuple([self._without_sizes(x, d) if isinstance(x, TensorBase) else d
                                for x, d in zip(leaves, described, strict=True)]), modes

    def _without_sizes(self, x, described):
        kind, spec, *rest, grad = described
        shape = [None if n > 1 and (self.setting or d in (marked(x) or ())) else n for d, n in enumerate(spec.shape)]
        if None not in shape:
            return described
        order = tuple(sorted(range(spec.ndim), key=spec.strides.__getitem__))
        grad = grad and (grad[0].strides == spec.strides, grad[0].dtype, grad[1])
        return kind, spec.dtype, spec.device, tuple(shape), order, spec.contiguous, *rest, grad


class Family:
    """What was captured under guards that are equal but for sizes.  A program may ask for sizes and go other ways: Branches."""

    def __init__(self):
        self.branches = []

    def add(self, program, tensors, observations):
        """Take one more capture into account."""
        sample = Sample(program.captured, tuple([t._spec for t in tensors]), tuple([(t._offset, t.itemsize) for t in tensors]),
                        observations)
        branch = next((b for b in self.branches if b.takes(program, sample)), None)
        if branch is None:
            self.branches = [*self.branches[1 - BRANCHES:], branch := Branch(program)]
        branch.add(sample)

    def at(self, tensors):
        """(a program captured for other sizes, a Captured for these arguments, the sources of kernels that lacks), or None."""
        specs = [t._spec for t in tensors]
        for branch in reversed(self.branches):
            made = branch.base.holds(tensors) and branch.at(specs)
            if made:
                return branch.base, *made
        return None


class Branch:
    """Captures that differ in sizes only.  base: the program captured first; reason: why they are not seen as one, or None."""

    def __init__(self, base):
        self.base, self.reason, self._samples, self._general = base, None, [], None

    def __str__(self):
        count = len(self._samples)
        if self._general is not None:
            return f"one program for all sizes, from {count} captures"
        return "captured for one size so far" if count < 2 else f"captured anew for each size, since {self.reason}"

    def takes(self, program, sample):
        """Whether a capture is one of this branch."""
        base = self.base
        return (program.state == base.state and program.gradients == base.gradients
                and sample.way() == self._samples[0].way())

    def add(self, sample):
        """Take one more capture into account."""
        if len(self._samples) >= SAMPLES or any(s.specs == sample.specs for s in self._samples):
            return
        samples = [*self._samples, sample]
        try:
            self._general = Generalization(samples) if len(samples) > 1 else None
            self._samples, self.reason = samples, None
        except NotGeneral as why:
            if self._general is None:
                self._samples, self.reason = samples, str(why)

    def at(self, specs):
        """(the Captured for these arguments, the sources of the kernels that it lacks); None where it is not known."""
        try:
            made = self._general and self._general.at(specs)
            return made and (made, made.lacks())
        except (CLTensorError, PlanMismatch):  # a formula that happened to fit
            return None


def marked(x):
    """The dimensions of a tensor that mark_dynamic was called for, for sizes like its; none for other objects."""
    bounds = getattr(x, "_dynamic_dims", None) if isinstance(x, TensorBase) else None
    return bounds and [d for d, (low, high) in bounds.items() if low <= x._spec.shape[d] <= high]


def mark(x, dims, low, high):
    """Mark dimensions of a tensor as dynamic for sizes from low to high."""
    x._dynamic_dims = {**getattr(x, "_dynamic_dims", {}), **dict.fromkeys(dims, (low, high))}


def unmark(x, dims):
    """Take marks back."""
    x._dynamic_dims = {d: bounds for d, bounds in getattr(x, "_dynamic_dims", {}).items() if d not in dims}
