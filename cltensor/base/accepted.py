"""PyTorch's settings that are accepted and change nothing here."""

from .errors import ArgumentError, ArgumentTypeError


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Accepted for PyTorch's sake: results here are the same from run to run in any mode."""


def are_deterministic_algorithms_enabled():
    """True: results are the same from run to run."""
    return True


def set_float32_matmul_precision(precision):
    """Accepted for PyTorch's sake: products of float32 are computed in float32.  Raises ArgumentError for another word."""
    if precision not in ("highest", "high", "medium"):
        raise ArgumentError(f"set_float32_matmul_precision: {precision!r} is none of 'highest', 'high', 'medium'")


def get_float32_matmul_precision():
    """"highest": products of float32 are computed in float32."""
    return "highest"


def is_deterministic_algorithms_warn_only_enabled():
    """False: there is nothing to warn of."""
    return False


def set_deterministic_debug_mode(debug_mode):
    """Accepted for PyTorch's sake.  Raises ArgumentError for an unknown mode."""
    if debug_mode not in (0, 1, 2, "default", "warn", "error"):
        raise ArgumentError(f"set_deterministic_debug_mode: {debug_mode!r} is none of 0, 1, 2, 'default', 'warn', 'error'")


def get_deterministic_debug_mode():
    """2, which is "error": results are the same from run to run."""
    return 2


def _count(name, n):
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise ArgumentTypeError(f"{name} expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise ArgumentError(f"{name} expects a positive integer, got {n}")


def set_num_threads(num):
    """Accepted for PyTorch's sake: the driver manages its own threads.  Raises ArgumentError unless num is positive."""
    _count("set_num_threads", num)


def set_num_interop_threads(num):
    """Accepted for PyTorch's sake: a device has one in-order queue.  Raises ArgumentError unless num is positive."""
    _count("set_num_interop_threads", num)


def get_num_interop_threads():
    """1: a device has one in-order queue."""
    return 1


def set_flush_denormal(mode):
    """False, which means that nothing changed: the device decides how it treats denormal numbers."""
    return False


_warn_always = False


def set_warn_always(b):
    """Remember the flag; Python's own filters decide how often a warning is shown.  Raises ArgumentTypeError unless a bool."""
    global _warn_always
    if not isinstance(b, bool):
        raise ArgumentTypeError(f"set_warn_always expects a bool, but got {type(b).__name__}")
    _warn_always = b


def is_warn_always_enabled():
    """What set_warn_always was told."""
    return _warn_always
