"""Second names of functions declared elsewhere: copying forms of views, and in-place methods as functions."""

import functools
import inspect

from ...base.calls import named, placed
from .public_api import FUNCTIONS, HOME, METHODS, function, spelled
from .tensor import Tensor

#: functions that return a view; `name_copy` returns the same as a copy
VIEWS = ("as_strided", "detach", "diagonal", "expand", "permute", "select", "split", "split_with_sizes", "squeeze", "t",
         "transpose", "unbind", "unfold", "unsqueeze", "view", "view_as_complex", "view_as_real")

#: in-place methods that are functions in PyTorch's namespace too
INPLACE = tuple("""
    abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ as_strided_ asin_ asinh_ atan_ atanh_ ceil_
    clamp_ clamp_max_ clamp_min_ clip_ conj_physical_ cos_ cosh_ deg2rad_ detach_ erf_ erfc_ exp2_ exp_ expm1_ fill_ fix_
    floor_ frac_ gcd_ i0_ index_put_ lcm_ ldexp_ log10_ log1p_ log2_ log_ logit_ nan_to_num_ neg_ negative_ rad2deg_
    reciprocal_ relu_ resize_as_ round_ rsqrt_ sigmoid_ sin_ sinc_ sinh_ sqrt_ square_ tan_ tanh_ trunc_ xlogy_ zero_
""".split())


def _copying(name, view):
    @functools.wraps(view)
    def copy(*args, **kwargs):
        result = view(*args, **kwargs)
        return tuple(x.clone().contiguous() for x in result) if isinstance(result, tuple) else result.clone().contiguous()

    copy.__name__ = copy.__qualname__ = f"{name}_copy"
    copy.__doc__ = f"{name}, as a copy instead of a view: {view.__doc__}"
    first = next(iter(inspect.signature(copy).parameters))
    return function(method=False)(copy if first == "input" else spelled(input=first)(copy))


def declare():
    """Declare the aliases; call it once Tensor has all its methods."""
    for name in VIEWS:
        _copying(name, METHODS.get(name) or FUNCTIONS.get(name) or getattr(Tensor, name))
    for name in INPLACE:
        if hasattr(Tensor, name):
            FUNCTIONS[name] = _of_input(name, getattr(Tensor, name))


def _of_input(name, method):
    """An in-place method as a function, whose first argument is called input."""
    signature = getattr(method, "__signature__", None) or inspect.signature(method)
    made = spelled(input=next(iter(signature.parameters)))(method)
    return placed(named(made, name), HOME, name)


@function(method=False)
def alias_copy(input):
    """A copy."""
    return input.clone()
