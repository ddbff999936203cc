"""For child processes that run cltensor: how they import it, and a stream for their answers only."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # what must be importable to import cltensor


def child_environment(**settings):
    """The environment of a child that imports this cltensor and builds no kernels ahead, with these settings."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "CLTENSOR_AHEAD": "0", **settings}


def answers():
    """In the child: its stdout as a stream.  From now on other output, such as drivers', goes to stderr."""
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return report
