"""Every exemption from the generated tests names a test file that exists."""

import re
from pathlib import Path

import pytest

from cltensor.dispatch.registry import REGISTRY
from ops import samples

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(samples.EXEMPT))
def test_an_exemption_names_an_op_and_a_test_that_exists(name):
    assert name in REGISTRY
    assert covered(samples.EXEMPT[name]), f"{name}: say which test covers it"


@pytest.mark.parametrize("name", sorted(samples.REFERENCED_ELSEWHERE))
def test_a_reference_elsewhere_names_a_test_that_exists(name):
    assert covered(samples.REFERENCED_ELSEWHERE[name]), f"{name}: say which test covers it"


def covered(reason):
    """Whether a reason names files that exist, or the samples of an op that runs this one."""
    named = re.findall(r"tests/[\w/]+\.py", reason)
    assert [n for n in named if not (ROOT / n).is_file()] == []
    return named or "samples" in reason
