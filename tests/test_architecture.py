"""docs/architecture.md tells the truth: the files of its walk exist and are entered in its order, and so do all it names."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
WALK = re.findall(r"^\d+\. `([\w/]+\.py)`", TEXT, re.M)

TRACED = """
import os, sys
import cltensor as ct
from cltensor import nn, optim
x, w, b = ct.randn(8, 4), nn.Parameter(ct.randn(4, 3)), nn.Parameter(ct.zeros(3))
optimizer = optim.Adam([w, b])
root, seen = os.path.dirname(ct.__file__) + os.sep, {}

def note(frame, event, argument):
    name = frame.f_code.co_filename
    if event == "call" and name.startswith(root):
        seen.setdefault(name.removeprefix(root).replace(os.sep, "/"))

sys.setprofile(note)
(x @ w + b).relu().sum().backward(); optimizer.step()
sys.setprofile(None)
print("\\n".join(seen))
"""


def test_every_file_named_exists():
    named = set(re.findall(r"`((?:\w+/)+\w+\.(?:py|mako|cl))`", TEXT))
    missing = [n for n in named if not ((ROOT / "cltensor" / n).is_file() or (ROOT / n).is_file() or list(ROOT.glob(n)))]
    assert missing == []
    assert len(WALK) > 25


@pytest.mark.device
@pytest.mark.any_style
def test_the_walk_is_the_order_in_which_files_are_entered():
    run = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True, check=True, timeout=200)
    entered = run.stdout.split()
    assert [f for f in WALK if f not in entered] == []
    assert sorted(WALK, key=entered.index) == WALK
