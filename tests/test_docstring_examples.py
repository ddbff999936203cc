"""The examples in docstrings of public names run, and print what they say."""

import doctest

import pytest

import cltensor as ct
import docstrings
import public_names

pytestmark = [pytest.mark.device, pytest.mark.any_style]
NAMES = docstrings.public() | {f"cltensor.autograd.functional.{name}": value
                               for name, value in public_names.members("autograd.functional").items()}
EXAMPLES = {name: value for name, value in NAMES.items() if ">>> " in (value.__doc__ or "")}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_prints_what_it_says(name):
    text = EXAMPLES[name].__doc__
    test = doctest.DocTestParser().get_doctest(text, {"ct": ct, "cltensor": ct}, name, None, None)
    assert test.examples
    found = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=found.append)
    assert not found, "".join(found)
