"""The starter database: constants shipped with the package for families of devices, used where nothing was tuned.

starter.json holds only constants measured to be faster than a launch rule's own.  Its classes of sizes are patterns, in
which * matches anything.
"""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("starter.json")


class Rule(NamedTuple):
    """The constants `values` apply to the kernel `kernel` and the classes of sizes that `pattern` matches."""

    kernel: str
    pattern: str
    values: dict

    def matches(self, key):
        """Whether the rule applies to this Key."""
        return self.kernel == key.kernel and fnmatchcase(key.shape, self.pattern)


def families():
    """The families in the file: {"about", "where": {field of DeviceProfile: value}, "results": {kernel: {pattern: values}}}."""
    return json.loads(FILE.read_text(encoding="utf-8"))["families"]


def rules(profile):
    """The Rules of the families of the device with this profile; the first one that matches counts."""
    return [Rule(kernel, pattern, values) for family in families()
            if all(getattr(profile, name) == value for name, value in family["where"].items())
            for kernel, shapes in family["results"].items() for pattern, values in shapes.items()]
