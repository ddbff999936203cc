"""The starter database: constants that ship with the package for families of devices, where nothing was tuned.

starter.json holds only what was measured to be faster than a launch rule's own constants.  Its classes of sizes are
patterns, in which * stands for anything.
"""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("starter.json")


class Rule(NamedTuple):
    """The constants `values` hold for the kernel `kernel` and the classes of sizes that `pattern` matches."""

    kernel: str
    pattern: str
    values: dict

    def matches(self, key):
        """Whether the rule is one for this Key."""
        return self.kernel == key.kernel and fnmatchcase(key.shape, self.pattern)


def families():
    """The families in the file: {"about", "where": {field of DeviceProfile: value}, "results": {kernel: {pattern: values}}}."""
    return json.loads(FILE.read_text(encoding="utf-8"))["families"]


def rules(profile):
    """The Rules of the families that the device with this profile belongs to, the first one that matches being meant."""
    return [Rule(kernel, pattern, values) for family in families()
            if all(getattr(profile, name) == value for name, value in family["where"].items())
            for kernel, shapes in family["results"].items() for pattern, values in shapes.items()]
