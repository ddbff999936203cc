"""Launch rule of the template fft_direct: short transforms as products with a matrix, which need no passes."""

import functools
import math

import numpy as np

from ...codegen import vectors
from ...codegen.templates import render
from ...codegen.types import compute_type
from ..kinds.launch import step
from . import factors, lines

BLOCK = 4  # vectors of results that a row of the matrix is added to at a time
SHORT = 16  # elements: as fast as passes however many lines there are
LITTLE = 40_000  # multiplications of longer lines: they take less time than passes that leave vectors empty


def fits(work, kind, n, shape):
    """Whether lines of n elements are transformed so, for a batch of this shape."""
    numbers = n * n * (4 if kind == "complex" else 1)
    return work.cpu and n > 0 and (n <= SHORT or math.prod(shape) * numbers <= LITTLE)


def steps(work, kind, n, shape, x, y, middle=1.0):
    """The Step from lines in x to lines in y; kind: "complex", "half" or "real", what y is."""
    outer, _, count, x, y = lines.batch(shape, x, y)
    ins, outs = (n // 2 + 1 if kind == "real" else n), (n // 2 + 1 if kind == "half" else n)
    table = _matrix(work.device, work.dtype, kind, n, bool(x.imaginary), work.inverse, float(work.scale), float(middle))
    numbers = outer["outer"] * count
    groups = max(1, min(work.device.profile.groups, numbers, numbers * ins * outs // 8192))
    return [step(render("fft_direct", style="cpu", dtype=work.dtype, rank=lines.rank(outer), BLOCK=BLOCK), **x.operand("x"),
                 **y.operand("y"), matrix=table, **outer, lines=count, n=ins, m=outs, **x.distances("x"), **y.distances("y"),
                 extend=kind == "real", groups=groups)]


@functools.lru_cache(maxsize=64)
def _matrix(device, dtype, kind, n, of_complex, inverse, scale, middle):
    """The matrix as the template reads it, on the device."""
    j, k = np.arange(n // 2 + 1 if kind == "real" else n), np.arange(n // 2 + 1 if kind == "half" else n)
    c = scale * factors.unit_roots(np.outer(j, k) % n, n)
    c = c.conj() if inverse else c
    half = j[:, None] if kind == "real" else k
    if kind != "complex":
        c *= np.where((half == 0) | (2 * half == n), 1, middle * (2 if kind == "real" else 1))
    rows = np.stack([c, 1j * c], 1).reshape(-1, len(k)) if of_complex else c
    numbers = rows.real if kind == "real" else np.stack([rows.real, rows.imag], -1).reshape(len(rows), -1)
    block = BLOCK * vectors.width(compute_type(dtype))
    return lines.upload(device, np.pad(numbers, ((0, 0), (0, -numbers.shape[1] % block))).astype(dtype.numpy))
