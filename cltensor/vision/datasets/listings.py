"""Lists of samples in text files: lines, and words in lines; what is damaged is refused with the file's name."""

import contextlib

from ...base.errors import SerializationError
from .utils import verify_str_arg


@contextlib.contextmanager
def reading(path):
    """Turns what goes wrong in reading a listing into SerializationError with its name."""
    try:
        yield
    except SerializationError:
        raise
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise SerializationError(f"{path} is damaged ({type(error).__name__}: {error}); remove it and get it again") from error


def lines_in(path):
    """The lines of a text file that are not empty."""
    with reading(path), open(path, encoding="utf-8") as file:
        return [line for line in file.read().splitlines() if line.strip()]


def choices(values, name, valid):
    """One of `valid` or a list of them as a list, checked."""
    return [verify_str_arg(value, name, valid) for value in ([values] if isinstance(values, str) else values)]


def one_or_all(targets):
    """The only target, a tuple of several, None where there is none."""
    return targets[0] if len(targets) == 1 else tuple(targets) if targets else None
