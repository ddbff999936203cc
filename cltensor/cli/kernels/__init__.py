"""cltensor kernels: the kernel templates, rendered and built for any dtype, launch style and tuning parameters."""

from .command import add_to

__all__ = ["add_to"]
