"""Transformer."""

import cltensor as ct
from cltensor import nn
from cltensor.nn import functional as F

layer = nn.TransformerEncoderLayer(d_model=16, nhead=4, dim_feedforward=32)
encoder = nn.TransformerEncoder(layer, num_layers=2)
print(encoder(ct.randn(5, 2, 16)))
y = F.scaled_dot_product_attention(ct.randn(1, 2, 5, 8), ct.randn(1, 2, 5, 8), ct.randn(1, 2, 5, 8), is_causal=True)
