"""Dtypes."""

import cltensor as ct

x = ct.zeros(3, dtype=ct.float16)
y = x.to(ct.float32).double().long().bool()
info = ct.finfo(ct.float32)
print(y.dtype, x.dtype is ct.half, info.eps, ct.result_type(x, y), x.element_size())
