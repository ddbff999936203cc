"""The states of all random numbers that a training draws, as one text: the default generator's, Python's, NumPy's and the
loader's."""

import json
import random

import numpy as np

from ..base import dtypes
from ..random import get_rng_state, set_rng_state
from ..tensor.api.creation import tensor


def states(loader):
    """The states as a text, for set_states; loader: what draws the order of the batches."""
    kind, keys, place, cached, value = np.random.get_state()
    return json.dumps({"default": get_rng_state().tolist(), "python": random.getstate(),
                       "numpy": [kind, keys.tolist(), place, cached, value], "loader": [_state(g) for g in generators(loader)]})


def set_states(text, loader):
    """Continue all random numbers from a result of states."""
    found = json.loads(text)
    set_rng_state(tensor(found["default"], dtype=dtypes.uint8))
    version, internal, following = found["python"]
    random.setstate((version, tuple(internal), following))
    kind, keys, *rest = found["numpy"]
    np.random.set_state((kind, np.array(keys, np.uint32), *rest))
    for generator, state in zip(generators(loader), found["loader"], strict=True):
        _set(generator, state)


def generators(loader):
    """The generators of a loader and of its samplers, each once."""
    batches = getattr(loader, "batch_sampler", None)
    holders = (loader, getattr(loader, "sampler", None), batches, getattr(batches, "sampler", None))
    found = {id(g): g for g in (getattr(holder, "generator", None) for holder in holders) if g is not None}
    return [g for g in found.values() if hasattr(g, "bit_generator") or hasattr(g, "get_state")]


def _state(generator):
    """A generator's state as plain numbers."""
    if hasattr(generator, "bit_generator"):
        return json.loads(json.dumps(generator.bit_generator.state, default=lambda array: array.tolist()))
    return generator.get_state().tolist()


def _set(generator, state):
    if hasattr(generator, "bit_generator"):
        generator.bit_generator.state = state
    else:
        generator.set_state(tensor(state, dtype=dtypes.uint8))
