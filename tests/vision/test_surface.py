"""Arguments and defaults of ops, models, readers, drawing and datasets, against what record_surface.py recorded of torchvision."""

import importlib
import json
from pathlib import Path

import pytest

from vision.record_surface import MODULES, arguments

pytestmark = [pytest.mark.any_style]
RECORDED = json.loads(Path(__file__).with_name("surface.json").read_text(encoding="utf-8"))
#: what differs on purpose
DIFFERENT = {("io", "decode_jpeg"): "the default device in place of the processor"}


@pytest.mark.parametrize("name", MODULES)
def test_arguments_are_torchvisions(name):
    module = importlib.import_module(f"cltensor.vision.{name}")
    here = {each for each in RECORDED[name] if hasattr(module, each) and (name, each) not in DIFFERENT}
    assert len(here) > 5
    found = {each: arguments(getattr(module, each)) for each in here}
    wrong = {each: (found[each], RECORDED[name][each]) for each in here if not alike(found[each], RECORDED[name][each])}
    assert not wrong


def alike(ours, theirs):
    """Whether names, kinds and plain defaults agree."""
    same = [p[:2] for p in ours] == [p[:2] for p in theirs]
    return same and all(a[2] == b[2] or "other" in (a[2], b[2]) for a, b in zip(ours, theirs, strict=True))
