"""Text for a dimension."""

import cltensor as ct

ct.softmax(ct.ones(2, 2), "rows")
