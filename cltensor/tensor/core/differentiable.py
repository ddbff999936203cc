"""A tensor's place in the autograd graph: its gradient, its history, hooks, and the history of views."""

from typing import TYPE_CHECKING

from ...autograd import api
from ...base import calls
from ...base.context import context
from ...base.errors import ArgumentTypeError, AutogradError, ShapeError
from ...dispatch.node import Handle, record
from ...dispatch.tensor_base import SparseBase, TensorBase
from .overwrite import over
from .slice_write import seen_from_base, shown_by

if TYPE_CHECKING:
    from .tensor import Tensor


class Differentiable(TensorBase):
    """The methods of Tensor that concern gradients."""

    @property
    def requires_grad(self) -> bool:
        return self._req or (self._base is not None and self._refresh())

    @requires_grad.setter
    def requires_grad(self, flag):
        self.requires_grad_(flag)

    def requires_grad_(self, requires_grad=True):
        """Set whether gradients are collected for this leaf.  Raises AutogradError for non-leaves, integers and bools."""
        if requires_grad and not self.dtype.is_inexact:
            raise AutogradError("requires_grad_: only Tensors of floating point and complex dtype can require gradients, this one "
                                f"is {self.dtype.name}")
        if not requires_grad and self.grad_fn is not None:
            raise AutogradError("requires_grad_: you can only change requires_grad flags of leaf variables; use "
                                ".detach() to get a tensor without history")
        if requires_grad and self._storage.inference and not context.inference:
            raise AutogradError("requires_grad_: Setting requires_grad=True on inference tensor outside InferenceMode is not "
                                "allowed; clone() it first")
        if self.grad_fn is None:
            self._req = bool(requires_grad)
        return self

    @property
    def grad_fn(self):
        if self._base is not None:
            self._refresh()
        return self._node

    @property
    def is_leaf(self) -> bool:
        return self.grad_fn is None

    @property
    def output_nr(self) -> int:
        return self._index

    @property
    def grad(self) -> "Tensor | None":
        if context.recorder is not None and self._grad is not None:
            context.recorder.grad_read(self)
        return self._grad

    @grad.setter
    def grad(self, g):
        if g is not None:
            if not isinstance(g, (TensorBase, SparseBase)):
                raise ArgumentTypeError(f"grad: assign a Tensor or None, got {calls.kind(g)}")
            if g.shape != self.shape or g.dtype is not self.dtype or g.device is not self.device:
                raise ShapeError(f"grad: assigned grad is {g.dtype.name} {list(g.shape)} on {g.device}, the tensor "
                                 f"{self.dtype.name} {list(self.shape)} on {self.device}; they must agree")
        if context.recorder is not None:
            context.recorder.grad_changes(self)
        self._grad = g

    @grad.deleter
    def grad(self):
        self.grad = None

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None) -> None:
        """Add the gradients of this tensor to the `.grad` of the leaves it depends on.

        gradient: of this tensor; optional for one element.  inputs: only these leaves get a gradient.
        Raises AutogradError without a graph, after it was freed, or for more than one element without `gradient`.
        """
        api.backward([self], None if gradient is None else [gradient], retain_graph, create_graph, inputs=inputs)

    def detach_(self):
        """Cut this tensor out of the graph."""
        if self._base is not None:
            raise AutogradError("detach_: Can't detach views in-place. Use detach() instead")
        self._node, self._index, self._req = None, 0, False
        return self

    @property
    def data(self) -> "Tensor":
        return self.detach()

    @data.setter
    def data(self, other):
        if not isinstance(other, TensorBase):
            raise ArgumentTypeError(f"data: assign a Tensor, got {calls.kind(other)}")
        self._storage, self._spec, self._offset = other._storage, other._spec, other._offset

    def retain_grad(self):
        """Keep the gradient of this non-leaf in `.grad` too."""
        if not self.requires_grad:
            raise AutogradError("retain_grad: can't retain_grad on Tensor that has requires_grad=False")
        if self.grad_fn is None or self._retains:
            return
        self._retains = True
        self._node.retain(self._index, self)

    @property
    def retains_grad(self) -> bool:
        return self._retains

    def register_hook(self, hook):
        """Call hook(grad) when this tensor's gradient is complete; a tensor it returns replaces grad.  Returns a handle."""
        if not self.requires_grad:
            raise AutogradError("register_hook: cannot register a hook on a tensor that doesn't require gradient")
        if self.grad_fn is not None:
            return self._node.hook_output(self._index, hook)
        if self._hooks is None:
            self._hooks = {}
        return Handle(self._hooks, hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Call hook(tensor) after a gradient was added to this leaf's `.grad`.  Returns a handle."""
        if not self.requires_grad or self.grad_fn is not None:
            raise AutogradError("register_post_accumulate_grad_hook: only leaves that require grad accumulate one")
        if self._post_hooks is None:
            self._post_hooks = {}
        return Handle(self._post_hooks, hook)

    # --- history of views under in-place writes -----------------------------------------------------------------------------

    def _refresh(self):
        """Update a view's history after a write to its base; return whether the view requires grad."""
        base = self._base
        if self._history_version != base._history_version:
            self._history_version = base._history_version
            if base._req:
                with _recording():
                    node = record(shown_by(self._spec, base._spec), (base,), self._geometry(), (self,))
                self._set_history(node, 0)
        return self._req

    def _set_history(self, node, index):
        """Make (node, index) this tensor's history; a retained gradient is that of the new value."""
        if self._retains:
            self._node.retained.pop(self._index, None)
            node.retain(index, self)
        self._node, self._index, self._req = node, index, True

    def _geometry(self):
        base = self._base
        return tuple(self.shape), self._spec.strides, self._offset - base._offset * base.itemsize // self.itemsize

    def _rebase(self, node, index):
        """Make (node, index) the history of this tensor's memory after an in-place write."""
        base = self._base
        if base is None:
            self._set_history(over(self, node), index)
            self._history_version += 1
            return
        made = seen_from_base(self, node, index)
        base._set_history(made, 0)
        base._history_version += 1  # _refresh finds this view's own history


class _recording:
    def __enter__(self):
        self.before, context.grad = context.grad, True

    def __exit__(self, *exc):
        context.grad = self.before
