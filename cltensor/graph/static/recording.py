"""Recording: a public call becomes part of a static graph, once it was tried on meta tensors."""

import contextlib

import numpy as np

from ...autograd.modes import no_grad
from ...base import calls as public
from ...base.context import context
from ...base.errors import CLTensorError, GraphError, NoDataError
from ...base.overriding import Quiet
from ...dispatch.tensor_base import TensorBase
from ...runtime.device import device as Device
from ...tensor import default_generator
from .calls import OWN, Call, leaves, mapped, symbolic
from .program import located
from .symbols import Symbol, Unknown, Variable

META = Device("meta")
#: what stands for each unknown size while the graph is defined; results that differ between the two depend on it
TRIALS = (5040, 10080)
_OF_SIZES = {function for name, function in OWN.items() if name.startswith("size.")}
_READS = ("item", "tolist", "numpy", "__array__")
#: what has no meaning before a graph runs, and what to do instead
_EAGER = {**dict.fromkeys(("backward", "requires_grad_", "retain_grad"), "ask for gradients with Graph.gradients"),
          **dict.fromkeys(("apply_", "map_", "map2_"), "use functions of cltensor"),
          **dict.fromkeys(("storage", "untyped_storage", "data_ptr", "const_data_ptr"), "symbols have no memory"),
         "register_hook": "fetch the gradient from Graph.gradients", "as_subclass": "symbols have one class"}


def record(graph, function, args, kwargs):
    """What a public call gives, with symbols in place of tensors."""
    given = tuple(args), {k: v for k, v in kwargs.items() if k != "device"}
    found = leaves(given)
    if not any(map(symbolic, found)) and any(isinstance(x, TensorBase) for x in found):
        return function(*args, **kwargs)  # of tensors alone, which are no part of the graph
    at, name = line(), named(function)
    if name in _EAGER:
        raise GraphError(f"{name}: a static graph has no such thing; {_EAGER[name]}, at {at}")
    if name in _READS:
        raise _reading(name, at)
    call = Call(function, *mapped(given, lambda x: argument(graph, x, name, at)), at)
    return recorded(graph, call, lambda trial: function(*stand_ins(call.args, trial), **stand_ins(call.kwargs, trial)))


def recorded(graph, call, run):
    """What a call gives: symbols, unknown sizes, and values that no run changes.  run: trial -> what it gives for meta tensors."""
    known = all(x.stand_ins[0] is x.stand_ins[1] for x in call.parts() if symbolic(x))
    found = [_tried(call, trial, run) for trial in range(1 if known else 2)]
    both = [leaves(x) for x in (found[0], found[-1])]
    if len(both[0]) != len(both[1]):
        raise _depends("the number of its results", call)
    made = [_result(graph, call, i, pair) for i, pair in enumerate(zip(*both, strict=True))]
    if not any(map(symbolic, made)):
        return found[0]
    graph.nodes.append(call)
    left = iter(made)
    return mapped(found[0], lambda _: next(left))


def argument(graph, x, name, at):
    """A leaf of the arguments of a call, checked."""
    if symbolic(x) and x.graph is not graph:
        raise GraphError(f"{name}: {x!r} belongs to another graph; run that one, and feed the result to a placeholder, at {at}")
    if isinstance(x, TensorBase) and not symbolic(x):
        raise GraphError(f"{name}: a tensor of shape {list(x.shape)} from outside the graph; hold it in the graph with "
                         f"graph.variable(tensor) or graph.constant(tensor), at {at}")
    return x.copy() if isinstance(x, np.ndarray) else x


def stand_ins(value, trial):
    """Arguments with what stands for symbols, sizes and devices in a trial."""
    return mapped(value, lambda x: x.stand_ins[trial] if symbolic(x) else META if isinstance(x, Device) else x)


def named(function):
    """The name of a function, as in an error."""
    return public.written(getattr(function, "__name__", str(function)))


def line():
    """The user's line."""
    _, site = public.codes()
    return "?" if site is None else public.line(site)


def _tried(call, trial, run):
    """What a call gives in one trial.  Raises what the function raises, with the line."""
    before = [(x, x.stand_ins[trial]._version) for x in call.parts() if isinstance(x, Symbol)]
    try:
        with outside(), META, _same_random_numbers():
            result = run(trial)
    except NoDataError:
        raise _reading(named(call.function), call.line) from None
    except CLTensorError as error:
        size = str(TRIALS[trial])
        unknown = f"where {size} stands for a size that is not known, " if size in str(error) else ""
        raise located(error, f"{unknown}at {call.line}") from None
    made = {id(t._storage) for t in leaves(result) if isinstance(t, TensorBase)}
    for x, version in before:
        stand_in = x.stand_ins[trial]
        if stand_in._version != version and not (isinstance(x, Variable) and made and id(stand_in._storage) not in made):
            raise GraphError(f"{named(call.function)}: writes to {x!r} in place, and symbols are values; use the form that gives "
                             f"a new one, or Variable.assign, at {call.line}")
    return result


def _result(graph, call, place, pair):
    first, second = pair
    if isinstance(first, TensorBase):
        return Symbol.of(graph, call, place, pair)
    if type(first) is int and (first != second or call.function in _OF_SIZES):
        return Unknown(graph, call, place, pair)
    if first is second or first == second:
        return first
    raise _depends(f"its result {first!r:.80}", call)


def _depends(what, call):
    return GraphError(f"{named(call.function)}: {what} depends on a size that is not known before run; give the placeholder its "
                      f"size, at {call.line}")


def _reading(name, at):
    return GraphError(f"{name}: reads values, which a static graph has only while it runs; fetch the tensor with Graph.run, at "
                      f"{at}")


@contextlib.contextmanager
def outside():
    """Inside, calls compute: no graph is being defined, and nothing is remembered for gradients."""
    before, context.modes = context.modes, ()
    try:
        with Quiet(modes=False), no_grad():
            yield
    finally:
        context.modes = before


@contextlib.contextmanager
def _same_random_numbers():
    """Inside, drawing random numbers does not move on the default generator."""
    before = default_generator.clone_state()
    try:
        yield
    finally:
        default_generator.graphsafe_set_state(before)
