"""Recurrent."""

import cltensor as ct
from cltensor import nn

lstm = nn.LSTM(8, 16, num_layers=2, batch_first=True)
y, (h, c) = lstm(ct.randn(4, 5, 8))
print(y[:, -1], h.shape, c.shape)
