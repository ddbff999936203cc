"""Einstein sums."""

import math
import string

from ...base.errors import ArgumentError, ArgumentTypeError, ShapeError
from ..core.public_api import function
from .products import product


def _parsed(equation, operands):
    """(labels of each operand, labels of the result), with private labels in place of the ellipsis."""
    equation = equation.replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ArgumentError(f"einsum(): more operands were provided than specified in the equation, or fewer: {len(operands)} "
                            f"operands, {len(terms)} terms in {equation!r}")
    wide = max([x.ndim - len(t.replace("...", "")) for t, x in zip(terms, operands, strict=True) if "..." in t], default=0)
    dots = [f"<{i}>" for i in range(wide)]
    spelled = [_labels(t, x.ndim, dots, equation) for t, x in zip(terms, operands, strict=True)]
    if arrow:
        result = _labels(right, None, dots, equation)
        known = {c for labels in spelled for c in labels}
        for c in result:
            if c not in known:
                raise ArgumentError(f"einsum(): output subscript {c} does not appear in the equation for any input operand")
            if result.count(c) > 1:
                raise ArgumentError(f"einsum(): output subscript {c} appears more than once in the output")
    else:
        flat = [c for labels in spelled for c in labels]
        result = (dots if "..." in left else []) + sorted(c for c in set(flat) if flat.count(c) == 1 and c not in dots)
    return spelled, result


def _labels(term, ndim, dots, equation):
    head, ellipsis, tail = term.partition("...")
    for c in head + tail:
        if c not in string.ascii_letters:
            raise ArgumentError(f"einsum(): invalid subscript given in {equation!r}: {c!r}; subscripts must be in [a-zA-Z]")
    n = len(head) + len(tail)
    if ndim is not None and (n > ndim or (not ellipsis and n != ndim)):
        raise ShapeError(f"einsum(): the number of subscripts in the equation ({n}) does not match the number of dimensions "
                         f"({ndim}) for term {term!r} of {equation!r}")
    middle = dots[len(dots) - (ndim - n):] if ndim is not None and ellipsis else dots if ellipsis else []
    return [*head, *middle, *tail]


def _diagonals(x, labels):
    """Take the diagonal of x over its repeated labels."""
    labels = list(labels)
    for c in dict.fromkeys(labels):
        while labels.count(c) > 1:
            i = labels.index(c)
            j = labels.index(c, i + 1)
            if x.shape[i] != x.shape[j]:
                raise ShapeError(f"einsum(): subscript {c} is repeated for one operand but the sizes don't match, {x.shape[i]} "
                                 f"!= {x.shape[j]}")
            x = x.diagonal(0, i, j)
            labels = [k for n, k in enumerate(labels) if n not in (i, j)] + [c]
    return x, labels


def _contract(a, la, b, lb, keep):
    """Contract a pair: sum over shared labels that are not in keep; the other shared labels are batch dimensions."""
    for x, labels, other in ((a, la, lb), (b, lb, la)):
        gone = [i for i, c in enumerate(labels) if c not in other and c not in keep]
        if gone:
            summed = x.sum(gone)
            kept = [c for i, c in enumerate(labels) if i not in gone]
            if x is a:
                a, la = summed, kept
            else:
                b, lb = summed, kept
    sizes = {}
    for x, labels in ((a, la), (b, lb)):
        for c, n in zip(labels, x.shape, strict=True):
            if n != 1 and sizes.get(c, 1) not in (1, n):
                raise ShapeError(f"einsum(): operands do not broadcast with remapped shapes: subscript {c} has sizes {sizes[c]} "
                                 f"and {n}")
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    batch = [c for c in la if c in lb and c in keep]
    summed = [c for c in la if c in lb and c not in keep]
    rows, columns = [c for c in la if c not in lb], [c for c in lb if c not in la]
    left = _arranged(a, la, (batch, rows, summed), sizes)
    right = _arranged(b, lb, (batch, summed, columns), sizes)
    result = product(left, right) if summed else left * right
    labels = batch + rows + columns
    return result.reshape([sizes[c] for c in labels]), labels


def _arranged(x, labels, groups, sizes):
    order = [c for g in groups for c in g]
    x = x.permute([labels.index(c) for c in order]).expand([sizes[c] for c in order])
    return x.reshape([math.prod(sizes[c] for c in g) for g in groups])


@function(method=False, out=False)
def einsum(equation, *operands):
    """Sum products by Einstein's convention, contracted from left to right through batched matrix products."""
    if not isinstance(equation, str):
        raise ArgumentTypeError("einsum(): give the equation as a string, for instance einsum('ij,jk->ik', a, b)")
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not operands:
        raise ArgumentError("einsum(): must provide at least one operand")
    spelled, result = _parsed(equation, operands)
    pairs = [_diagonals(x, labels) for x, labels in zip(operands, spelled, strict=True)]
    x, labels = pairs[0]
    for i, (other, other_labels) in enumerate(pairs[1:], 1):
        keep = {c for _, rest in pairs[i + 1:] for c in rest} | set(result)
        x, labels = _contract(x, labels, other, other_labels, keep)
    gone = [i for i, c in enumerate(labels) if c not in result]
    if gone:
        x = x.sum(gone)
        labels = [c for c in labels if c in result]
    return x.permute([labels.index(c) for c in result])
