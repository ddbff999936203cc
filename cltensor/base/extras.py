"""Packages that cltensor can do without: imported on first use, with an error that names the extra to install."""

import importlib

from .errors import MissingPackageError


def extra(module, name, call):
    """The module of a package that the extra `name` installs.  Raises MissingPackageError, which names the public call."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingPackageError(f"{call}: needs the package {package}, which cannot be imported ({error}); install it with "
                                  f"pip install 'cltensor[{name}]'", name=package) from error
