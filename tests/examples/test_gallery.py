"""The page of examples names every program."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = {"characters.py", "commandline.py", "pictures.py"}


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "examples").glob("*.py") if p.name not in SHARED))
def test_every_example_is_on_the_page(name):
    assert f"`{name}`" in (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "examples").glob("*.py") if p.name not in SHARED))
def test_every_example_has_a_test(name):
    tests = [p.read_text(encoding="utf-8") for p in Path(__file__).parent.glob("test_*.py")]
    assert any(f'example("{Path(name).stem}")' in text for text in tests)
