"""Where the windows of convolutions and poolings lie: strides, dilations and padding of each dimension."""

from ...nn import functional as F


class Windows:
    """Kernel sizes, strides, dilations and pads of the spatial dimensions, with auto_pad worked out.

    before, after: what is added at either end; more: how much longer the end is for a last window that starts inside (ceil_mode).
    """

    def __init__(self, sizes, kernel, auto_pad="NOTSET", dilations=None, pads=None, strides=None, ceil_mode=0):
        n = len(sizes)
        self.sizes, self.kernel = tuple(sizes), tuple(kernel)
        self.strides, self.dilations = tuple(strides or (1,) * n), tuple(dilations or (1,) * n)
        if not len(self.kernel) == len(self.strides) == len(self.dilations) == n or (pads and len(pads) != 2 * n):
            raise ValueError(f"kernel_shape {self.kernel}, strides, dilations and pads must be of {n} dimensions")
        pads = tuple(pads or (0,) * (2 * n))
        self.before, self.after = list(pads[:n]), list(pads[n:])
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            self._same(auto_pad)
        elif auto_pad == "VALID":
            self.before, self.after = [0] * n, [0] * n
        elif auto_pad != "NOTSET":
            raise ValueError(f"there is no auto_pad {auto_pad!r}")
        self.more = [self._beyond(i) if ceil_mode else 0 for i in range(n)]

    def _same(self, auto_pad):
        for i, size in enumerate(self.sizes):
            out = -(-size // self.strides[i])
            total = max((out - 1) * self.strides[i] + self._reach(i) - size, 0)
            self.before[i] = total // 2 if auto_pad == "SAME_UPPER" else total - total // 2
            self.after[i] = total - self.before[i]

    def _reach(self, i):
        return (self.kernel[i] - 1) * self.dilations[i] + 1

    def _beyond(self, i):
        """How far the last window reaches beyond the padded end."""
        whole = self.sizes[i] + self.before[i] + self.after[i]
        steps = -(-(whole - self._reach(i)) // self.strides[i])
        if steps * self.strides[i] >= self.sizes[i] + self.before[i]:
            steps -= 1  # it would start in the padding
        return max(steps * self.strides[i] + self._reach(i) - whole, 0)

    def flat(self):
        """The padding as F.pad takes it, `more` included."""
        return [n for i in reversed(range(len(self.sizes))) for n in (self.before[i], self.after[i] + self.more[i])]

    def padded(self, x, value):
        """(x, pads): x as it is with pads that are alike at both ends, or x padded with a value and pads of 0."""
        if self.before == self.after and not any(self.more) and min(self.before, default=0) >= 0:
            return x, tuple(self.before)
        return F.pad(x, self.flat(), value=value), (0,) * len(self.sizes)
