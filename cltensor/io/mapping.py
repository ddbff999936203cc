"""Whether files are mapped into memory where the caller does not say."""


class _Chosen:
    value = False


def default_mmap(wanted, f):
    """Whether to map f: as wanted, or else by default if it is a path."""
    return bool(wanted) if wanted is not None else _Chosen.value and not hasattr(f, "read")


def set_default_mmap(flag):
    """Map files by default, or not."""
    _Chosen.value = bool(flag)


def get_default_mmap():
    """Whether files are mapped by default."""
    return _Chosen.value
