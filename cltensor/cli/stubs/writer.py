"""Write stubs: the text of a .pyi file from the contents of a public module."""

import enum
import inspect
import keyword
from types import FunctionType, MethodType, ModuleType

from ...base.dtypes import dtype
from ...dispatch.registry import REGISTRY
from ...ops.kinds.op import Op
from ...tensor import Tensor
from .annotations import parameter, returned, visible

HEAD = '''"""Made by `cltensor stubs`; do not edit."""
# mypy: disable-error-code="override, misc, assignment"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from typing import IO, Any, NamedTuple

import numpy as np
'''
#: special methods of a class that type checkers need; `object` has the others
_SPECIAL = frozenset("""__new__ __init__ __call__ __len__ __iter__ __getitem__ __setitem__ __contains__ __enter__ __exit__
    __add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__ __imul__ __truediv__ __rtruediv__ __itruediv__
    __floordiv__ __rfloordiv__ __ifloordiv__ __mod__ __rmod__ __imod__ __pow__ __rpow__ __ipow__
    __matmul__ __rmatmul__ __neg__ __pos__ __abs__ __invert__ __and__ __rand__
    __iand__ __or__ __ror__ __ior__ __xor__ __rxor__ __ixor__ __lshift__ __rlshift__ __ilshift__ __rshift__ __rrshift__ __irshift__
    __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __float__ __int__ __bool__ __index__""".split())
#: what operators accept besides tensors
_OPERAND = "Tensor | Number | np.ndarray[Any, Any]"
_ABSORBING = frozenset("__getitem__ __setitem__ __contains__ __enter__ __exit__ __iter__ __len__ __call__ __init__".split())


def function(fn, name, *, indent="", result="Tensor", method=False):
    """One `def` line of a function, an op or a method."""
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError):
        return f"{indent}def {name}(*args: Any, **kwargs: Any) -> Any: ..."
    operands = _operands(fn)
    parameters = list(signature.parameters.values())
    shown = [_first(parameters[0])] if method and parameters else []
    starred = False
    for p in parameters[len(shown):]:
        if p.kind is p.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        starred = starred or p.kind is p.VAR_POSITIONAL
        shown.append(_shown(p, name, operands))
    return f"{indent}def {name}({', '.join(shown)}) -> {returned(signature, result)}: ..."


def _first(p):
    return "self" if p.kind is not p.VAR_POSITIONAL else "self, *args: Any"


def _shown(p, name, operands):
    stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    text = _OPERAND if name.startswith("__") and name not in _ABSORBING and p.name == "other" else parameter(p, operands)
    if name in ("__eq__", "__ne__", "__getitem__", "__setitem__", "__contains__"):
        text = "Any"
    return f"{stars}{p.name}: {text}" + (" = ..." if p.default is not p.empty else "")


def _operands(fn):
    """Names of an op's inputs that may be numbers."""
    op = fn if isinstance(fn, Op) else REGISTRY.get(getattr(fn, "__name__", ""))
    if op is None or op.kind != "elementwise":
        return ()
    return tuple(n for i, n in enumerate(op.inputs) if i not in op.tensor_only)


def results_of(op):
    """The annotation of an op's result."""
    n = len(op.exprs) if op.kind == "elementwise" else 1
    return "Tensor" if n == 1 else f"tuple[{', '.join(['Tensor'] * n)}]"


def named_tuple(made, name):
    """The text of a named tuple of tensors."""
    return "\n".join([f"class {name}(NamedTuple):", *(f"    {f}: {_field(f)}" for f in made._fields)])


def cls(made, name, known, own_result="Any"):
    """The text of a class: its bases, methods and properties; members of bases that are not public count as its own.

    known: {name: class} of possible bases.
    """
    bases, members = [], dict(vars(made))
    _inherit(made, set(known.values()), bases, members)
    names = [b.__name__ for b in dict.fromkeys(bases)]
    lines = [f"class {name}({', '.join(names)}):" if names else f"class {name}:"]
    for attribute, value in sorted(members.items()):
        lines += _member(made, attribute, value, own_result)
    if "__getattr__" in members and made is not Tensor:
        lines.append("    def __getattr__(self, name: builtins.str) -> Any: ...")
    return "\n".join(lines if len(lines) > 1 else [*lines, "    ..."])


def _inherit(made, public, bases, members):
    for base in made.__bases__:
        if base in public or (base.__module__ == "builtins" and base is not object):
            bases.append(base)
        elif base is not object and base.__module__.startswith(Tensor.__module__.partition(".")[0]):
            for name, value in vars(base).items():
                members.setdefault(name, value)
            _inherit(base, public, bases, members)


def _field(name):
    return "Any" if name == "bin_edges" else "Tensor"  # histogramdd has a tuple of them


def _member(made, name, value, result):
    if (name.startswith("_") and name not in _SPECIAL) or not name.isidentifier() or keyword.iskeyword(name):
        return []
    if isinstance(value, property):
        return _property(name, value)
    if name == "__new__":
        line = function(value.__func__, name, indent="    ", result=made.__name__, method=True)
        return [line.replace("(self", "(cls", 1)]
    if isinstance(value, (staticmethod, classmethod)):
        kind, inner = ("staticmethod", value.__func__) if isinstance(value, staticmethod) else ("classmethod", value.__func__)
        line = function(inner, name, indent="    ", result=result, method=kind == "classmethod")
        return [f"    @{kind}", line.replace("(self", "(cls", 1) if kind == "classmethod" else line]
    if isinstance(value, FunctionType):
        return [function(value, name, indent="    ", result=_result_of_method(made, name, result), method=True)]
    if isinstance(value, enum.Enum):
        return [f"    {name} = ..."]
    return [f"    {name}: {_type_of(value)}"] if not callable(value) or isinstance(value, type) else []


def _result_of_method(made, name, result):
    if name in ("__init__", "__setitem__", "__exit__"):
        return "None"
    fixed = {"__len__": "int", "__contains__": "bool", "__bool__": "bool", "__int__": "int", "__index__": "int",
             "__float__": "float"}
    if name in fixed:
        return fixed[name]
    if name == "__enter__":
        return made.__name__
    return "Iterator[Tensor]" if name == "__iter__" and made is Tensor else result


def _property(name, value):
    text = returned(inspect.signature(value.fget), "Any") if value.fget else "Any"
    lines = ["    @property", f"    def {name}(self) -> {text}: ..."]
    if value.fset:
        lines += [f"    @{name}.setter", f"    def {name}(self, value: Any) -> None: ..."]
    return lines


def _type_of(value):
    kind = type(value)
    if kind in (bool, int, float, str):
        return visible(kind.__name__)
    return "_dtype" if kind is dtype else "Any"


def declarations(found, names, results=None):
    """The lines that declare these names of a module, in their order."""
    classes = {n: v for n, v in vars(found).items() if isinstance(v, type) and not n.startswith("_")} | {"Tensor": Tensor}
    lines = []
    for name in names:
        value = getattr(found, name)
        if isinstance(value, type):
            lines.append(cls(value, name, {n: c for n, c in classes.items() if c is not value}))
        elif isinstance(value, Op):
            lines.append(function(value, name, result=results_of(value)))
        elif isinstance(value, (FunctionType, MethodType)):
            lines.append(function(value, name, result=results or "Any"))
        elif not isinstance(value, ModuleType):
            lines.append(f"{name}: {_type_of(value)}")
    return lines


def stub(imports, declared):
    """The text of a stub: head, imports in order, declarations."""
    return "\n".join([HEAD, *sorted(imports), "", *declared, ""])
