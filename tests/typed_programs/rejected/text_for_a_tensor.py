"""Text for a tensor."""

import cltensor as ct

ct.matmul(ct.ones(2, 2), "two")
