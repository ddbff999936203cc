"""Tensor: what it is made of, its attributes and its operators."""

import warnings
from itertools import chain
from types import FunctionType

from ...base import absent, calls, dtypes, overriding
from ...base.context import context
from ...base.errors import ArgumentTypeError, AutogradError, DTypeError, ShapeError
from ...base.layouts import contiguous_format, format_strides
from ...base.layouts import strided as strided_layout
from ...base.observed_sizes import observed, observed_length, observing
from ...base.shapes import Size, normalize_dim
from ...dispatch.registry import REGISTRY
from ...dispatch.run_elementwise import run_elementwise
from ...dispatch.run_planned import run_view
from ...dispatch.tensor_base import TensorBase
from ...ops.index import parts, view_ops
from ...ops.pointwise import elementary
from ...runtime.device import device as Device
from ...runtime.device import real_default
from .differentiable import Differentiable
from .formatting import tensor_text
from .host_values import HostValues
from .operators import arithmetic, comparison, matmul, rmatmul
from .subclassed import Subclassed
from .values import array_of, pick_device

#: methods whose errors name no call
_SILENT = ("__getattr__", "__new__", "__repr__", "__format__", "__hash__", "__array__")
_METHOD_OF = {"__matmul__": "matmul", "__rmatmul__": "matmul", "__neg__": "neg", "__abs__": "abs", "__invert__": "bitwise_not",
              "__reversed__": "flip", "__pos__": "positive"}


#: operators that `__torch_function__` knows by their methods
_SAME_AS = {f"__{name}__": method for name, method in {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "mod": "remainder", "pow": "pow", "matmul": "matmul", "neg": "neg",
    "abs": "abs", "invert": "bitwise_not", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lt": "lt", "le": "le",
    "gt": "gt", "ge": "ge", "iadd": "add_", "isub": "sub_", "imul": "mul_", "itruediv": "div_"}.items()}


class Tensor(Differentiable, HostValues, Subclassed):
    """A multi-dimensional array on an OpenCL device, with PyTorch's names and behaviour.

    Create one with `cltensor.tensor(...)` or another creation function.  Tensor(data) gives the default floating dtype, and
    Tensor(2, 3) a tensor of those sizes with uninitialised memory.
    """

    def __new__(cls, *data, device=None):
        dtype = dtypes.get_default_dtype()
        if data and all(hasattr(n, "__index__") and not isinstance(n, TensorBase) for n in data):
            return Tensor._from_array(*array_of([], dtype), _data_device(device)).new_empty(data)._as(cls)
        if len(data) > 1:
            raise ArgumentTypeError(f"Tensor: expected a sequence of values, or sizes as ints, got {data!r}")
        given = data[0] if data else ()
        if isinstance(given, TensorBase):
            return given.detach().clone().to(device=device or given.device, dtype=dtype)._as(cls)
        return cls._from_array(*array_of(given, dtype), _data_device(device))

    @classmethod
    def _attach(cls, methods):
        """Add methods, {name: function}, to the class, and let errors call all methods by their public names."""
        for name, fn in methods.items():
            setattr(cls, name, fn)
        for name, fn in chain.from_iterable(vars(c).items() for c in (cls, Differentiable, HostValues, Subclassed)):
            if isinstance(fn, FunctionType) and (not name.startswith("_") or name.startswith("__")) and name not in _SILENT:
                calls.named(fn, _METHOD_OF.get(name, name))
        for name, other in _SAME_AS.items():
            overriding.hand_over(getattr(cls, name), getattr(cls, other))

    # --- tensors over the same memory ---------------------------------------------------------------------------------------

    def _as(self, cls):
        return cls._make(self._storage, self._spec, self._offset)

    def detach(self):
        """The same memory, outside the graph."""
        return Tensor._make(self._storage, self._spec, self._offset)

    def _alias(self):
        """This tensor's memory as a tensor without history, for saving."""
        return Tensor._make(self._storage, self._spec, self._offset)

    def _with_history(self, node, index):
        """A fresh tensor over the same memory whose history is (node, index)."""
        t = Tensor._make(self._storage, self._spec, self._offset)
        if context.grad and self.dtype.is_inexact:
            t._node, t._index, t._req = node, index, True
        return t

    # --- attributes ------------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        shape = self._spec.shape
        return observed(shape) if observing else shape

    def size(self, dim=None) -> object:
        """The shape as a Size, or the size of one dimension."""
        shape = observed(self._spec.shape) if observing else self._spec.shape
        return shape if dim is None else shape[normalize_dim(dim, self._spec.ndim, "size")]

    def stride(self, dim=None) -> object:
        """The strides in elements, or the stride of one dimension."""
        strides = tuple(observed(self._spec.strides)) if observing else self._spec.strides
        return strides if dim is None else strides[normalize_dim(dim, self._spec.ndim, "stride")]

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
        return observed(self._spec.shape).numel() if observing else self._spec.numel

    nelement = numel

    def element_size(self) -> int:
        """The size of one element in bytes."""
        return self._spec.dtype.itemsize

    @property
    def itemsize(self) -> int:
        return self._spec.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.numel() * self._spec.itemsize

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
        """Whether the dtype is a complex one."""
        return self._spec.dtype.is_complex

    @property
    def real(self) -> "Tensor":
        return self._part(0) if self._spec.dtype.is_complex else self

    @real.setter
    def real(self, value):
        self.real.copy_(value)

    @property
    def imag(self) -> "Tensor":
        if not self._spec.dtype.is_complex:
            raise DTypeError(f"imag is not implemented for tensors with non-complex dtypes; this one is {self.dtype.name}")
        return self._part(1)

    @imag.setter
    def imag(self, value):
        self.imag.copy_(value)

    def _part(self, which):
        """The real (0) or imaginary (1) parts, as a view."""
        whole = (0, 1)
        return run_view(view_ops.basic_index, run_view(parts.view_as_real, self),
                        ((*((*whole, n) for n in self._spec.shape), which),))

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
        return observed_length(self._spec.shape[0]) if observing else self._spec.shape[0]

    def __repr__(self) -> str:
        return tensor_text(self)

    def __format__(self, text) -> str:
        if self._spec.ndim == 0 and (text or type(self) is self._plain):
            return format(self.item(), text)
        return object.__format__(self, text) if text else str(self)

    def __getattr__(self, name):
        absent.refuse("Tensor", name, absent.METHODS)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    layout = property(lambda self: strided_layout)
    is_cpu = property(lambda self: self.device.profile.kind == "cpu")
    is_meta = property(lambda self: self._spec.device.meta)
    is_cuda = is_mps = is_xpu = is_ipu = is_xla = is_vulkan = is_mtia = is_maia = is_mkldnn = is_nested = is_quantized = (
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
        x = self.conj() if name != "mT" else self
        return run_view(view_ops.permute, x, ((*range(n - 2), n - 1, n - 2),))


#: results have this class, whatever subclass of Tensor the inputs have
Tensor._plain = Tensor


def _data_device(device):
    """The device for values that are given; the meta device only where it is asked for."""
    return real_default() if device is None else pick_device(device)
