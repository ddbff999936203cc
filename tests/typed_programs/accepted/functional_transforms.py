"""Functional transforms."""

import cltensor as ct
from cltensor.func import grad, vmap


def loss(w: ct.Tensor, x: ct.Tensor) -> ct.Tensor:
    return (w * x).sum() ** 2


print(vmap(grad(loss), in_dims=(None, 0))(ct.ones(3), ct.randn(5, 3)))
