"""Write surface.json, the arguments of torchvision's functions and classes: python record_surface.py, where torchvision is.

record_transforms.py does so for the transforms.
"""

import importlib
import inspect
import json
import warnings
from pathlib import Path

MODULES = ("ops", "models", "models.detection", "models.segmentation", "io", "utils", "datasets", "datasets.utils")
PLAIN = (bool, int, float, str, type(None))


def arguments(thing):
    """[[name, kind, default]] of the parameters; "other" for a default that is no plain value."""
    return [[p.name, p.kind.name, "required" if p.default is p.empty else p.default if isinstance(p.default, PLAIN) else "other"]
            for p in inspect.signature(thing).parameters.values()
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and not p.name.startswith("_")]


def surface(name):
    """{name: arguments} of the functions and classes that a module of torchvision's defines."""
    module = importlib.import_module(f"torchvision.{name}")
    found = {}
    for each in getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]:
        thing = getattr(module, each, None)
        if callable(thing) and (getattr(thing, "__module__", None) or "").startswith("torchvision"):
            try:
                found[each] = arguments(thing)
            except ValueError:  # enumerations of old Python versions
                continue
    return found


def main():
    """See above."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        facts = {name: surface(name) for name in MODULES}
    Path(__file__).with_name("surface.json").write_text(json.dumps(facts, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
