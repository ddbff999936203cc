"""The public API: functions of the namespace `cltensor` and methods of Tensor, each declared once.

`@function()` adds a function to the namespace.  As its first argument is a tensor, it becomes a method too.  Public ops of
the registry become both by their declaration.
"""

import functools
import inspect

from ...base.calls import named, placed
from ...base.errors import ArgumentTypeError
from ...base.explaining import COUNTS, explaining
from ...dispatch.binding import NUMPY_NAMES
from ...dispatch.registry import REGISTRY
from . import inplace as inplace_forms
from .inert_arguments import accepting_inert_arguments
from .with_out import with_out, without_out

HOME = "cltensor"  # the module that users find functions and Tensor in
FUNCTIONS = {}
METHODS = {}


def function(*names, method=True, inplace=None, out=True, apart=False, exact=False, contiguous=False):
    """Declare a public function under its own name (and further `names`); with `method`, a Tensor method as well.

    In the namespace it also takes out=, which with_out.py handles, unless `out` is False, as where PyTorch's function takes none.
    `inplace`, "writing" or "viewing", adds the method `name_`: see inplace.py.  With `apart`, out must not overlap an input; with
    `exact`, out must have the result's dtype.  With `contiguous`, results are contiguous whatever the input's strides, as in
    PyTorch.
    """

    def declare(fn):
        fn = _counting(_rest_by_name(_contiguous(fn) if contiguous else fn))
        own = fn.__name__.rstrip("_") if fn.__name__.rstrip("_") in _SHADOWED else fn.__name__
        public = _by_numpy_names(with_out(fn, apart, exact) if out else without_out(fn))
        bound = _by_numpy_names(explaining(fn, own))
        for f in {public, bound}:
            named(f, own).__name__ = own
        if method:
            placed(bound, HOME, f"Tensor.{own}")
        placed(public, HOME, own)
        for name in (own, *names):
            FUNCTIONS[name] = public
            if method:
                METHODS[name] = bound
            if inplace:
                METHODS[f"{name}_"] = _inplace(fn, f"{name}_", getattr(inplace_forms, inplace))
        return fn

    return declare


def _inplace(fn, name, form):
    return placed(named(form(explaining(fn, name), name), name), HOME, f"Tensor.{name}")


def method(*names):
    """Declare a Tensor method that is not a function of the namespace."""

    def declare(fn):
        own = names[0] if fn.__name__.startswith("_") and names else fn.__name__
        fn = named(_by_numpy_names(accepting_inert_arguments(explaining(_rest_by_name(fn), own))), own)
        for name in (fn.__name__, *names):
            METHODS[name] = fn
        placed(fn, HOME, f"Tensor.{own}").__name__ = own
        return fn

    return declare


def _contiguous(fn):
    """Make the tensor, or each tensor of the named tuple, that fn returns contiguous."""

    @functools.wraps(fn)
    def function(*args, **kwargs):
        result = fn(*args, **kwargs)
        if isinstance(result, tuple):
            return type(result)(*(x.contiguous() for x in result))
        return result if result._spec.contiguous else result.contiguous()

    return function


def _counting(fn):
    """Let fn raise for floats where it takes ints (calls.COUNTS); return fn itself if it takes none."""
    places = [(i, n) for i, n in enumerate(inspect.signature(fn).parameters) if n in COUNTS]
    if not places:
        return fn

    @functools.wraps(fn)
    def function(*args, **kwargs):
        for i, name in places:
            value = args[i] if i < len(args) else kwargs.get(name)
            if isinstance(value, float):
                raise ArgumentTypeError(f"{fn.__name__.rstrip('_')}(): argument '{name}' must be int, not float ({value})")
        return fn(*args, **kwargs)

    return function


def also(**names):
    """Decorate a function that takes some arguments under further names, which PyTorch has for them: also(theirs="ours")."""

    def decorate(fn):
        @functools.wraps(fn)
        def renamed(*args, **kwargs):
            return fn(*args, **{names.get(name, name): value for name, value in kwargs.items()})

        renamed.further_names = {**getattr(fn, "further_names", {}), **names}
        return renamed

    return decorate


def spelled(**names):
    """Decorate a function whose arguments are called otherwise in PyTorch: also, and its signature shows PyTorch's names."""
    shown = {ours: theirs for theirs, ours in names.items()}

    def decorate(fn):
        signature = getattr(fn, "__signature__", None) or inspect.signature(fn)
        renamed = also(**names)(fn)
        renamed.__signature__ = signature.replace(
            parameters=[p.replace(name=shown.get(p.name, p.name)) for p in signature.parameters.values()])
        return renamed

    return decorate


def _by_numpy_names(fn):
    """Let fn(x, dim, keepdim) also accept NumPy's axis= and keepdims=, and the out=None that NumPy passes."""
    parameters = inspect.signature(fn).parameters
    if "dim" not in parameters:
        return fn

    @functools.wraps(fn)
    def function(*args, **kwargs):
        if kwargs:
            for theirs, ours in NUMPY_NAMES.items():
                if theirs in kwargs and theirs not in parameters and ours not in kwargs:
                    kwargs[ours] = kwargs.pop(theirs)
            if "out" in kwargs and kwargs["out"] is None and "out" not in parameters:
                del kwargs["out"]
        return fn(*args, **kwargs)

    return function


def _rest_by_name(fn):
    """Let fn(x, *dims) also accept fn(x, dims=(0, 1))."""
    parameters = inspect.signature(fn).parameters
    rest = [p.name for p in parameters.values() if p.kind is p.VAR_POSITIONAL]
    if not rest or rest[0] not in ("dims", "size", "sizes", "shape", "repeats"):
        return fn
    name = rest[0]
    first = next(iter(parameters))
    further = {"size": name} if name in ("sizes", "shape") else {}  # PyTorch's name for the same

    @functools.wraps(fn)
    def function(*args, **kwargs):
        if first != name and first in kwargs:
            args = (kwargs.pop(first), *args)
        if name in kwargs:
            args = (*args, kwargs.pop(name))
        elif further and "size" in kwargs:
            args = (*args, kwargs.pop("size"))
        return fn(*args, **kwargs)

    function.further_names = {**getattr(fn, "further_names", {}), **further}
    return function


#: functions named with a trailing underscore because Python owns the plain name
_SHADOWED = {"sum", "max", "min", "any", "all", "abs", "pow", "round", "range", "complex"}


def registered():
    """(name, op) of every public op of the registry, aliases included."""
    for op in REGISTRY.values():
        if op.public:
            for name in (op.name, *op.aliases):
                yield name, op
