"""StateDict: a Module's parameters and buffers to and from a flat, ordered dict of names and tensors."""

from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from typing import TypeVar

from ...autograd.modes import no_grad
from ...base.errors import ArgumentTypeError, CLTensorError
from ...tensor import Tensor
from ..parameter import Parameter, is_lazy

_EXTRA = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """The keys that load_state_dict missed, and those it did not expect."""

    __slots__ = ()

    def __repr__(self):
        return super().__repr__() if any(self) else "<All keys matched successfully>"

    __str__ = __repr__


class StateDict:
    """state_dict and load_state_dict; a base of Module."""

    #: the type of the dictionary that state_dict fills, for annotations
    T_destination = TypeVar("T_destination", bound=dict)
    #: version of the state's layout, stored with it so that later versions can read older ones
    _version = 1

    def state_dict(self, *, destination=None, prefix="", keep_vars=False):
        """An OrderedDict of all parameters and persistent buffers by dotted name, sharing their memory.

        keep_vars: the Parameters themselves instead of detached tensors.
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            hook(self, destination, prefix, metadata)
        return destination

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        """Add this module's own tensors, without those of its children."""
        for name, tensor in self._own_state().items():
            destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
        if type(self).get_extra_state is not StateDict.get_extra_state:
            destination[prefix + _EXTRA] = self.get_extra_state()

    def _own_state(self):
        """{name: tensor} of this module's parameters and persistent buffers."""
        state = {name: p for name, p in self._parameters.items() if p is not None}
        state.update((name, b) for name, b in self._buffers.items()
                     if b is not None and name not in self._non_persistent_buffers_set)
        return state

    def get_extra_state(self):
        """Override, together with set_extra_state, to store more than tensors in the state_dict."""
        raise CLTensorError(f"{type(self).__name__} keeps no extra state; define get_extra_state and set_extra_state")

    def set_extra_state(self, state):
        """Override to restore what get_extra_state returned."""
        raise CLTensorError(f"{type(self).__name__} keeps no extra state; define get_extra_state and set_extra_state")

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copy tensors into the parameters and buffers of the same names.

        assign: take over the given tensors instead of copying, with their dtype and device.
        Returns missing_keys and unexpected_keys.  Raises CLTensorError listing sizes that differ and, when strict,
        every missing and unexpected key.
        """
        if not isinstance(state_dict, Mapping):
            raise ArgumentTypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        loading = _Loading(assign, getattr(state_dict, "_metadata", {}))
        loading.into(self, dict(state_dict), "")
        messages = list(loading.errors)
        if strict:
            for what, keys in (("Missing", loading.missing), ("Unexpected", loading.unexpected)):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    messages.insert(0, f"{what} key(s) in state_dict: {listed}. ")
        if messages:
            messages.insert(0, f"Error(s) in loading state_dict for {type(self).__name__}:")
            raise CLTensorError("\n\t".join(messages))
        return _IncompatibleKeys(loading.missing, loading.unexpected)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                              error_msgs):
        """Load this module's own tensors, without those of its children; a module that changes its layout overrides this."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = self._own_state()
        for name, tensor in own.items():
            key = prefix + name
            if key in state_dict:
                error = self._load_tensor(name, tensor, key, state_dict[key], local_metadata.get("assign", False))
                if error:
                    error_msgs.append(error)
            elif strict:
                missing_keys.append(key)
        if type(self).set_extra_state is not StateDict.set_extra_state:
            if prefix + _EXTRA in state_dict:
                self.set_extra_state(state_dict[prefix + _EXTRA])
            elif strict:
                missing_keys.append(prefix + _EXTRA)
        elif strict and prefix + _EXTRA in state_dict:
            unexpected_keys.append(prefix + _EXTRA)
        if strict:
            unexpected_keys.extend(self._unknown_keys(state_dict, prefix, own))

    def _unknown_keys(self, state_dict, prefix, own):
        for key in state_dict:
            if key.startswith(prefix) and key != prefix + _EXTRA:
                head, dot, _ = key[len(prefix):].partition(".")
                if head not in self._modules if dot else head not in own:
                    yield key

    def _load_tensor(self, name, tensor, key, value, assign):
        """Copy or assign one tensor; return an error message if it does not fit, else None."""
        if not isinstance(value, Tensor):
            return (f'While copying the parameter named "{key}", expected cltensor.Tensor from checkpoint but received '
                    f"{type(value)}")
        if is_lazy(tensor) and not is_lazy(value):
            with no_grad():
                tensor.materialize(value.shape)
        elif is_lazy(tensor):
            return None
        if value.shape != tensor.shape:
            return (f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in "
                    f"current model is {tensor.shape}.")
        with no_grad():
            if not assign:
                tensor.copy_(value)
            elif isinstance(tensor, Parameter):
                fits = isinstance(value, Parameter) and value.requires_grad == tensor.requires_grad
                setattr(self, name, value if fits else Parameter(value, tensor.requires_grad))
            else:
                self._buffers[name] = value
        return None


class _Loading:
    """One load_state_dict call: walks the modules and collects the errors."""

    def __init__(self, assign, metadata):
        self.assign, self.metadata = assign, metadata
        self.missing, self.unexpected, self.errors = [], [], []

    def into(self, module, state, prefix):
        """Load module and all below it from the entries of state whose keys start with prefix."""
        local = {**self.metadata.get(prefix[:-1], {}), "assign": self.assign}
        module._load_from_state_dict(state, prefix, local, True, self.missing, self.unexpected, self.errors)
        for name, child in module._modules.items():
            if child is not None:
                place = f"{prefix}{name}."
                self.into(child, {k: v for k, v in state.items() if k.startswith(place)}, place)
        incompatible = _IncompatibleKeys(self.missing, self.unexpected)
        for hook in module._load_state_dict_post_hooks.values():
            hook(module, incompatible)
