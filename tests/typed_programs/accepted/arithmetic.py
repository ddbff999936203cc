"""Arithmetic."""

import cltensor as ct

x = ct.arange(6.0).reshape(2, 3)
y = 2 * x + x / 3 - 1
z: ct.Tensor = (y ** 2).sqrt() @ x.T
print(z.sum().item(), -z, z > 0, z == 1)
