"""Find the OpenCL C: the folders of templates and headers, in a clone or in an installed package."""

import functools
from importlib import resources
from pathlib import Path


@functools.cache
def folder(name):
    """The folder `templates` or `kernels_cl`: beside the package in a clone, inside it once installed."""
    beside = Path(__file__).resolve().parents[2] / name
    if beside.is_dir():
        return beside
    return Path(str(resources.files("cltensor") / name))


@functools.cache
def header_text(name):
    """The text of kernels_cl/<name>."""
    return (folder("kernels_cl") / name).read_text(encoding="utf-8").strip() + "\n"
