"""PyTorch's functions of sizes that may be symbols there: every size here is an int, so they compute with numbers."""

import math


def sym_int(a):
    """A number as an int, rounded towards 0.  No shape or dtype plays a part: ints and floats.

    Raises what int() raises.  Source: PyTorch 2.13's sym_int.

        cltensor.sym_int(2.7)    # 2
    """
    return int(a)


def sym_float(a):
    """A number as a float.  No shape or dtype plays a part: ints and floats.

    Raises what float() raises.  Source: PyTorch 2.13's sym_float.

        cltensor.sym_float(2)    # 2.0
    """
    return float(a)


def sym_max(a, b):
    """The larger of two ints or floats; a float if one is.  No shape or dtype plays a part.

    Raises TypeError for anything but numbers.  Source: PyTorch 2.13's sym_max.

        cltensor.sym_max(1, 2.0)    # 2.0
    """
    return max(*_alike(a, b))


def sym_min(a, b):
    """The smaller of two ints or floats; a float if one is.  No shape or dtype plays a part.

    Raises TypeError for anything but numbers.  Source: PyTorch 2.13's sym_min.

        cltensor.sym_min(1, 2.0)    # 1.0
    """
    return min(*_alike(a, b))


def sym_not(a):
    """Whether a bool is False.  No shape or dtype plays a part.  Never raises.

    Source: PyTorch 2.13's sym_not.

        cltensor.sym_not(True)    # False
    """
    return not a


def sym_ite(b, t, f):
    """t where the bool b is True, else f.  No shape or dtype plays a part.  Never raises.

    Source: PyTorch 2.13's sym_ite.

        cltensor.sym_ite(True, 1, 2)    # 1
    """
    return t if b else f


def sym_sum(args):
    """The sum of a sequence of ints.  No shape or dtype plays a part.

    Raises TypeError for anything but numbers.  Source: PyTorch 2.13's sym_sum.

        cltensor.sym_sum([1, 2])    # 3
    """
    return sum(args)


def sym_sqrt(a):
    """The square root of an int or float.  No shape or dtype plays a part.

    Raises ValueError for a negative number.  Source: PyTorch 2.13's sym_sqrt.

        cltensor.sym_sqrt(4)    # 2.0
    """
    return math.sqrt(a)


def _alike(a, b):
    return (float(a), float(b)) if isinstance(a, float) or isinstance(b, float) else (a, b)
