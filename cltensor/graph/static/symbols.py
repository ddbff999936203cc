"""Symbols: what stands for tensors, and for sizes that are not known yet, while a static graph is defined."""

from __future__ import annotations

import operator
from typing import Any

from ...base.errors import GraphError
from ...tensor.core.tensor import Tensor
from .calls import leaves


class Symbol(Tensor):
    """A tensor of a static graph: it has a shape and a dtype, and values only while its graph runs.

    Functions, methods and operators take it like a tensor of any shape and dtype and give symbols.  A size that is not known before
    run is an Unknown in its shape.
    Raises GraphError where its values are asked for, or where it is written to.  Source: Abadi et al. 2016.

        >>> g = ct.graph.Graph()
        >>> x = g.placeholder((2, 3))
        >>> x.t() @ x
        Symbol(float32[3, 3])
    """

    graph: Any
    node: Any
    place: int
    stand_ins: tuple = ()

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        graph = next(x.graph for x in leaves((args, kwargs)) if isinstance(x, (Symbol, Unknown)))
        return graph.record(func, args, kwargs or {})

    @classmethod
    def of(cls, graph, node, place, stand_ins):
        """The symbol of a node's result.  stand_ins: meta tensors, one for each trial of unknown sizes."""
        first = stand_ins[0]
        made = cls._make(first._storage, first._spec, first._offset)
        made.graph, made.node, made.place, made.stand_ins = graph, node, place, stand_ins
        return made

    def sizes(self):
        """The shape as a tuple, with None for sizes that are not known."""
        shapes = [t._spec.shape for t in self.stand_ins]
        return tuple(a if a == b else None for a, b in zip(*shapes, strict=True))

    def __repr__(self, **_):
        return f"{type(self).__name__}({self._spec.dtype.name}[{', '.join('?' if n is None else str(n) for n in self.sizes())}])"

    def __reduce_ex__(self, protocol):
        raise GraphError("a symbol is part of its graph and cannot be copied or pickled alone; save the graph with Graph.save")

    def __deepcopy__(self, memo):
        return self.__reduce_ex__(4)

    def __copy__(self):
        return self.__reduce_ex__(4)

    def __iter__(self):
        return iter(self.unbind(0))

    def __iadd__(self, other):
        return self + other

    def __isub__(self, other):
        return self - other

    def __imul__(self, other):
        return self * other

    def __itruediv__(self, other):
        return self / other


class Variable(Symbol):
    """A tensor that a static graph keeps from run to run; other functions read it like any Symbol of its shape and dtype.

    Raises GraphError where it is written to by anything but assign.  Source: Abadi et al. 2016.

        >>> g = ct.graph.Graph()
        >>> count = g.variable(0.0)
        >>> g.run(count.assign(count + 1))
        tensor(1.)
        >>> count.value
        tensor(1.)
    """

    @property
    def value(self) -> Tensor:
        """The tensor that holds it, of its shape and dtype; it may be written to between runs."""
        return self.node.tensor

    def assign(self, value: Any) -> Symbol:
        """A symbol of what the variable will hold: a run that fetches it, or needs it, writes `value` to the variable.

        It does so after everything else: whatever reads the variable sees what it held before.  The shape and the dtype of value
        must be the variable's.
        Raises GraphError where they are not.  Source: Abadi et al. 2016.

            >>> g = ct.graph.Graph()
            >>> w = g.variable([1.0, 2.0])
            >>> g.run([w * 10, w.assign(w + 1)])
            [tensor([10., 20.]), tensor([2., 3.])]
        """
        return self.graph.assign(self, value)


def _arithmetic(name, swapped=False):
    """A method of Unknown that records a function of module operator."""
    function = getattr(operator, name)

    def method(self, *others):
        return self.graph.record(function, (*others, self) if swapped else (self, *others), {})

    return method


class Unknown:
    """A size that is not known before a static graph runs; arithmetic with + - * // % gives others, and shapes take them.

    It is an int of no dtype.  Raises GraphError where its value is asked for.  Source: Abadi et al. 2016.

        >>> g = ct.graph.Graph()
        >>> x = g.placeholder((None, 4))
        >>> x.reshape(x.shape[0] * 2, -1)
        Symbol(float32[?, 2])
    """

    stand_ins = ()

    def __init__(self, graph, node, place, stand_ins):
        self.graph, self.node, self.place, self.stand_ins = graph, node, place, stand_ins

    __add__, __sub__, __mul__ = _arithmetic("add"), _arithmetic("sub"), _arithmetic("mul")
    __floordiv__, __mod__, __neg__ = _arithmetic("floordiv"), _arithmetic("mod"), _arithmetic("neg")
    __radd__, __rsub__, __rmul__ = _arithmetic("add", True), _arithmetic("sub", True), _arithmetic("mul", True)
    __rfloordiv__, __rmod__ = _arithmetic("floordiv", True), _arithmetic("mod", True)

    def _refuse(self, *_):
        raise GraphError("a size that is not known before run has no value while the graph is defined; give the placeholder its "
                         "size, or pass the size on as it is, as in x.reshape(x.shape[0], -1)")

    __bool__ = __int__ = __float__ = __index__ = __lt__ = __le__ = __gt__ = __ge__ = __truediv__ = __rtruediv__ = _refuse

    def __eq__(self, other):
        return True if other is None or other is self else self._refuse()

    __hash__ = object.__hash__

    def __repr__(self):
        return "?"

