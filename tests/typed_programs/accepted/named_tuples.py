"""Named tuples."""

import cltensor as ct

x = ct.randn(3, 4)
found = ct.sort(x, dim=1, descending=True)
values: ct.Tensor = found.values
indices: ct.Tensor = found.indices
top = x.topk(2)
print(top.values, values, indices)
