"""Complex numbers."""

import cltensor as ct

z = ct.tensor([1 + 2j]) * 2j
w: ct.Tensor = ct.full((2,), 1j) + z.real
z.fill_(1j)
z = ct.complex(w.abs(), w.angle()) ** (1 - 1j)
z = z.masked_fill(z.abs() > 1, 2j)
z.real = z.imag
c: complex = complex(z[0])
d: ct.dtype = ct.complex64.to_real()
v: ct.Tensor = ct.linalg.eig(z[:1].reshape(1, 1)).eigenvectors
y = ct.add(z, 1j, alpha=2j)
print(z, c, d, v, y)
