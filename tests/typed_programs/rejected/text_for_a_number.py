"""Text for a number."""

from cltensor import nn, optim

optim.Adam(nn.Linear(1, 1).parameters(), lr="fast")
