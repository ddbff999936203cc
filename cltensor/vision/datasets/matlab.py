"""Arrays in MATLAB's files, through SciPy."""

import os

from ...base.errors import SerializationError
from ...base.extras import extra


def arrays_in(path, *names):
    """The arrays of these names in a .mat file.  Raises MissingPackageError without SciPy, SerializationError for another file."""
    io = extra("scipy.io", "matlab", "reading a .mat file")
    try:
        found = io.loadmat(os.fspath(path))
    except (OSError, MemoryError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise SerializationError(f"{path} is damaged ({error}); remove it and get it again") from error
    except Exception as error:  # SciPy raises what it meets first
        raise SerializationError(f"{path} is damaged, or no .mat file ({error}); remove it and get it again") from error
    missing = [name for name in names if name not in found]
    if missing:
        raise SerializationError(f"{path} holds no {', '.join(missing)}; remove it and get it again")
    return [found[name] for name in names]
