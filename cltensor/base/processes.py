"""What child processes that run cltensor share: how they find it, and a stream for their answers alone."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # what must be importable to import cltensor


def child_environment(**settings):
    """The environment of a child that imports this cltensor, which compiles nothing ahead of need, with these settings."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "CLTENSOR_AHEAD": "0", **settings}


def answers():
    """In the child: its output as a stream; what drivers print from now on goes elsewhere, not between the answers."""
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return report
