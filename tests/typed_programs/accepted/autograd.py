"""Autograd."""

import cltensor as ct

x = ct.tensor([1.0, 2.0], requires_grad=True)
loss = (x ** 3).sum()
loss.backward()
grad = x.grad
if grad is not None:
    print(grad.tolist())
with ct.no_grad():
    x.add_(1.0, alpha=2)
g = ct.autograd.grad((x * x).sum(), [x], create_graph=True)
