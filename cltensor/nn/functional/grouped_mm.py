"""Products of matrices in groups of unequal size, as the experts of a mixture need them."""

from __future__ import annotations

from ...base import dtypes
from ...base.dtypes import dtype
from ...base.errors import DTypeError, ShapeError
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat, stack


def grouped_mm(mat_a: Tensor, mat_b: Tensor, *, offs: Tensor | None = None, bias: Tensor | None = None,
               out_dtype: dtype | None = None):
    """Products of groups of mat_a and mat_b, all of one floating dtype; the groups of a matrix end at offs (G,), of int32.

    (M, K) and (G, K, N) give (M, N): rows in groups.  (G, M, K) and (K, N) give (M, N): columns in groups.  (M, K) and (K, N) give
    (G, M, N): K in groups.  (G, M, K) and (G, K, N), without offs, give (G, M, N).  Rows and columns past the last group are 0.
    bias: added to the result.  out_dtype: the result's dtype.  Reading offs waits for it.
    Raises ShapeError, DTypeError.  Source: PyTorch 2.13's interface.

        >>> from cltensor import int32, nn, ones, tensor
        >>> nn.functional.grouped_mm(ones(3, 2), ones(2, 2, 4), offs=tensor([1, 3], dtype=int32)).shape
        cltensor.Size([3, 4])
    """
    _check(mat_a, mat_b, offs)
    if offs is None:
        out = mat_a @ mat_b
    else:
        ends = offs.tolist()
        out = _grouped(mat_a, mat_b, [(a, b) for a, b in zip([0, *ends], ends, strict=False)])
    out = out if bias is None else out + bias
    return out if out_dtype is None else out.to(out_dtype)


def _check(a, b, offs):
    if a.ndim not in (2, 3) or b.ndim not in (2, 3):
        raise ShapeError(f"grouped_mm: expected matrices or batches of them, got {list(a.shape)} and {list(b.shape)}")
    if (offs is None) != (a.ndim == 3 and b.ndim == 3):
        raise ShapeError("grouped_mm: Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d")
    if a.dtype is not b.dtype or not a.dtype.is_floating_point:
        raise DTypeError(f"grouped_mm: expected two operands of one floating dtype, got {a.dtype.name} and {b.dtype.name}")
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"grouped_mm: contraction dimension of mat_a and mat_b must match, got {list(a.shape)} and "
                         f"{list(b.shape)}")
    if offs is not None and (offs.dtype is not dtypes.int32 or offs.ndim != 1):
        raise DTypeError(f"grouped_mm: Offsets have to be int32, and a vector, got {offs.dtype.name} {list(offs.shape)}")
    counts = {x.shape[0] for x in (a, b) if x.ndim == 3} | ({offs.shape[0]} if offs is not None else set())
    if len(counts) > 1:
        raise ShapeError(f"grouped_mm: matrix batch sizes have to match, got {list(a.shape)}, {list(b.shape)}"
                         + ("" if offs is None else f" and {offs.shape[0]} offsets"))


def _grouped(a, b, spans):
    if a.ndim == 2 and b.ndim == 2:
        return stack([a[:, i:j] @ b[i:j] for i, j in spans])
    if a.ndim == 2:
        parts, dim, size = [a[i:j] @ m for (i, j), m in zip(spans, b, strict=True)], 0, a.shape[0]
    else:
        parts, dim, size = [m @ b[:, i:j] for (i, j), m in zip(spans, a, strict=True)], 1, b.shape[1]
    left = size - spans[-1][1]
    if left > 0:
        parts.append(parts[0].new_zeros((left, b.shape[-1]) if dim == 0 else (a.shape[-2], left)))
    return cat(parts, dim)
