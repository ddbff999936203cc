"""Tensor: a view of a Storage, with its place in the autograd graph."""

import warnings
import weakref
from types import FunctionType

import numpy as np

from ...autograd import api, engine
from ...base import absent, calls, dtypes
from ...base.context import context
from ...base.errors import ArgumentError, ArgumentTypeError, AutogradError, DTypeError, MismatchError, ShapeError
from ...base.layouts import contiguous_format, format_strides
from ...base.layouts import strided as strided_layout
from ...base.shapes import Size
from ...dispatch import faults
from ...dispatch.node import Handle, Node, edge_of, record
from ...dispatch.registry import REGISTRY
from ...dispatch.run_elementwise import run_elementwise
from ...dispatch.run_planned import run_view
from ...dispatch.tensor_base import TensorBase
from ...ops.index import strided, view_ops
from ...ops.pointwise import elementary
from ...runtime import host_memory
from ...runtime.device import device as Device
from .formatting import tensor_text
from .operators import arithmetic, comparison, matmul, rmatmul
from .overwrite import over
from .values import array_of, pick_device

#: methods whose errors name no call
_SILENT = ("__getattr__", "__new__", "__repr__", "__format__", "__hash__", "__array__")
_METHOD_OF = {"__matmul__": "matmul", "__rmatmul__": "matmul", "__neg__": "neg", "__abs__": "abs", "__invert__": "bitwise_not",
              "__reversed__": "flip", "__pos__": "positive"}
_MANY = 1 << 23  # values; a copy of fewer needs no memory check


