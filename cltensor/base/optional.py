"""Packages that cltensor works without: imported on first use, with one clear error where one is missing."""

import importlib

from .errors import CLTensorError

#: module -> (its name for pip, the extra of cltensor that has it, or None)
_PACKAGES = {
    "PIL": ("pillow", "vision"),
    "scipy": ("scipy", None),
    "matplotlib": ("matplotlib", "see"),
    "sklearn": ("scikit-learn", "see"),
    "tqdm": ("tqdm", "see"),
    "tensorboard": ("tensorboard", "tensorboard"),
}


class MissingPackageError(CLTensorError, ImportError):
    """An optional package is needed and not installed."""


def optional(name, purpose):
    """The module `name`, of an optional package.  purpose: what needs it, for the error.  Raises MissingPackageError."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package, extra = _PACKAGES.get(name.partition(".")[0], (name.partition(".")[0], None))
        asked = f"'cltensor[{extra}]'" if extra else package
        if (error.name or "").partition(".")[0] != name.partition(".")[0]:
            raise
        raise MissingPackageError(f"{purpose} needs {package}, which is not installed; run pip install {asked}") from None
