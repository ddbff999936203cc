"""Members: a Module's parameters, buffers and submodules, by attribute, by name and in order."""

import itertools

from ...base import absent
from ...base.errors import ArgumentError, ArgumentTypeError
from ...tensor import Tensor
from ..parameter import Buffer, Parameter
from .global_hooks import registered

#: moves to devices that are no OpenCL ones
_ELSEWHERE = dict.fromkeys(("cuda", "ipu", "mtia", "xpu"), "every device here is an OpenCL one; use .to('gpu')")
_KINDS = ("_parameters", "_buffers", "_modules")


def _type_name(value):
    return f"{type(value).__module__.split('.')[0]}.{type(value).__name__}" if isinstance(value, Tensor) else (
        type(value).__name__)


class Members:
    """Registration and traversal; the first base of Module."""

    def __init__(self):
        vars(self).update(training=True, _parameters={}, _buffers={}, _modules={}, _non_persistent_buffers_set=set())

    # --- attributes --------------------------------------------------------------------------------------------------

    def __setattr__(self, name, value):
        members = self.__dict__
        if isinstance(value, Parameter):
            self._claim(name, "_parameters")
            self.register_parameter(name, value)
        elif isinstance(value, Members):
            self._claim(name, "_modules")
            members["_modules"][name] = registered(self, "_modules", name, value)
        elif isinstance(value, Buffer):
            self._claim(name, "_buffers")
            self.register_buffer(name, value, value.persistent)
        elif "_modules" in members and not (name in members or hasattr(type(self), name)):
            self._assign_plain(name, value)
        else:
            object.__setattr__(self, name, value)

    def _claim(self, name, kind):
        """Make `name` free for a member of the kind `kind`."""
        members = self.__dict__
        if kind not in members:
            what = {"_parameters": "parameters", "_modules": "module", "_buffers": "buffer"}[kind]
            raise AttributeError(f"cannot assign {what} before Module.__init__() call; call super().__init__() first")
        members.pop(name, None)
        for other in _KINDS:
            if other != kind:
                members[other].pop(name, None)
        members["_non_persistent_buffers_set"].discard(name)

    def _assign_plain(self, name, value):
        """Assign a value that is not a member: a member's name accepts only None; a buffer's name accepts tensors too."""
        members = self.__dict__
        if name in members["_parameters"]:
            if value is not None:
                raise ArgumentTypeError(f"cannot assign '{_type_name(value)}' as parameter '{name}' "
                                        "(cltensor.nn.Parameter or None expected)")
            members["_parameters"][name] = None
        elif name in members["_modules"]:
            if value is not None:
                raise ArgumentTypeError(f"cannot assign '{_type_name(value)}' as child module '{name}' "
                                        "(cltensor.nn.Module or None expected)")
            members["_modules"][name] = None
        elif name in members["_buffers"]:
            if value is not None and not isinstance(value, Tensor):
                raise ArgumentTypeError(f"cannot assign '{_type_name(value)}' as buffer '{name}' (cltensor.nn.Buffer, "
                                        "cltensor.Tensor or None expected)")
            members["_buffers"][name] = value
        else:
            object.__setattr__(self, name, value)

    def __getattr__(self, name):
        members = self.__dict__
        for kind in _KINDS:
            found = members.get(kind)
            if found is not None and name in found:
                return found[name]
        absent.refuse(type(self).__name__, name, _ELSEWHERE)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name):
        for kind in _KINDS:
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self):
        names = {*object.__dir__(self), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if name.isidentifier())

    # --- registration ------------------------------------------------------------------------------------------------

    def _check_name(self, what, name, kind):
        if kind not in self.__dict__:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call; call super().__init__() first")
        if not isinstance(name, str):
            raise ArgumentTypeError(f"{what} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[kind]:
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name, param):
        """Add a Parameter, or None for a parameter that is absent, under a name without dots."""
        self._check_name("parameter", name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise ArgumentTypeError(f"cannot assign '{_type_name(param)}' object to parameter '{name}' "
                                    "(cltensor.nn.Parameter or None required)")
        self._parameters[name] = param if param is None else registered(self, "_parameters", name, param)

    def register_buffer(self, name, tensor, persistent=True):
        """Add a tensor (or None) that is part of the state but not trained; persistent ones go into state_dict."""
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise ArgumentTypeError(f"cannot assign '{_type_name(tensor)}' object to buffer '{name}' (cltensor Tensor "
                                    "or None required)")
        self._buffers[name] = tensor if tensor is None else registered(self, "_buffers", name, tensor)
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name, module):
        """Add a submodule (or None) under a name without dots."""
        if module is not None and not isinstance(module, Members):
            raise ArgumentTypeError(f"{_type_name(module)} is not a Module subclass")
        self._check_name("module", name, "_modules")
        self._modules[name] = module if module is None else registered(self, "_modules", name, module)

    register_module = add_module

    # --- traversal ---------------------------------------------------------------------------------------------------

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """Yield (dotted name, module) of this module and all below it; by default each module once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate=True):
        """Yield this module and all below it; by default each once."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self):
        """Yield (name, module) of the direct submodules, each module once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self):
        """Yield the direct submodules, each once."""
        return (module for _, module in self.named_children())

    def _named_members(self, kind, prefix, recurse, remove_duplicate):
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for place, module in modules:
            for name, member in module.__dict__[kind].items():
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield (f"{place}.{name}" if place else name), member

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """Yield (dotted name, Parameter), each parameter once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse=True):
        """Yield the parameters, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """Yield (dotted name, buffer), each buffer once."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True):
        """Yield the buffers, each once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    # --- lookup by dotted name --------------------------------------------------------------------------------------

    def get_submodule(self, target):
        """The submodule of a dotted name; "" is this module.  Raises AttributeError if there is none."""
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Members):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target, module, strict=False):
        """Replace the submodule of a dotted name, or add one to the module that the name lies in.

        strict: only replace.  Raises AttributeError if the module that it lies in does not exist, if the name is another kind of
        attribute, and with strict if it does not exist; ArgumentError for an empty name and for a value that is no Module.
        """
        if not target:
            raise ArgumentError("Cannot set the submodule without a target name!")
        if not isinstance(module, Members):
            raise ArgumentError(f"set_submodule: `module` is not an nn.Module, found {type(module)}")
        place, _, name = target.rpartition(".")
        parent = self.get_submodule(place)
        if strict or hasattr(parent, name):
            parent.get_submodule(name)
        setattr(parent, name, module)

    def get_parameter(self, target):
        """The Parameter of a dotted name.  Raises AttributeError if there is none."""
        return self._get_member(target, "_parameters", "an nn.Parameter")

    def get_buffer(self, target):
        """The buffer of a dotted name.  Raises AttributeError if there is none."""
        return self._get_member(target, "_buffers", "a buffer")

    def _get_member(self, target, kind, what):
        place, _, name = target.rpartition(".")
        module = self.get_submodule(place)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if module.__dict__[kind].get(name) is None:
            raise AttributeError(f"`{name}` is not {what}")
        return module.__dict__[kind][name]

    def _get_name(self):
        return type(self).__name__

    def _own_tensors(self):
        """The parameters and buffers of this module only."""
        return [t for t in itertools.chain(self._parameters.values(), self._buffers.values()) if t is not None]
