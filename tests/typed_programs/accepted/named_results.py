"""Functions that return named tuples, with the fields' names."""

import cltensor as ct

a = ct.eye(3) + 1
values: ct.Tensor = ct.linalg.svd(a).S
v: ct.Tensor = ct.svd(a).V
triangle: ct.Tensor = ct.linalg.qr(a).R
vectors: ct.Tensor = ct.linalg.eigh(a).eigenvectors
sign: ct.Tensor = a.slogdet().sign
packed, pivots = ct.linalg.lu_factor(a)
largest: ct.Tensor = ct.cummax(a, 0).values
solution: ct.Tensor = ct.linalg.lstsq(a, a).solution
hist: ct.Tensor = ct.histogram(a, 4).hist
print(values, v, triangle, vectors, sign, packed, pivots, largest, solution, hist)
