"""Losses."""

import cltensor as ct
from cltensor import nn
from cltensor.nn import functional as F

logits, target = ct.randn(4, 3), ct.tensor([0, 1, 2, 1])
print(F.cross_entropy(logits, target, label_smoothing=0.1), nn.CrossEntropyLoss(reduction="sum")(logits, target))
print(F.binary_cross_entropy_with_logits(logits, ct.ones(4, 3)), F.huber_loss(logits, logits, delta=0.5))
