"""Network."""

import cltensor as ct
from cltensor import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.head = nn.Linear(4 * 14 * 14, 10)

    def forward(self, x: ct.Tensor) -> ct.Tensor:
        return self.head(self.body(x))


net = Net()
net.train()
net.eval()
print(net(ct.zeros(2, 1, 28, 28)).shape, [name for name, _ in net.named_parameters()], net.state_dict())
