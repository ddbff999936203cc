"""Linear algebra."""

import cltensor as ct

a = ct.randn(3, 3)
q, r = ct.linalg.qr(a)
print(ct.linalg.inv(a @ a.mT + ct.eye(3)), ct.linalg.norm(a), ct.det(a), q @ r, ct.einsum("ij,jk->ik", a, a))
