"""The Python in the README and in docs/ runs: the blocks of a page one after another, as a program in a file."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def snippets(page):
    """The Python blocks of a page; a block with `...` only shows a form and is left out."""
    return [b for b in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S) if "..." not in b]


@pytest.mark.device
@pytest.mark.any_style
@pytest.mark.parametrize("page", [p for p in PAGES if snippets(p)], ids=lambda p: p.name)
def test_snippets_run(page, tmp_path):
    program = tmp_path / "page.py"
    program.write_text("\n".join(snippets(page)), encoding="utf-8")
    run = subprocess.run([sys.executable, "-W", "error", program], capture_output=True, text=True, cwd=tmp_path, timeout=280)
    assert run.returncode == 0, run.stderr


def test_there_are_snippets():
    assert sum(len(snippets(p)) for p in PAGES) >= 3
