"""Saving."""

import cltensor as ct
from cltensor import nn

model = nn.Linear(2, 2)
ct.save(model.state_dict(), "model.pt")
model.load_state_dict(ct.load("model.pt"))
