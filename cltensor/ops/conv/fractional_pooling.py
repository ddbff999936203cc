"""Where the windows of fractional max pooling start.

Source: B. Graham, Fractional Max-Pooling, 2014.
"""

import numpy as np

from ...codegen import expr as E
from ..kinds.elementwise import elementwise

start = elementwise(
    "fractional_start", lambda u, i, step, last, end: E.where(i == last, end, E.trunc((i + u) * step) - E.trunc(u * step)),
    tensors="u i", dtypes="floating", public=False,
    ref=lambda u, i, step, last, end: np.where(i == last, end, np.trunc((i + u) * step) - np.trunc(u * step)),
    samples=lambda rng: [((rng.random((3, 1)), np.arange(4.0)), {"step": 1.5, "last": 3.0, "end": 6.0})],
    doc="Where window i starts, for a random u; the last one ends with the input.")
