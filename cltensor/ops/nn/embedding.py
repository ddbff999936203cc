"""Bags of rows of a table."""

import numpy as np

from ...codegen import expr as E
from ...dispatch import faults
from ..kinds.elementwise import elementwise

bag = elementwise(
    "bag_number", lambda started, index, padding, spare: E.where(
        started < 1, faults.UNKNOWN, E.where(index == padding, spare, started - 1)),
    tensors="started index", dtypes="index", public=False,
    ref=lambda started, index, padding, spare: np.where(
        started < 1, faults.UNKNOWN, np.where(index == padding, spare, started - 1)),
    samples=lambda rng: [((np.array([0, 1, 2, 2]), np.array([1, 2, 3, 4])), {"padding": 3, "spare": 5})],
    doc="The bag an element belongs to, given how many have started; padding goes to a spare one.")
