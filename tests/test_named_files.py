"""Files of the project that comments, docstrings, tests and pages name are there; an exemption from a test names one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"\b(?:cltensor|tests|ci|docs|templates|kernels_cl)/[\w/]+\.(?:py|md|json|cl\.mako|clh)\b")
TEXTS = sorted(p for folder in ("cltensor", "tests", "ci", "docs", "templates", "kernels_cl") for p in (ROOT / folder).rglob("*")
               if p.suffix in (".py", ".md", ".mako", ".clh")) + sorted(ROOT.glob("*.md"))


def named(text):
    return set(NAMED.findall(text))


def test_files_that_are_named_exist():
    missing = {f"{path.relative_to(ROOT)}: {name}" for path in TEXTS for name in named(path.read_text(encoding="utf-8"))
               if not (ROOT / name).exists()}
    assert not {m for m in missing if "NAME" not in m}


@pytest.mark.parametrize(("text", "found"), [
    ("see tests/ops/samples.py.", {"tests/ops/samples.py"}),
    ("`ci/layers.py` and docs/architecture.md", {"ci/layers.py", "docs/architecture.md"}),
    ("templates/scan.cl.mako", {"templates/scan.cl.mako"}), ("contests/x.py", set())])
def test_names_are_found_in_text(text, found):
    assert named(text) == found
