"""The list of entries that do not pass, each with the reason: unsupported.json."""

import json
from pathlib import Path

PATH = Path(__file__).with_name("unsupported.json")


def read():
    """{entry: reason}."""
    return json.loads(PATH.read_text()) if PATH.exists() else {}


def write(reasons):
    """Replace the list."""
    PATH.write_text(json.dumps(reasons, indent=1, ensure_ascii=False) + "\n")
