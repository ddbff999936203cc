"""Examples as modules."""

import importlib
from pathlib import Path

import pytest

import cltensor as ct

FOLDER = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def example(monkeypatch):
    """A function of an example's name that gives its module.  The default device is put back afterwards."""
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(FOLDER)
    yield importlib.import_module
    ct.set_default_device(None)
