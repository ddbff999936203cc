"""Shapes."""

import cltensor as ct

x = ct.randn(2, 3, 4)
print(x.permute(2, 0, 1).reshape(4, -1).unsqueeze(0).squeeze(0).expand(2, 4, 6).flatten(1).contiguous())
parts = x.split(2, 2)
whole = ct.cat([*parts], 2)
stacked = ct.stack((whole, whole), dim=-1)
