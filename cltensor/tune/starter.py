"""The starter database: results that ship with the package, by family of devices, for those never tuned here."""

import json
from pathlib import Path

from .key import Key

FILE = Path(__file__).with_name("starter.json")


def families():
    """The families in the file: {"about", "where": {field of DeviceProfile: value}, "results": {kernel: {shape: values}}}."""
    return json.loads(FILE.read_text(encoding="utf-8"))["families"]


def results(profile):
    """{Key: values} of the families that the device with this profile belongs to."""
    return {Key(kernel, shape): values for family in families()
            if all(getattr(profile, name) == value for name, value in family["where"].items())
            for kernel, shapes in family["results"].items() for shape, values in shapes.items()}
