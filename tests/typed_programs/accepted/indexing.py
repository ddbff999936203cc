"""Indexing."""

import cltensor as ct

x = ct.zeros(4, 5)
x[0] = 1.0
x[:, 1:3] = ct.ones(4, 2)
row: ct.Tensor = x[2]
print(x[x > 0].shape, row[None, ...], x[[0, 2]], len(x))
