"""Arrays and lists in pickles of others, read without running what a pickle may ask for."""

from __future__ import annotations

import os

from ...base.errors import SerializationError
from ...io.pytorch.pickles import of_arrays
from ...io.pytorch.stream import Stream
from ...io.source import opened


def dict_in(path, *keys):
    """The dict in a pickle, which must have one of these keys.  Raises SerializationError for anything else, and for code."""
    with opened(os.fspath(path), False) as source:
        try:
            found = of_arrays(Stream(source))
        except SerializationError as error:
            raise type(error)(f"{path}: {error}; remove it and get it again") from error.__cause__
    if not isinstance(found, dict) or not any(key in found for key in keys):
        raise SerializationError(f"{path}: it holds no {' or '.join(map(repr, keys))}; remove it and get it again")
    return found
