"""Index tensors that count from zero only."""

import numpy as np

from ...codegen import expr as E
from ...ops import faults
from ...ops.elementwise import elementwise

counted = elementwise("counted", lambda index: E.where(index < 0, faults.UNKNOWN, index), dtypes="integer", public=False,
                      ref=lambda index: np.where(index < 0, faults.UNKNOWN, index),
                      samples=lambda rng: [((rng.integers(-1, 3, (5,)),), {})],
                      doc="index, with a number out of range for a negative one, which would count from the end.")
