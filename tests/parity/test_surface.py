"""Every public name, parameter, position and default of PyTorch's modules is here, or is listed with a reason."""

import warnings

import pytest

from . import exceptions

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def surface():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from . import surface

    return surface


@pytest.fixture(scope="module")
def found(surface):
    """{module: its gaps}."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: surface.gaps(name) for name in (*surface.MODULES, *surface.PARTLY)}


def test_nothing_is_missing_but_what_has_a_reason(found):
    missing = {full: what for gaps in found.values() for full, what in gaps.items() if not exceptions.reason(full)}
    assert not missing, "\n".join(f"{full}: {what}" for full, what in missing.items())


def test_every_exception_is_needed(found):
    gaps = {full for each in found.values() for full in each}
    idle = [pattern for pattern in exceptions.REASONS if not any(exceptions.covers(pattern, full) for full in gaps)]
    assert not idle, f"take these out of tests/parity/exceptions.py: {idle}"


def test_the_page_is_up_to_date(surface):
    assert exceptions.PAGE.read_text(encoding="utf-8") == exceptions.page(surface.MODULES), (
        "run python -m tests.parity.surface --write")
