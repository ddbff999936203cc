"""Launch: a kernel object with the sizes it is launched with, and whether it is worth handing over to other threads."""

LIGHT = 40e-6  # seconds in the calling thread; waking another one for a launch and its end takes up to 50 us
SMALL = 4 << 20  # bytes a launch may touch; one that touches more is handed over without a trial
_TRIALS = 3
_HOPELESS = 25  # times LIGHT, in the first trial, which may include loading the kernel's code


class Launch:
    """A kernel with its global and local size.

    inline: True where the calling thread runs the launch at least as fast as others would get to it, False where not, a Trial
    until that is known.  It matters on devices with an inline queue only, see channel.py.
    """

    __slots__ = ("global_size", "inline", "kernel", "local_size")

    def __init__(self, kernel, global_size, local_size):
        self.kernel, self.global_size, self.local_size, self.inline = kernel, global_size, local_size, False

    def estimate(self, nbytes):
        """Note about how many bytes the launch touches."""
        self.inline = Trial() if nbytes <= SMALL else False


class Trial:
    """The first few runs of a launch in the calling thread."""

    __slots__ = ("left",)

    def __init__(self):
        self.left = _TRIALS

    def after(self, seconds):
        """What `inline` is after one more run that took so long: True, False or this Trial."""
        self.left -= 1
        if seconds <= LIGHT:
            return True
        return False if not self.left or seconds > _HOPELESS * LIGHT else self
