"""Launch: a kernel object with its launch sizes, and whether to run it in the calling thread."""

LIGHT = 40e-6  # seconds in the calling thread; waking another thread and being woken at the end takes up to 50 us
SMALL = 4 << 20  # bytes; a launch that touches more goes to other threads without a trial
_TRIALS = 3
_HOPELESS = 25  # x LIGHT: ends the trial early; it is this high because the first run may load the kernel's code


def number_setter(kernel):
    """kernel.set_arg for NumPy numbers only.  For those set_arg takes 6 us, since it tries buffers and samplers first; this 0.3."""
    return getattr(kernel, "_set_arg_buf", kernel.set_arg)


class Launch:
    """A kernel with its global and local size.

    inline: True if the calling thread runs the launch before another thread could start it, False if not, a Trial until
    known.  Only devices with an inline queue use it; see channel.py.
    """

    __slots__ = ("global_size", "inline", "kernel", "local_size")

    def __init__(self, kernel, global_size, local_size):
        self.kernel, self.global_size, self.local_size, self.inline = kernel, global_size, local_size, False

    def estimate(self, nbytes):
        """Decide by the bytes that the launch touches, roughly, whether to hold a Trial."""
        self.inline = Trial() if nbytes <= SMALL else False


class Trial:
    """The first few runs of a launch in the calling thread."""

    __slots__ = ("left",)

    def __init__(self):
        self.left = _TRIALS

    def after(self, seconds):
        """The new value of `inline` after a run of `seconds`: True, False or this Trial."""
        self.left -= 1
        if seconds <= LIGHT:
            return True
        return False if not self.left or seconds > _HOPELESS * LIGHT else self
