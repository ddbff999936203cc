"""Unknown keyword."""

from cltensor import nn

nn.Linear(3, 4, biass=False)
