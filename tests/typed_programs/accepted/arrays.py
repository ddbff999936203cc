"""Numpy."""

import numpy as np

import cltensor as ct

x = ct.from_numpy(np.zeros((2, 3), dtype=np.float32))
array = x.numpy()
print(array.shape, np.asarray(x), x + array, float(x.sum()), int(x.sum()), bool(x.any()), x.tolist())