class Tensor(TensorBase):
    """A multi-dimensional array on an OpenCL device, with PyTorch's names and behaviour.

    Create one with `cltensor.tensor(...)` or another creation function.  Tensor(data) gives the default floating dtype, and
    Tensor(2, 3) a tensor of those sizes with uninitialised memory.
    """

    def __new__(cls, *data, device=None):
        dtype = dtypes.get_default_dtype()
        if data and all(hasattr(n, "__index__") and not isinstance(n, TensorBase) for n in data):
            return Tensor._from_array(*array_of([], dtype), pick_device(device)).new_empty(data)._as(cls)
        if len(data) > 1:
            raise ArgumentTypeError(f"Tensor: expected a sequence of values, or sizes as ints, got {data!r}")
        given = data[0] if data else ()
        if isinstance(given, TensorBase):
            return given.detach().clone().to(device=device or given.device, dtype=dtype)._as(cls)
        return cls._from_array(*array_of(given, dtype), pick_device(device))

    @classmethod
    def _attach(cls, methods):
        """Add methods, {name: function}, to the class, and let errors call all methods by their public names."""
        for name, fn in methods.items():
            setattr(cls, name, fn)
        for name, fn in vars(cls).items():
            if isinstance(fn, FunctionType) and (not name.startswith("_") or name.startswith("__")) and name not in _SILENT:
                calls.named(fn, _METHOD_OF.get(name, name))

    def _as(self, cls):
        return cls._make(self._storage, self._spec, self._offset)

    # --- attributes ------------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return self._spec.shape

    def size(self, dim=None) -> object:
        """The shape as a Size, or the size of one dimension."""
        return self._spec.shape if dim is None else self._spec.shape[_dim(dim, self._spec.ndim, "size")]

    def stride(self, dim=None) -> object:
        """The strides in elements, or the stride of one dimension."""
        return self._spec.strides if dim is None else self._spec.strides[_dim(dim, self._spec.ndim, "stride")]

    def storage_offset(self) -> int:
        """The position of the first element in the storage, in elements."""
        return self._offset

    @property
    def dtype(self) -> dtypes.dtype:
        return self._spec.dtype

    @property
    def device(self) -> Device:
        return self._spec.device

    @property
    def ndim(self) -> int:
        return self._spec.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self._spec.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self._spec.numel

    nelement = numel

    def element_size(self) -> int:
        """The size of one element in bytes."""
        return self._spec.dtype.itemsize

    @property
    def itemsize(self) -> int:
        return self._spec.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self._spec.nbytes

    def is_contiguous(self, memory_format=contiguous_format) -> bool:
        """Whether the elements are stored in the order of the memory format (row-major by default) without gaps."""
        s = self._spec
        if memory_format is contiguous_format:
            return s.contiguous
        wanted = format_strides(s.shape, memory_format, "is_contiguous")
        return wanted is None or all(n == 1 or a == b for n, a, b in zip(s.shape, s.strides, wanted, strict=True))

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one."""
        return self._spec.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Always False: there are no complex dtypes."""
        return False

    @property
    def real(self) -> "Tensor":
        return self

    def is_inference(self) -> bool:
        """Whether the tensor was made in inference mode."""
        return self._storage.inference

    def is_signed(self) -> bool:
        """Whether the dtype can hold negative numbers."""
        return self._spec.dtype.is_signed

    def untyped_storage(self):
        """The Storage this tensor views."""
        return self._storage

    def data_ptr(self) -> int:
        """A number that identifies the first element while the tensor lives; not an address."""
        return self._storage.data_ptr() + self._offset * self.itemsize if self.numel() else 0

    @property
    def _version(self):
        if self._storage.inference:
            raise AutogradError("_version: Inference tensors do not track version counter")
        return self._storage.version

    def __len__(self) -> int:
        if not self._spec.ndim:
            raise ArgumentTypeError("len() of a 0-d tensor")
        return self._spec.shape[0]

    def __repr__(self) -> str:
        return tensor_text(self)

    def __format__(self, text) -> str:
        if self._spec.ndim == 0 and text:
            return format(self.item(), text)
        return object.__format__(self, text) if text else str(self)

    def __getattr__(self, name):
        absent.refuse("Tensor", name, absent.METHODS)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    layout = property(lambda self: strided_layout)
    is_cpu = property(lambda self: self.device.profile.kind == "cpu")
    is_cuda = is_mps = is_xpu = is_ipu = is_xla = is_vulkan = is_mtia = is_maia = is_meta = is_mkldnn = is_nested = is_quantized = (
        is_sparse) = is_sparse_csr = property(lambda self: False)

    # --- operators -------------------------------------------------------------------------------------------------------

    __add__, __radd__, __iadd__ = arithmetic(REGISTRY["add"], "add")
    __sub__, __rsub__, __isub__ = arithmetic(REGISTRY["sub"], "sub")
    __mul__, __rmul__, __imul__ = arithmetic(REGISTRY["mul"], "mul")
    __truediv__, __rtruediv__, __itruediv__ = arithmetic(REGISTRY["div"], "truediv")
    __rdiv__ = __rtruediv__
    __floordiv__, __rfloordiv__, __ifloordiv__ = arithmetic(REGISTRY["floor_divide"], "floordiv")
    __mod__, __rmod__, __imod__ = arithmetic(REGISTRY["remainder"], "mod")
    __pow__, __rpow__, __ipow__ = arithmetic(REGISTRY["pow"], "pow")
    __and__, __rand__, __iand__ = arithmetic(REGISTRY["bitwise_and"], "and")
    __or__, __ror__, __ior__ = arithmetic(REGISTRY["bitwise_or"], "or")
    __xor__, __rxor__, __ixor__ = arithmetic(REGISTRY["bitwise_xor"], "xor")
    __lshift__, __rlshift__, __ilshift__ = arithmetic(REGISTRY["bitwise_left_shift"], "lshift")
    __rshift__, __rrshift__, __irshift__ = arithmetic(REGISTRY["bitwise_right_shift"], "rshift")
    __eq__, __ne__ = comparison(REGISTRY["eq"]), comparison(REGISTRY["ne"])
    __lt__, __le__ = comparison(REGISTRY["lt"]), comparison(REGISTRY["le"])
    __gt__, __ge__ = comparison(REGISTRY["gt"]), comparison(REGISTRY["ge"])
    __matmul__, __rmatmul__ = matmul, rmatmul
    __hash__ = object.__hash__

    def __neg__(self):
        return run_elementwise(elementary.neg, (self,))

    def __pos__(self):
        return self

    def __abs__(self):
        return run_elementwise(elementary.abs, (self,))

    def __invert__(self):
        return run_elementwise(elementary.bitwise_not, (self,))

    def __reversed__(self):
        return self.flip(0) if self.ndim else self

    @property
    def T(self) -> "Tensor":
        return self.permute(tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> "Tensor":
        return self._transposed("mT")

    @property
    def mH(self) -> "Tensor":
        return self._transposed("mH")

    @property
    def H(self) -> "Tensor":
        return self._transposed("H")

    def _transposed(self, name):
        n = self._spec.ndim
        if not n:
            warnings.warn(f"Tensor.{name} is deprecated on 0-D tensors. It is the identity in these cases.", stacklevel=3)
            return self.view(())
        if n < 2 or (name == "H" and n > 2):
            raise ShapeError(f"tensor.{name} is only supported on matrices{'' if name == 'H' else ' or batches of matrices'}. Got "
                             f"{n}-D tensor.")
        return run_view(view_ops.permute, self, ((*range(n - 2), n - 1, n - 2),))

    # --- values on the host ----------------------------------------------------------------------------------------------

    def numpy(self, *, force=False) -> np.ndarray:
        """The values as a NumPy array, copied from the device (this waits for it).

        Raises AutogradError for a tensor that requires grad, unless `force`; DTypeError for bfloat16, which NumPy lacks.
        """
        if self.requires_grad and not force:
            raise AutogradError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead")
        if self.dtype is dtypes.bfloat16 and not force:
            raise DTypeError("numpy(): NumPy has no bfloat16; use tensor.float().numpy()")
        return self._read() if self.dtype is not dtypes.bfloat16 else self.detach().float()._read()

    def _read(self):
        if context.recorder is not None:
            context.recorder.read(self)
        source = self if self._spec.contiguous else self.detach().contiguous()
        out = np.empty(self.shape, self.dtype.numpy)
        if out.size:
            if out.size > _MANY:
                host_memory.require(out.nbytes, "reading a tensor")
            self.device.read(source._storage.buffer, source._offset * self.itemsize, out)
        faults.check(self.device)
        return out

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ArgumentError("__array__: the values live on a device, so a NumPy array of them is always a copy")
        values = self.numpy()
        return values if dtype is None else values.astype(dtype)

    __array_priority__ = 1000

    def item(self) -> object:
        """The value of a one-element tensor as a Python number."""
        if self._spec.numel != 1:
            raise ShapeError(f"item: a Tensor with {self._spec.numel} elements cannot be converted to Scalar; it needs exactly 1")
        return self.detach().reshape(()).tolist()

    def tolist(self) -> object:
        """The values as nested lists of Python numbers; a number for a 0-d tensor."""
        values = self.detach()
        return (values.float() if self.dtype is dtypes.bfloat16 else values)._read().tolist()

    def _number(self, kind):
        if self._spec.numel != 1:
            raise MismatchError("only one element tensors can be converted to Python scalars, this one has shape "
                                f"{list(self.shape)}")
        return kind(self.item())

    def __float__(self) -> float:
        return self._number(float)

    def __int__(self) -> int:
        return self._number(int)

    def __bool__(self) -> bool:
        if self._spec.numel != 1:
            what = "no values" if self._spec.numel == 0 else "more than one value"
            raise ShapeError(f"Boolean value of Tensor with {what} is ambiguous (shape {list(self.shape)}); use .any() or .all()")
        return bool(self.item())

    def __index__(self) -> int:
        if self._spec.numel != 1 or self.dtype.is_floating_point:
            raise ArgumentTypeError("only integer tensors of a single element can be converted to an index, this one is "
                                    f"{self.dtype.name} {list(self.shape)}")
        return int(self.item())

    # --- autograd --------------------------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        return self._req or (self._base is not None and self._refresh())

    @requires_grad.setter
    def requires_grad(self, flag):
        self.requires_grad_(flag)

    def requires_grad_(self, requires_grad=True):
        """Set whether gradients are collected for this leaf.  Raises AutogradError for non-leaves and non-floating dtypes."""
        if requires_grad and not self.dtype.is_floating_point:
            raise AutogradError(f"requires_grad_: only Tensors of floating point dtype can require gradients, this one is "
                                f"{self.dtype.name}")
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
        return self._grad

    @grad.setter
    def grad(self, g):
        if g is not None:
            if not isinstance(g, TensorBase):
                raise ArgumentTypeError(f"grad: assign a Tensor or None, got {calls.kind(g)}")
            if g.shape != self.shape or g.dtype is not self.dtype or g.device is not self.device:
                raise ShapeError(f"grad: assigned grad is {g.dtype.name} {list(g.shape)} on {g.device}, the tensor "
                                 f"{self.dtype.name} {list(self.shape)} on {self.device}; they must agree")
        self._grad = g

    @grad.deleter
    def grad(self):
        self._grad = None

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None) -> None:
        """Add the gradients of this tensor to the `.grad` of the leaves it depends on.

        gradient: of this tensor; optional for one element.  inputs: only these leaves get a gradient.
        Raises AutogradError without a graph, after it was freed, or for more than one element without `gradient`.
        """
        api.backward([self], None if gradient is None else [gradient], retain_graph, create_graph, inputs)

    def detach(self):
        """The same memory, outside the graph."""
        return Tensor._make(self._storage, self._spec, self._offset)

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

    def _alias(self):
        """This tensor's memory as a tensor without history, for saving."""
        return Tensor._make(self._storage, self._spec, self._offset)

    def _with_history(self, node, index):
        """A fresh tensor over the same memory whose history is (node, index)."""
        t = Tensor._make(self._storage, self._spec, self._offset)
        if context.grad and self.dtype.is_floating_point:
            t._node, t._index, t._req = node, index, True
        return t

    # --- history of views under in-place writes -----------------------------------------------------------------------------

    def _refresh(self):
        """Update a view's history after a write to its base; return whether the view requires grad."""
        base = self._base
        if self._history_version != base._history_version:
            self._history_version = base._history_version
            if base._req:
                with _recording():
                    node = record(strided.as_strided, (base,), self._geometry(), (self,))
                self._set_history(node, 0)
        return self._req

    def _set_history(self, node, index):
        """Make (node, index) this tensor's history; a retained gradient is that of the new value."""
        if self._retains:
            self._node.retained.pop(self._index, None)
            node.retain(index, self)
        self._node, self._index, self._req = node, index, True

    def _geometry(self):
        return tuple(self.shape), self._spec.strides, self._offset - self._base._offset

    def _rebase(self, node, index):
        """Make (node, index) the history of this tensor's memory after an in-place write."""
        base = self._base
        if base is None:
            self._set_history(over(self, node), index)
            self._history_version += 1
            return
        geometry = self._geometry()
        write = SliceWrite(node, index, self, geometry, base._spec)
        first = edge_of(base) if base._req else None
        edges = (first, *(e for i, e in enumerate(node.edges) if i != write.own))
        args = (base._spec, *(a for i, a in enumerate(node.args) if i != write.own))
        made = Node(write, edges, args, (), (), (base._spec,))
        node.wrapper = _as_part(weakref.ref(made), base._spec, base._offset, geometry)
        base._set_history(made, 0)
        base._history_version += 1
        self._req = True


