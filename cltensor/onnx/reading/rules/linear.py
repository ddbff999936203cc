"""Products of matrices."""

from ..operators import operator
from ..public import ct


def product(a, b):
    """a @ b, also of integers."""
    return ct.matmul(a, b)


@operator("MatMul")
def matmul(a, b):
    return product(a, b)


@operator("Gemm", since=7)
def gemm(a, b, c=None, *, alpha=1.0, beta=1.0, transA=0, transB=0):
    found = product(a.T if transA else a, b.T if transB else b)
    found = found if alpha == 1 else (found * alpha).to(a.dtype)
    if c is None:
        return found
    return found + (c if beta == 1 else (c * beta).to(a.dtype))


@operator("Einsum", since=12)
def einsum(*inputs, equation):
    return ct.einsum(equation.replace(" ", ""), *inputs)


@operator("Det", since=11)
def determinant(x):
    return ct.det(x)
