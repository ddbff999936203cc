"""What is exempt from the generated tests says which test takes their place, and that file is there."""

import re
from pathlib import Path

import pytest

from cltensor.dispatch.registry import REGISTRY
from ops import samples

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(samples.EXEMPT))
def test_an_exemption_names_an_op_and_a_test_that_exists(name):
    assert name in REGISTRY
    named = re.findall(r"tests/[\w/]+\.py", samples.EXEMPT[name])
    assert [n for n in named if not (ROOT / n).is_file()] == []
    assert named or "samples" in samples.EXEMPT[name], f"{name}: say which test covers it"
