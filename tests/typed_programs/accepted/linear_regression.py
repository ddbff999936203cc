"""Linear regression."""

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F

model = nn.Linear(3, 1)
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
x, y = ct.randn(8, 3), ct.randn(8, 1)
for _ in range(3):
    optimizer.zero_grad()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
value: float = F.mse_loss(model(x), y).item()
