"""What ONNX has for products of matrices."""

from ...base import dtypes


def in_products(b, x):
    """x in a dtype that ONNX multiplies matrices of."""
    return b.cast(x, dtypes.int32) if x.dtype.category == "int" and x.dtype.itemsize < 4 else x


def matmul(b, input, other):
    """MatMul."""
    return b.product(in_products(b, input), in_products(b, other))


def linear(b, input, weight, bias):
    """Gemm for rows of a matrix, MatMul and Add for others."""
    if input.ndim == 2 and bias is not None and input.dtype.is_floating_point:
        return b("Gemm", input, weight, bias, shape=(input.shape[0], weight.shape[0]), transB=1)
    y = b.product(in_products(b, input), b.transpose(in_products(b, weight), (1, 0)))
    return y if bias is None else b("Add", y, b.cast(bias, y.dtype))


def added(b, input, left, right, *, beta, alpha):
    """Gemm for matrices, MatMul and Add for batches."""
    if left.ndim == right.ndim == 2 and left.dtype.is_floating_point:
        return b("Gemm", left, right, input, shape=(left.shape[0], right.shape[1]), alpha=float(alpha), beta=float(beta))
    y = b.product(in_products(b, left), in_products(b, right))
    y = y if alpha == 1 else b("Mul", y, alpha)
    input = b.cast(input, y.dtype)
    return b("Add", y, input if beta == 1 else b("Mul", input, beta))
