"""Dynamic axes: which dimensions of a model's inputs may have other sizes, and the sizes that it is traced for."""

from dataclasses import dataclass

from ...base.errors import ArgumentError, ArgumentTypeError
from ...tensor.api.creation import tensor
from ...tensor.core.tensor import Tensor

TRACES = 3  # sizes that a model with dynamic axes is made of; one more is tried with it


@dataclass
class Axes:
    """places: {name: [(input, dimension)]}, the dimensions of one size; bounds: {name: (least, most)}; given: {name: size}."""

    places: dict
    bounds: dict
    given: dict

    def plans(self):
        """Ways to choose sizes, each a list of {name: size}: for TRACES traces, the first as given if it may, and one to try."""
        for way in (_near, _multiples, _below, _near_small):
            chosen = [{name: way(n, k, at) for k, (name, n) in enumerate(self.given.items())} for at in range(TRACES + 1)]
            if all(self._allowed(name, sizes[name]) for sizes in chosen for name in sizes) and all(
                    len({sizes[name] for sizes in chosen}) > TRACES for name in self.given):
                yield chosen

    def _allowed(self, name, size):
        least, most = self.bounds[name]
        return size >= 2 and size >= least and (most is None or size <= most)

    def resized(self, tensors, sizes):
        """Tensors with other sizes along the dynamic axes: what they hold is repeated, or cut."""
        found = list(tensors)
        for name, places in self.places.items():
            for which, dimension in places:
                found[which] = _resized(found[which], dimension, sizes[name])
        return found


def _near(n, k, at):
    return max(n, 3) + (0, 1 + 2 * k, 3 + 5 * k, 6 + k)[at]


def _multiples(n, k, at):
    return max(n, 2) * ((1, 2, 3, 4), (1, 3, 5, 2), (1, 3, 2, 5), (1, 5, 3, 2), (1, 2, 5, 3))[k % 5][at]


def _below(n, k, at):
    return n - (0, 1 + k, 2 + 3 * k, 3 + k)[at]


def _near_small(n, k, at):
    return (2, 3 + k, 5 + 3 * k, 4)[at]


def _resized(x, dimension, size):
    if x.shape[dimension] == size:
        return x
    places = [i % x.shape[dimension] for i in range(size)]
    return x.index_select(dimension, tensor(places, device=x.device))


def dynamic_axes(call, tensors, names, outputs, axes, shapes, args, kwargs):
    """The Axes of inputs called `names`, from torch.onnx.export's dynamic_axes or dynamic_shapes; None without any."""
    if axes and shapes:
        raise ArgumentError(f"{call}: got both dynamic_axes and dynamic_shapes; give one of them")
    if not axes and not shapes:
        return None
    found = Axes({}, {}, {})
    marked = _by_name(call, axes, names, outputs) if axes else _by_structure(call, shapes, args, kwargs)
    for which, dimension, mark in marked:
        shape = tensors[which].shape
        if not isinstance(dimension, int) or not -len(shape) <= dimension < len(shape):
            raise ArgumentError(f"{call}: axis {dimension!r} of input {names[which]!r} is none of a tensor of shape {list(shape)}")
        dimension %= len(shape)
        name, least, most = _symbol(call, mark, names[which], dimension)
        found.places.setdefault(name, []).append((which, dimension))
        size = shape[dimension]
        if found.given.setdefault(name, size) != size:
            raise ArgumentError(f"{call}: axis {dimension} of input {names[which]!r} has size {size}, but another axis of the name "
                                f"{name!r} has {found.given[name]}; axes of one name have one size")
        before = found.bounds.get(name, (0, None))
        found.bounds[name] = max(least or 0, before[0]), before[1] if most is None else most
    return found if found.places else None


def _symbol(call, mark, name, dimension):
    """(name, least size, most) of a dynamic axis: a name, an object with `__name__`, `min` and `max`, or True for its own."""
    if isinstance(mark, str):
        return mark, None, None
    if isinstance(getattr(mark, "__name__", None), str):
        return mark.__name__, getattr(mark, "min", None), getattr(mark, "max", None)
    if mark is True:
        return f"{name}_{dimension}", None, None
    raise ArgumentTypeError(f"{call}: axis {dimension} of input {name!r}: expected a name, a Dim or True, got {mark!r}")


def _by_name(call, axes, names, outputs):
    """(input, dimension, mark) for each axis in dynamic_axes."""
    if not isinstance(axes, dict):
        raise ArgumentTypeError(f"{call}: dynamic_axes must be a dict from names of inputs to their axes, got {axes!r}")
    for name, given in axes.items():
        if name in outputs:
            continue  # the sizes of outputs follow
        if name not in names:
            raise ArgumentError(f"{call}: dynamic_axes names {name!r}, which is neither an input ({', '.join(names)}) nor an "
                                "output")
        marks = given.items() if isinstance(given, dict) else [(d, True) for d in given]
        for dimension, mark in marks:
            yield names.index(name), dimension, mark


def _by_structure(call, shapes, args, kwargs):
    """(input, dimension, mark) for each axis in dynamic_shapes: by parameters, or in the order of the arguments."""
    count = 0

    def walk(value, marks):
        nonlocal count
        if isinstance(value, Tensor):
            pairs = marks.items() if isinstance(marks, dict) else enumerate(marks or ())
            for dimension, mark in pairs:
                if mark is not None and not (isinstance(mark, int) and not isinstance(mark, bool)):
                    yield count, dimension, mark
            count += 1
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from walk(item, marks.get(key) if isinstance(marks, dict) else None)
        elif isinstance(value, (list, tuple)):
            inner = marks if isinstance(marks, (list, tuple)) and len(marks) == len(value) else [None] * len(value)
            for item, mark in zip(value, inner, strict=True):
                yield from walk(item, mark)

    if isinstance(shapes, dict):
        unknown = [name for name in shapes if name not in kwargs and name not in args]
        if unknown:
            raise ArgumentError(f"{call}: dynamic_shapes names {unknown[0]!r}, which is no parameter that was given "
                                f"({', '.join([*args, *kwargs])})")
        yield from walk({**args, **kwargs}, shapes)
    else:
        if len(shapes) != len(args) + len(kwargs):
            raise ArgumentError(f"{call}: dynamic_shapes has {len(shapes)} entries for {len(args) + len(kwargs)} arguments")
        yield from walk([*args.values(), *kwargs.values()], list(shapes))
