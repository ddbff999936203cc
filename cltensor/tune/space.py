"""Spaces: the constants of a launch rule whose best values depend on the device, and the values worth trying.

A launch rule has a Space beside it and asks it when it makes a plan, passing the sizes and its own constants:

    SPACE = Space("matmul_blocked", MR=(4, 6, 8), KC=(128, 256, 384))
    chosen = SPACE.choose(device, dtype, {"M": 512, "N": 512, "K": 784}, MR=6, KC=256)

The answer holds the values that `cltensor tune` found on this device for such sizes, else those of the starter database for
such devices, else the rule's own constants.  Plans are kept, so a Space is asked once per layout, never by a call that has
its plan.
"""

import contextlib
from dataclasses import dataclass
from types import SimpleNamespace

from ..base.context import context
from ..base.errors import ArgumentError
from . import lookup
from .key import Key, shape_class, text


@dataclass(frozen=True)
class Question:
    """A Space was asked for a Key; defaults: the constants without tuning."""

    space: object
    key: Key
    defaults: dict


class Unfit(ArgumentError):
    """Values on trial that the launch rule, the sizes or the device reject."""


class Space:
    """The names of tunable constants and, for each, the values worth trying.

    fits: a function (profile, dtype, **constants) -> bool, False if the template or device rejects the combination
    """

    def __init__(self, name, *, fits=None, **values):
        self.name, self.values, self.fits = name, values, fits

    def choose(self, device, dtype, sizes, **defaults):
        """The constants (attributes of the answer) for one launch.

        sizes: {name: int or text}, which determine the class.  Raises Unfit when values on trial do not fit.
        """
        profile, key = device.profile, Key(f"{self.name} {device.profile.style} {dtype.name}", shape_class(sizes))
        shipped = lookup.shipped(profile, key)
        if shipped is not None and self.allows(profile, dtype, defaults, shipped):
            defaults = {**defaults, **shipped}
        if context.questions is not None:
            context.questions.append(Question(self, key, defaults))
        if context.trial is not None and context.trial[0] == key:
            if not self.allows(profile, dtype, defaults, context.trial[1]):
                raise Unfit(f"{self.name}: {text(context.trial[1])} do not fit {key.shape}")
            return SimpleNamespace(**{**defaults, **context.trial[1]})
        found = lookup.tuned(profile, key)
        if found is not None and self.allows(profile, dtype, defaults, found):
            return SimpleNamespace(**{**defaults, **found})
        return SimpleNamespace(**defaults)

    def allows(self, profile, dtype, defaults, values):
        """Whether values, from a database that another version may have made, belong to this space and fit together."""
        if any(n not in defaults or not (v == defaults[n] or v in self.values[n]) for n, v in values.items()):
            return False
        return self.fits is None or bool(self.fits(profile, dtype, **{**defaults, **values}))


@contextlib.contextmanager
def trying(key, values):
    """Inside the block, plans use these values for Key `key`, whatever the databases say."""
    before, context.trial = context.trial, (Key(*key), values)
    try:
        yield
    finally:
        context.trial = before


@contextlib.contextmanager
def asking():
    """Collect the Questions of the block's new plans in a list."""
    before, context.questions = context.questions, []
    try:
        yield context.questions
    finally:
        context.questions = before
