"""No such method."""

import cltensor as ct

ct.ones(3).summ()
