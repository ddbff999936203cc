"""Replace the words of a template by tensors, dimensions and numbers.

The first word that names a tensor chooses the subject; later words are chosen to fit the subject's shape and dtype.
"""

import re

from . import leaves, views

WORD = re.compile(r"\{(\w+)\}")
SUBJECTS = frozenset("any float int bits numeric distinct bounded vector matrix square small target place leaf".split())


class Unfit(Exception):
    """A template that has no sensible filling here."""


class Fill:
    """One filling of one template; asks `write` (a Writer) for tensors."""

    def __init__(self, write):
        self.write, self.rng = write, write.rng
        self.subject = self.facts = None
        self.places_shape = None
        self.dim_used = None
        self.taken = []  # the tensors beside the subject

    def __call__(self, template):
        """The template's text with its words replaced.  Raises Unfit."""
        named = WORD.findall(template)
        first = next((word for word in named if word in SUBJECTS), None)
        filled = iter([getattr(self, f"_{first}")()] if first else ())
        waiting = [first] if first else []

        def fill(found):
            if waiting and found[1] == waiting[0]:
                waiting.clear()
                return str(next(filled))
            return str(getattr(self, f"_{found[1]}")())

        return WORD.sub(fill, template)

    # --- tensors ---------------------------------------------------------------------------------------------------

    def _take(self, suits=lambda f: True, make=None, dtype=None, viewed=0.25, view=views.view, new=False):
        """A tensor that suits, seen through a view now and then; the first one becomes the subject."""
        if new:
            expression = self.write.leaf()
            facts = self.write.oracle.facts(expression)
        else:
            expression, facts = self.write.tensor(suits, make, dtype, viewed, view)
        if self.subject is None:
            self.subject, self.facts = expression, facts
        else:
            self.taken.append(expression)
        return expression

    def _any(self):
        return self._take()

    def _float(self):
        return self._take(lambda f: f.floating, dtype="float")

    def _int(self):
        return self._take(lambda f: f.integral, dtype="int")

    def _bits(self):
        return self._take(lambda f: not f.floating, dtype="bits")

    def _numeric(self):
        return self._take(lambda f: f.dtype != "bool" and f.ndim,
                          lambda: leaves.shape(self.rng, self.rng.choice((1, 2, 2, 3))), "numeric")

    def _distinct(self):
        return self._take(lambda f: f.distinct and f.finite and f.size and f.floating, dtype="float", viewed=0)

    def _bounded(self):
        return self._take(lambda f: f.finite and f.low >= 0 and f.high < 100, lambda: leaves.shape(self.rng), "bits")

    def _vector(self):
        return self._take(lambda f: f.ndim == 1 and f.size < 20, lambda: (self.rng.randint(1, 5),), "numeric", 0)

    def _matrix(self):
        return self._take(lambda f: f.ndim == 2 and f.dtype != "bool" and f.size < 100,
                          lambda: leaves.shape(self.rng, 2), "numeric")

    def _small_matrix(self):
        return self._like(leaves.shape(self.rng, 2))

    def _square(self):
        n = self.rng.randint(1, 4)
        return self._take(lambda f: f.ndim == 2 and f.shape[0] == f.shape[1], lambda: (n, n), "numeric", 0)

    def _small(self):
        return self._take(lambda f: f.dtype == "int64" and f.low >= 0 and f.high < 9 and 0 < f.ndim < 3 and f.size < 30,
                          lambda: (self.rng.randint(1, 5),), "index", 0)

    def _target(self):
        """A tensor to write to: no leaf that requires a gradient, save now and then, and no place twice."""
        odd = self.rng.random() < 0.02
        return self._take(lambda f: not f.repeats and (odd or not (f.leaf and f.requires_grad)), dtype="plain", viewed=0.5)

    def _leaf(self):
        """A new leaf: its numbers are exact, so their bits can be compared."""
        return self._take(lambda f: True, viewed=0, new=True)

    def _place(self):
        """A target that may stand before += in Python."""
        return self._take(lambda f: not (f.repeats or (f.leaf and f.requires_grad)), dtype="plain", viewed=0.5, view=views.basic)

    def _other(self):
        """A number, or a tensor that broadcasts with the subject."""
        if self.rng.random() < 0.2:
            return self._number()
        return self._noted(self.write.partner(self.facts))

    def _bits_other(self):
        return self._like(leaves.broadcastable(self.rng, self.facts.shape), self.rng.choice((self.facts.dtype, "bool")))

    def _same(self):
        """A tensor of the subject's shape and dtype."""
        return self._like(self.facts.shape)

    def _cast(self):
        return self._like(self.facts.shape, self.write.dtype())

    def _like(self, shape, dtype=None):
        return self._noted(self.write.like(tuple(shape), dtype or self.facts.dtype))

    def _noted(self, expression):
        self.taken.append(expression)
        return expression

    def _mask(self):
        return self._like(leaves.broadcastable(self.rng, self.facts.shape), "bool")

    def _full_mask(self):
        return self._like(self.facts.shape, "bool")

    def _mask_of_first(self):
        return self._like(self._shape()[:1], "bool")

    def _right(self):
        shape = self._shape()
        return self._like((shape[-1], self.rng.randint(1, 4)) if self.rng.random() < 0.8 else (shape[-1],))

    def _right_matrix(self):
        return self._like((self._shape()[-1], self.rng.randint(1, 4)))

    def _left(self):
        shape = self._shape()
        return self._like((self.rng.randint(1, 4), shape[-2 if len(shape) > 1 else 0]))

    def _column(self):
        return self._like((self._shape()[1],))

    def _summand(self):
        return self._like(self.rng.choice(((), (1,), (self._shape()[0], 1))))

    def _weight(self):
        return self._like((self.rng.randint(1, 4), self._shape()[-1]))

    def _table(self):
        return self._like((int(self.facts.high) + 1, 3), "float32")

    def _classes(self):
        rows, columns = self._shape()[:2]
        if not columns:
            raise Unfit("no class")
        return f"ct.tensor({[self.rng.randrange(columns) for _ in range(rows)]}, dtype=ct.int64)"

    def _one(self):
        return self._like(())

    # --- places ----------------------------------------------------------------------------------------------------

    def _basic(self):
        return views.basic(self.rng, self.facts.shape)[1:-1]

    def _index(self):
        return views.advanced(self.rng, self.facts.shape)[1:-1]

    def _set_basic(self):
        self.suffix = views.basic(self.rng, self.facts.shape)
        return self.suffix[1:-1]

    def _set_index(self):
        self.suffix = views.advanced(self.rng, self.facts.shape, distinct=True)
        return self.suffix[1:-1]

    def _fitting(self):
        """A value that broadcasts to the indexed part of the subject."""
        place = self.write.oracle.facts(f"{self.subject}{self.suffix}")
        if place is None:
            raise Unfit("the index fits nothing")
        return self._like(leaves.broadcastable(self.rng, place.shape) if self.rng.random() < 0.4 else place.shape)

    def _index_tuple(self):
        n = self._shape()[0]
        if not n:
            raise Unfit("nothing to index")
        return f"(ct.tensor({[self.rng.randrange(-n, n) for _ in range(3)]}),)"

    def _places(self, distinct=False):
        """An index tensor for gather and scatter along the last dimension named, or the one named next."""
        shape = list(self._shape())
        dim = self.dim_used if self.dim_used is not None else -1
        self.dim_used = dim
        if not -len(shape) <= dim < len(shape) or not shape[dim]:
            raise Unfit("nothing to index")
        n = shape[dim]
        shape[dim] = self.rng.randint(1, n) if distinct else self.rng.randint(1, 3)
        self.places_shape = tuple(shape)
        if distinct:
            along = tuple(shape[dim] if k == dim % len(shape) else 1 for k in range(len(shape)))
            return f"ct.arange({shape[dim]}).reshape({along}).expand({tuple(shape)})"
        return self.write.numbers(tuple(shape), 0, n)

    def _distinct_places(self):
        return self._places(distinct=True)

    def _like_places(self):
        return self._like(self.places_shape)

    def _flat_places(self):
        if not self.facts.size:
            raise Unfit("nothing to index")
        self.places_shape = (self.rng.randint(1, 4),)
        return self.write.numbers(self.places_shape, -self.facts.size, self.facts.size)

    def _flat_values(self):
        return self._like(self.places_shape)

    def _slice_of(self):
        shape = list(self._shape())
        if self.dim_used is None or not -len(shape) <= self.dim_used < len(shape):
            raise Unfit("no such dimension")
        shape[self.dim_used] = 1
        return self._like(shape)

    def _selected(self):
        return self._like(self._shape()[1:])

    def _dim0(self):
        return 0

    # --- the rest --------------------------------------------------------------------------------------------------

    def _shape(self):
        if not self.facts.ndim:
            raise Unfit("0-d")
        return self.facts.shape

    def _view(self):
        self.suffix = self._defined(self.facts)
        return self.suffix

    def _defined(self, facts):
        found = views.view(self.rng, facts.shape)
        if not views.suits(found, facts):
            raise Unfit("a view that depends on the layout")
        return found

    def _VIEW(self):
        place = self.write.oracle.facts(f"{self.subject}{self.suffix}")
        if place is None:
            raise Unfit("no view")
        return self._defined(place)

    def _dim(self):
        if self.dim_used is None:
            self.dim_used = views.dim(self.rng, self.facts.ndim)
        return self.dim_used

    def _dims(self):
        if self.facts.ndim < 2 or self.rng.random() < 0.5:
            return self._dim()
        return tuple(self.rng.sample(range(self.facts.ndim), self.rng.randint(1, self.facts.ndim)))

    def _flag(self):
        return self.rng.random() < 0.5

    def _count(self):
        return self.rng.randint(0, 2)

    def _diagonal(self):
        return self.rng.randint(-2, 2)

    def _order(self):
        return self.rng.choice(("1", "2", "2", "3", "0", "float('inf')", "float('-inf')", ".5"))

    def _last(self):
        return self._shape()[-1:]

    def _wider(self):
        return (self.rng.randint(1, 3), *self.facts.shape)

    def _repeats(self):
        return ", ".join(str(self.rng.randint(1, 2)) for _ in range(self.facts.ndim + (self.rng.random() < 0.2)))

    def _number(self):
        if self.facts is not None and not self.facts.floating and self.rng.random() < 0.8:
            return self.rng.choice((0, 1, 2, 3, -1, 2))
        return self.rng.choice((0.5, 2, 1.5, -1, 3, -0.25, 0))

    def _dtype(self):
        return f"ct.{self.write.dtype()}"

    def _float_dtype(self):
        return f"ct.{self.write.dtype('float')}"

    def _int_dtype(self):
        return f"ct.{self.write.dtype('int')}"
