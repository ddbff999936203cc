"""rearrange: permute, split and merge dimensions by a pattern of names, as in `"b (h w) c -> b c h w"`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ..base.errors import ArgumentError, ArgumentTypeError, ShapeError
from ..tensor import Tensor
from ..tensor.shape.joining import stack

ELLIPSIS = "..."


def rearrange(tensor: Tensor | Sequence[Tensor], pattern: str, **axes_lengths: int) -> Tensor:
    """Permute, split and merge the dimensions of a tensor of any shape and dtype, as a pattern of names says.

    pattern: the names of tensor's dimensions, "->", and the same names in another order.  Names in parentheses are one dimension:
    split on the left, merged on the right; one size in each may be left out of axes_lengths, the sizes of names.  "..." stands for
    any dimensions in a row, "1" or "()" for one of size 1.  Tensors in a list or tuple are stacked along a new first dimension.
    The result is a view where a reshape is one, and gradients flow through.

    Raises ArgumentError for a pattern that is none, or a size of an unknown name; ShapeError where the tensor has other dimensions
    or sizes; ArgumentTypeError for anything but tensors.
    Source: Rogozhnikov, Einops: Clear and Reliable Tensor Manipulations with Einstein-like Notation, 2022.

        >>> ct.func.rearrange(ct.arange(6), "(h w) -> w h", h=2)
        tensor([[0, 3],
                [1, 4],
                [2, 5]])
    """
    if isinstance(tensor, (list, tuple)):
        tensor = stack(list(tensor))
    if not isinstance(tensor, Tensor):
        raise ArgumentTypeError(f"rearrange: expected a Tensor or a list of them, got {type(tensor).__name__}")
    left, right = _sides(pattern)
    _check_names(pattern, left, right, axes_lengths)
    left, right = _spelled_out(pattern, left, right, tensor.ndim)
    sizes = {}
    for group, size in zip(left, tensor.shape, strict=True):
        sizes |= _split(pattern, group, size, axes_lengths)
    given, wanted = ([name for group in side for name in group] for side in (left, right))
    parts = tensor.reshape([sizes[name] for name in given])
    moved = parts.permute([given.index(name) for name in wanted])
    return moved.reshape([math.prod(sizes[name] for name in group) for group in right])


def _sides(pattern):
    """The groups of names on the left and on the right."""
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ArgumentError(f"rearrange: Pattern must contain a single '->' separator, got {pattern!r}")
    return [_groups(pattern, side) for side in sides]


def _groups(pattern, side):
    """One side: a list of names for each dimension, empty for one of size 1, and ELLIPSIS outside parentheses as it is."""
    groups, inside = [], None
    for word in re.findall(r"\.\.\.|[()]|[^\s().]+|\.", side):
        if word == "(":
            if inside is not None:
                raise ArgumentError(f"rearrange: parentheses inside parentheses are not allowed in {pattern!r}")
            inside = []
        elif word == ")":
            if inside is None:
                raise ArgumentError(f"rearrange: Imbalanced parentheses in {pattern!r}")
            groups.append(inside)
            inside = None
        elif inside is not None:
            inside += _names(pattern, word)
        else:
            groups.append(ELLIPSIS if word == ELLIPSIS else _names(pattern, word))
    if inside is not None:
        raise ArgumentError(f"rearrange: Imbalanced parentheses in {pattern!r}")
    return groups


def _names(pattern, word):
    """The name that a word is, none for a dimension of size 1."""
    if word == "1":
        return []
    if word != ELLIPSIS and (not word.isidentifier() or word[0] == "_" or word[-1] == "_"):
        raise ArgumentError(f"rearrange: Invalid axis identifier {word!r} in {pattern!r}; it must be a Python identifier that "
                            "neither starts nor ends with an underscore, '...' or 1")
    return [word]


def _check_names(pattern, left, right, lengths):
    first, second = ([name for group in side for name in ([group] if group == ELLIPSIS else group)] for side in (left, right))
    for side in (first, second):
        twice = sorted({name for name in side if side.count(name) > 1})
        if twice:
            raise ArgumentError(f"rearrange: {pattern!r} contains duplicate dimension {', '.join(twice)} on one side")
    if set(first) != set(second):
        raise ArgumentError(f"rearrange: Identifiers only on one side of {pattern!r} (should be on both): "
                            f"{', '.join(sorted(set(first) ^ set(second)))}")
    if any(group != ELLIPSIS and ELLIPSIS in group for group in left):
        raise ArgumentError(f"rearrange: Ellipsis in parentheses on the left side is not allowed: {pattern!r}")
    unknown = sorted(set(lengths) - set(first))
    if unknown:
        raise ArgumentError(f"rearrange: Identifiers not found in {pattern!r}: {', '.join(unknown)}")
    for name, n in lengths.items():
        if not isinstance(n, int) or n < 0:
            raise ArgumentError(f"rearrange: the size of {name} must be an int that is not negative, got {n!r}")


def _spelled_out(pattern, left, right, ndim):
    """Both sides with names, which are numbers, for the dimensions that an ellipsis stands for."""
    more = ndim - sum(group != ELLIPSIS for group in left)
    if more < 0 or (more and ELLIPSIS not in left):
        raise ShapeError(f"rearrange: Number of dimensions in pattern {pattern!r} ({ndim - more}) must be equal to the number of "
                         f"dimensions in the tensor ({ndim})")
    names = [str(i) for i in range(more)]
    return [_replaced(side, names) for side in (left, right)]


def _replaced(side, names):
    groups = []
    for group in side:
        if group == ELLIPSIS:
            groups += [[name] for name in names]
        else:
            groups.append([n for name in group for n in (names if name == ELLIPSIS else [name])])
    return groups


def _split(pattern, group, size, lengths):
    """{name: size} of the names of one dimension of a size.  Raises ShapeError where they do not make it up."""
    sizes = {name: lengths.get(name) for name in group}
    open_names = [name for name, n in sizes.items() if n is None]
    known = math.prod(n for n in sizes.values() if n is not None)
    if len(open_names) > 1:
        raise ShapeError(f"rearrange: cannot infer the sizes of {' and '.join(open_names)} at once in {pattern!r}; give all but "
                         "one")
    if open_names and known and size % known == 0:
        sizes[open_names[0]] = size // known
    elif open_names or known != size:
        raise ShapeError(f"rearrange: a dimension of size {size} is not made up of ({' '.join(group)}) in {pattern!r} with sizes "
                         f"{ {name: n for name, n in sizes.items() if n is not None} }")
    return sizes
