"""Parameter and Buffer: tensors that a Module registers when they are assigned to it."""

from ..base import calls
from ..base.errors import ArgumentTypeError
from ..tensor import Tensor
from ..tensor.api.creation import empty


def _rebuilt(data, requires_grad):
    return Parameter(data, requires_grad)


class Parameter(Tensor):
    """A tensor to train: a Module to which it is assigned registers it as a parameter.

    data: a tensor, whose memory is shared; requires_grad needs a floating dtype.
    """

    def __new__(cls, data=None, requires_grad=True):
        data = empty(0) if data is None else data
        if not isinstance(data, Tensor):
            raise ArgumentTypeError(f"Parameter: expected a Tensor, got {calls.kind(data)}")
        return data.detach()._as(cls).requires_grad_(requires_grad)

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return _rebuilt, (self.detach(), self.requires_grad)


class Buffer(Tensor):
    """A tensor that belongs to a Module but is not trained; persistent ones are part of its state_dict."""

    def __new__(cls, data=None, *, persistent=True):
        buffer = (empty(0) if data is None else data).detach()._as(cls)
        buffer.persistent = persistent
        return buffer

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), persistent=self.persistent)
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return _rebuilt_buffer, (self.detach(), self.persistent)


def _rebuilt_buffer(data, persistent):
    return Buffer(data, persistent=persistent)
