"""The examples in docstrings run, and print what they say: those of every module, and those of public ops."""

import doctest
import importlib
import pkgutil

import pytest

import cltensor as ct
import docstrings

pytestmark = [pytest.mark.device, pytest.mark.any_style]
NAMES = {"ct": ct, "cltensor": ct}


def _of_modules():
    """The examples of the functions, classes and methods that modules define."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for found in pkgutil.walk_packages(ct.__path__, "cltensor."):
        if not found.name.endswith("__main__"):
            yield from finder.find(importlib.import_module(found.name), extraglobs=NAMES)


def _of_public_names():
    """The examples of public names, ops and methods made from ops among them."""
    for name, value in docstrings.public().items():
        yield doctest.DocTestParser().get_doctest(value.__doc__ or "", dict(NAMES), name, None, None)


EXAMPLES = {" ".join(e.source for e in test.examples): test for test in (*_of_public_names(), *_of_modules()) if test.examples}


@pytest.mark.parametrize("test", [pytest.param(t, id=t.name) for t in sorted(EXAMPLES.values(), key=lambda t: t.name)])
def test_an_example_prints_what_it_says(test):
    found = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=found.append)
    assert not found, "".join(found)


def test_there_are_examples():
    assert len(EXAMPLES) > 50
