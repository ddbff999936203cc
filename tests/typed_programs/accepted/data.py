"""Data."""

import cltensor as ct
from cltensor.utils.data import DataLoader, TensorDataset

dataset = TensorDataset(ct.randn(10, 3), ct.zeros(10, dtype=ct.int64))
for x, y in DataLoader(dataset, batch_size=4, shuffle=True):
    print(x.shape, y.dtype)
print(len(dataset))
