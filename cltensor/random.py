"""The default random generator, with torch.random's names: seeds, states, and fork_rng to leave it as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from .base import calls
from .base.errors import ArgumentTypeError
from .tensor.random.sampling import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state", "thread_safe_generator"]


@contextlib.contextmanager
def fork_rng(devices: Iterable[Any] | None = None, enabled: bool = True, _caller: str = "fork_rng",
             _devices_kw: str = "devices", device_type: str | None = None) -> Iterator[None]:
    """Inside the block random numbers may be drawn and seeds set; after it the default generator continues as if none were.

    One generator serves every device, so devices and device_type name nothing that could be left out; they are accepted.  With
    enabled=False the block changes the generator for good.  No shape or dtype plays a part; nothing waits for a device.

    Raises ArgumentTypeError for devices that cannot be iterated.
    Source: PyTorch 2.13's random.fork_rng.

        with cltensor.random.fork_rng():
            cltensor.manual_seed(0)
            noise = cltensor.randn(3)
    """
    if devices is not None and not isinstance(devices, Iterable):
        raise ArgumentTypeError(f"fork_rng: devices must be an iterable of devices or None, got {calls.kind(devices)}")
    before = default_generator.clone_state() if enabled else None
    try:
        yield
    finally:
        if before is not None:
            default_generator.graphsafe_set_state(before)


def thread_safe_generator() -> Generator | None:
    """The generator to draw from in a thread of a DataLoader: None, which means the default one.

    The default generator hands out numbers under a lock, so threads may share it.  No shape or dtype plays a part; never raises.
    Source: PyTorch 2.13's random.thread_safe_generator.

        offset = cltensor.randint(0, 10, (2,), generator=random.thread_safe_generator())
    """


calls.named(fork_rng, "fork_rng")


def __dir__():
    return sorted(__all__)