#: results have this class, whatever subclass of Tensor the inputs have
Tensor._plain = Tensor


def _as_part(node, base_spec, offset, geometry):
    """A Node's `wrapper` for a write to a view: its saved result becomes a view of the base that `node()` outputs."""

    def part(alias, _):
        base = Tensor._make(alias._storage, base_spec, offset)._with_history(node(), 0)
        return run_view(strided.as_strided, base, geometry)

    return part


class SliceWrite:
    """The gradient of writing to a view, seen from its base: through the write inside the view, unchanged outside."""

    name = "copy_slices"

    def __init__(self, node, index, view, geometry, base_spec):
        self.node, self.index, self.geometry, self.base_spec = node, index, geometry, base_spec
        own = [i for i, a in enumerate(node.args) if a is view or (i < len(node.edges) and _same_edge(node.edges[i], view))]
        self.own = own[0] if own else None

    def last(self, attrs):
        """See Op."""
        return self.name

    def input_gradients(self, gs, outputs, inputs, attrs, needs):
        """Gradients of (base before the write, the write's other inputs)."""
        layout = (tuple(self.base_spec.shape), self.base_spec.strides, *self.geometry)
        inner = [None] * len(self.node.out_specs)
        inner[self.index] = strided.written(gs[0], *layout).clone()
        results = engine._fitted(self.node, self.node.backward(tuple(inner), self._inner(needs)))
        through = results[self.own] if self.own is not None else None
        before = strided.around(gs[0], through, *layout) if needs[0] else None
        return (before, *(r for i, r in enumerate(results) if i != self.own))

    def _inner(self, needs):
        """Which inputs of the write itself need gradients; needs: for (base, the write's other inputs)."""
        rest = iter(needs[1:])
        return tuple(needs[0] if i == self.own else next(rest) for i in range(len(self.node.edges)))


def _same_edge(edge, view):
    return edge is not None and edge[0] is view._node and edge[1] == view._index


class _recording:
    def __enter__(self):
        self.before, context.grad = context.grad, True

    def __exit__(self, *exc):
        context.grad = self.before


def _dim(dim, ndim, op):
    from ...base.shapes import normalize_dim

    return normalize_dim(dim, ndim, op)


def as_strided(x, size, stride, offset):
    """x's memory with this size and stride, offset relative to x's first element; unchecked."""
    return run_view(strided.as_strided, x, (tuple(size), tuple(stride), offset))

