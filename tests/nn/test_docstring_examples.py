"""The examples in the docstrings of nn run, and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

from cltensor import nn

pytestmark = pytest.mark.device
MODULES = sorted(m.name for m in pkgutil.walk_packages(nn.__path__, "cltensor.nn."))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    found = doctest.testmod(importlib.import_module(name))
    assert not found.failed
