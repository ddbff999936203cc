"""An exception as one line for people."""

import errno

from ..base.errors import BuildError

_STREAM = (errno.ENOSPC, errno.EBADF, errno.EIO)  # of a print, where no file is named


def in_one_line(error):
    """An exception as one line: its message without the compiler's log; for foreign exceptions also the type."""
    if isinstance(error, BuildError):
        return f"{str(error).splitlines()[0].rstrip(':')} (CLTENSOR_DEBUG=1 shows the compiler's log)"
    if isinstance(error, OSError) and error.strerror:
        if error.errno in _STREAM and not error.filename:
            return f"what was to be printed could not be written: {error.strerror}"
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = " ".join(str(error).split())
    if type(error).__module__.startswith("cltensor."):
        return text
    return f"{type(error).__name__}: {text} (CLTENSOR_DEBUG=1 shows where)"
