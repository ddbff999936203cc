"""Settings from the environment, each read in one place.

Values are read at use, not at import, so a program may set them before it makes its first tensor.
"""

import os
import sys
from pathlib import Path

from .errors import ArgumentError

SETTINGS = {
    "CLTENSOR_DEVICE": "device to use by default: opencl:N, gpu, cpu, or a part of the device's or platform's name",
    "CLTENSOR_PROFILE": "launch style to force: cpu or gpu",
    "CLTENSOR_TRIAL": "0 takes CPU drivers untried: nothing checks that their kernels build and compute right",
    "CLTENSOR_POCL_CPU": "the processor's name given to PoCL's wheel, as Clang spells it; 0 leaves the one it found",
    "CLTENSOR_CACHE_DIR": "folder of the kernel cache",
    "CLTENSOR_HOME": "folder of downloaded weights and repositories, in hub",
    "CLTENSOR_CACHE_LIMIT": "size limit of the kernel cache in MiB (default 512); 0 turns the disk cache off",
    "CLTENSOR_TUNE": "0 ignores the tuning databases: kernels run with their defaults",
    "CLTENSOR_AHEAD": "0 builds no kernel before it is needed: none of a backward pass while the forward pass is compiled",
    "CLTENSOR_SINGLE_LAUNCH": "0 replays compiled functions launch by launch: nothing combines them into one on a processor",
    "CLTENSOR_BACKGROUND": "0 compiles the kernels of a captured function at once, instead of running it eagerly meanwhile",
    "CLTENSOR_INLINE": "0 hands every launch to the driver's threads, however small it is",
    "CLTENSOR_MEMORY_POOL": "0 gives every tensor a buffer of its own, so that bounds checkers see overruns",
    "CLTENSOR_SYNC": "1 waits after every op that may find a bad index or value on the device, so that the call itself raises",
    "CLTENSOR_DEBUG": "1 prints every kernel that is built, with its origin, and tracebacks of the command cltensor",
}


def setting(name):
    """The stripped value of a documented environment setting, or None when unset or empty."""
    if name not in SETTINGS:
        raise KeyError(f"{name} is not a documented setting; add it to config.SETTINGS")
    return os.environ.get(name, "").strip() or None


def launch_style():
    """The launch style forced by CLTENSOR_PROFILE ("cpu" or "gpu"), or None.  Raises ArgumentError on another value."""
    style = setting("CLTENSOR_PROFILE")
    if style not in (None, "cpu", "gpu"):
        raise ArgumentError(f"CLTENSOR_PROFILE is {style!r}; it must be 'cpu' or 'gpu', or unset")
    return style


def cache_dir():
    """The folder kernels are cached in (pathlib.Path); it may not exist yet."""
    chosen = setting("CLTENSOR_CACHE_DIR")
    if chosen:
        try:
            return Path(chosen).expanduser()
        except RuntimeError:
            raise ArgumentError(f"CLTENSOR_CACHE_DIR is {chosen!r}, and there is no such user; name a folder") from None
    return user_cache()


def user_cache():
    """cltensor's folder among the user's caches (pathlib.Path); it may not exist yet."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "cltensor"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "cltensor"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cltensor"


def cache_limit():
    """The kernel cache's size limit in bytes.  Raises ArgumentError when the setting is not a number >= 0."""
    value = setting("CLTENSOR_CACHE_LIMIT") or "512"
    try:
        limit = float(value)
    except ValueError:
        limit = -1.0
    if not 0 <= limit < float("inf"):
        raise ArgumentError(f"CLTENSOR_CACHE_LIMIT is {value!r}; it must be a number of MiB >= 0")
    return int(limit * 2**20)


def tuning():
    """Whether to use the results of `cltensor tune` and those shipped with the package."""
    return setting("CLTENSOR_TUNE") != "0"


def trial():
    """Whether CPU drivers are tried out before they are used."""
    return setting("CLTENSOR_TRIAL") != "0"


def ahead():
    """Whether kernels of a backward pass are built in the background."""
    return setting("CLTENSOR_AHEAD") != "0"


def single_launch():
    """Whether the launches of a compiled function become one where a processor runs them."""
    return setting("CLTENSOR_SINGLE_LAUNCH") != "0"


def background():
    """Whether kernels of a captured function are compiled by another process, while it runs eagerly."""
    return setting("CLTENSOR_BACKGROUND") != "0"


def inline():
    """Whether small launches run in the calling thread, where the driver offers that."""
    return setting("CLTENSOR_INLINE") != "0"


def memory_pool():
    """Whether freed device buffers are kept for reuse."""
    return setting("CLTENSOR_MEMORY_POOL") != "0"


def sync():
    """Whether each call waits for the device and raises the faults that its kernels found."""
    return setting("CLTENSOR_SYNC") not in (None, "0")


def debug():
    """Whether kernel builds are reported on stderr."""
    return setting("CLTENSOR_DEBUG") not in (None, "0")
