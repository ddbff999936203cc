"""Verdict: whether a driver's kernels build and compute correctly, in which style, and how fast; kept in the kernel cache."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

from ..version import __version__
from .cache import kernel_cache

_known = {}  # by Entry.identity, in this process


@dataclass(frozen=True)
class Verdict:
    """What a trial of a device found.

    failures: {launch style: {check: error}}, a dict for each style tried; step: seconds of a small training step in the
    chosen style, None if not measured.
    """

    failures: dict = field(default_factory=dict)
    step: float | None = None

    @property
    def style(self):
        """The first launch style tried whose kernels all passed; None if there is none."""
        return next((style for style, failed in self.failures.items() if not failed), None)

    @property
    def reason(self):
        """The first failure, in one line; "" if there was none."""
        for style, failed in self.failures.items():
            for check, error in failed.items():
                return f"{check} ({style} style): {' '.join(error.split())}"
        return ""


def known(entry):
    """The Verdict on an Entry from this process or the cache, or None."""
    if entry.identity not in _known:
        found = _decoded(kernel_cache().get(_key(entry)))
        if found is None:
            return None
        _known[entry.identity] = found
    return _known[entry.identity]


def keep(entry, verdict):
    """Remember a Verdict, in this process and in the cache."""
    _known[entry.identity] = verdict
    kernel_cache().put(_key(entry), json.dumps(asdict(verdict)).encode())


def _key(entry):
    return hashlib.sha256("\0".join(("verdict", __version__, *entry.identity)).encode()).hexdigest()


def _decoded(data):
    try:
        return None if data is None else Verdict(**json.loads(data))
    except (ValueError, TypeError):
        return None
