"""No such field."""

import cltensor as ct

print(ct.sort(ct.ones(3)).vals)
