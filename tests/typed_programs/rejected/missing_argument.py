"""Missing argument."""

from cltensor import nn

nn.Conv2d(3, 4)
