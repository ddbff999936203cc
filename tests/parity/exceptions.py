"""Public names and parameters of PyTorch's that cannot exist here, each with the reason; docs/missing.md is made of this list.

A name covers what lies inside it: `nn.quantized` every name of that module, `nn.Module.xpu` one method, `nn.functional.f(x)` one
parameter.  A star stands for any text.
"""

import fnmatch
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "missing.md"

#: reason -> names
EXCEPTIONS = {
}

REASONS = {name: why for why, names in EXCEPTIONS.items() for name in names.split()}


def covers(pattern, name):
    """Whether an entry of the list covers a full name."""
    return fnmatch.fnmatchcase(name, pattern) or name.startswith((f"{pattern}.", f"{pattern}("))


def reason(name):
    """Why a name is missing, or None where nothing covers it."""
    return next((why for pattern, why in REASONS.items() if covers(pattern, name)), None)


def page(modules):
    """The text of docs/missing.md."""
    rows = "\n".join(f"| {', '.join(f'`{n}`' for n in names.split())} | {why} |" for why, names in EXCEPTIONS.items())
    listed = ", ".join(f"`{m}`" for m in modules)
    return f"""# What PyTorch has and cltensor has not

Made by `python -m tests.parity.surface --write` from the list in `tests/parity/exceptions.py`. A test compares every public name,
parameter, position and default of these modules of PyTorch 2.13 with cltensor's: {listed}. All are here but for:

| missing | reason |
|---|---|
{rows}
"""
