"""Schedules."""

import cltensor as ct
from cltensor import nn, optim

p = nn.Parameter(ct.zeros(3))
optimizer = optim.AdamW([p], lr=1e-3, betas=(0.9, 0.99), weight_decay=0.01)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
for _ in range(3):
    optimizer.step()
    schedule.step()
print(schedule.get_last_lr())
