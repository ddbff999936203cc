"""Wrong kind of result."""

import cltensor as ct

size: str = ct.ones(3).numel()
