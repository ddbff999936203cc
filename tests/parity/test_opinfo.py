"""Every operator of PyTorch's own database gives PyTorch's values, shapes, dtypes, gradients and errors, or is listed.

`unsupported.json` lists the entries that do not, with the reason; an entry listed there that passes fails its test, so the
list can only shrink.  `python -m tests.parity.report NAME...` runs single entries and shows everything that differs.
"""

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("expecttest", reason="PyTorch's operator database needs expecttest")

from . import database, listed, runner

pytestmark = [pytest.mark.device, pytest.mark.parity]
LISTED = listed.read()


def test_the_list_names_entries_of_the_database():
    assert not set(LISTED) - set(database.entries())


@pytest.mark.parametrize("name", database.entries())
def test_entry(name):
    report = runner.run(name)
    if name in LISTED:
        assert report.status != "pass", f"{name} passes; take it off {listed.PATH.name}"
    elif report.status != "pass":
        detail = report.failures[0].detail if report.failures else ""
        pytest.fail(f"{name}: {report.reason}\n{detail}", pytrace=False)
