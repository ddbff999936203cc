"""Damaged, exchanged and removed files, by ci/fuzz_files.py in a process of its own."""

import importlib.util
import json

from .processes import script

#: seconds beyond the time given that the last case may take
_GRACE = 300


def check(minutes, seed, style):
    """Run a part for so many minutes: ({part: number of cases}, a mismatch or None); empty for a part that does not exist."""
    if importlib.util.find_spec("fuzz_files") is None:
        return {}, None
    text = f"import json, fuzz_files\nprint(json.dumps(fuzz_files.run({minutes!r}, {seed!r})))"
    counts, wrong = script(text, style, 60 * minutes + _GRACE)
    if wrong:
        return {}, {"seed": seed, "kind": "files", "signature": "files: damaged", "message": wrong, "snippet": text, "torch": ""}
    return json.loads(counts), None
