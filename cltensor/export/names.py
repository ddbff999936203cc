"""Names of what a function holds: parameters, buffers, optimisers' state and other tensors, by the variables that lead to them."""

import contextlib
import inspect
from types import CodeType, FunctionType, MethodType, SimpleNamespace

from ..dispatch.tensor_base import TensorBase
from ..graph.guards import is_module

_DEPTH = 6
_MOST = 1024  # parts of a list or dict that are looked at


class Names:
    """What was found: `tensors`, {name: (tensor, kind)}, and `objects`, {id: name} of modules, optimisers and generators."""

    def __init__(self, fn, generator):
        self.tensors, self.objects, self._seen, self._optimizers = {}, {id(generator): "random"}, set(), []
        self._visit(fn, "", _DEPTH)
        for name, optimizer in self._optimizers:
            for k, p in enumerate(p for group in optimizer.param_groups for p in group["params"]):
                self._visit(p, f"{name}.params.{k}", _DEPTH)
        known = {id(t): name for name, (t, _) in self.tensors.items()}
        for name, optimizer in self._optimizers:
            self._state(name, optimizer, known)

    def _visit(self, value, name, depth):
        if id(value) in self._seen or depth < 0 or isinstance(value, (int, float, str, bytes, type(None), type)):
            return
        self._seen.add(id(value))
        inner = f"{name}." if name else ""
        if isinstance(value, TensorBase):
            self._add(name or "tensor", value, "parameter" if value.requires_grad and value.is_leaf else "tensor")
        elif is_module(value):
            self._module(value, name, inner, depth)
        elif "param_groups" in getattr(value, "__dict__", ()):
            self.objects[id(value)] = name or "optimizer"
            self._optimizers.append((name or "optimizer", value))
        elif isinstance(value, MethodType):
            self._visit(value.__self__, name, depth)
            self._visit(value.__func__, name, depth)
        elif isinstance(value, FunctionType):
            self._function(value, inner, depth)
        elif isinstance(value, (list, tuple)):
            for k, v in enumerate(value[:_MOST]):
                self._visit(v, f"{inner}{k}", depth - 1)
        elif isinstance(value, dict):
            for k, v in list(value.items())[:_MOST]:
                self._visit(v, f"{inner}{k}", depth - 1)
        elif hasattr(value, "_host_values"):
            self.objects[id(value)] = name
        elif callable(getattr(value, "fn", None)):  # a compiled function
            self._visit(value.fn, name, depth)
        elif _is_namespace(value):
            self._visit(vars(value), name, depth - 1)

    def _function(self, fn, inner, depth):
        fn = inspect.unwrap(fn)
        for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # a variable that has no value yet
                self._visit(cell.cell_contents, f"{inner}{name}", depth - 1)
        for name in _globals(fn.__code__):
            value = fn.__globals__.get(name)
            if not inspect.ismodule(value):
                self._visit(value, f"{inner}{name}", depth - 1)

    def _module(self, module, name, inner, depth):
        self.objects[id(module)] = name
        kept = set(module.state_dict(keep_vars=True))
        for kind, pairs in (("parameter", module.named_parameters(remove_duplicate=True)), ("buffer", module.named_buffers())):
            for path, t in pairs:
                self._seen.add(id(t))
                self._add(f"{inner}{path}", t, kind if path in kept else "tensor")
        for path, m in module.named_modules():
            self._seen.add(id(m))
            for key, value in vars(m).items():
                if not key.startswith("_"):
                    self._visit(value, f"{inner}{path}.{key}" if path else f"{inner}{key}", depth - 1)

    def _state(self, name, optimizer, known):
        numbers = {id(p): k for k, p in enumerate(p for group in optimizer.param_groups for p in group["params"])}
        for p, kept in optimizer.state.items():
            if not isinstance(kept, dict):
                continue
            title = known.get(id(p), str(numbers.get(id(p), "")))
            for key, value in kept.items():
                if isinstance(value, TensorBase):
                    self._add(f"{name}.{key}.{title}", value, "optimizer")

    def _add(self, name, tensor, kind):
        wanted, n = name, 2
        while name in self.tensors:
            if self.tensors[name][0] is tensor:
                return
            name, n = f"{wanted}~{n}", n + 1
        self.tensors[name] = tensor, kind


def _globals(code):
    """The names that a function's code, and the code inside it, may read as global variables."""
    inner = (name for c in code.co_consts if isinstance(c, CodeType) for name in _globals(c))
    return dict.fromkeys((*code.co_names, *inner))


def _is_namespace(value):
    """Whether to look at an object's attributes: one of the user's own classes."""
    root = type(value).__module__.partition(".")[0]
    return isinstance(value, SimpleNamespace) or (hasattr(value, "__dict__") and root not in ("cltensor", "numpy", "builtins"))
