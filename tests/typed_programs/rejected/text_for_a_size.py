"""Text for a size."""

from cltensor import nn

nn.Linear("three", 4)
