"""Reductions."""

import cltensor as ct

x = ct.randn(3, 4, 5)
print(x.sum(), x.mean(1), x.amax((0, 2), keepdim=True), ct.std(x, dim=0), x.argmax(-1), x.prod(dim=1))
n: int = x.numel()
