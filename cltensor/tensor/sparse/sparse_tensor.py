"""SparseTensor: what both layouts have in common.

A sparse tensor is made of dense ones: indices and values.  Whatever it computes is computed of its values, so gradients follow.
It is no Tensor: an op that reads memory by strides could not read it, and says so.
"""

from ...autograd import api
from ...base import dtypes
from ...base.absent import DENSE_ONLY
from ...base.errors import AbsentError, ArgumentError, ArgumentTypeError, AutogradError, DTypeError, ShapeError
from ...base.shapes import Size, normalize_dim
from ...dispatch.spec import dense
from ...dispatch.tensor_base import SparseBase, TensorBase
from ..core.tensor import Tensor
from . import products, reductions

#: functions of one number that are 0 at 0, so that they may be taken of the values alone
_OF_VALUES = ("neg abs sign sgn sqrt square relu ceil floor round trunc frac sin sinh tan tanh asin asinh atan atanh expm1 log1p "
              "erf erfinv deg2rad rad2deg positive isnan isinf").split()
#: what functions of dense tensors ask them for
_OF_DENSE = frozenset(("_plain", "_storage", "_offset", "_make", "_as", "_base", "_req", "_alias", "_read"))
_CONVERSIONS = tuple(dtypes.CONVERSIONS)


class SparseTensor(SparseBase):
    """A tensor of which only some elements are kept; the others are 0.

    Layouts define `_like(values)`, a tensor of other values at the same places, and `to_sparse`.

    shape, dtype, device, ndim, requires_grad and grad are as for a Tensor; layout is cltensor.sparse_coo or sparse_csr.  Make one
    with sparse_coo_tensor, sparse_csr_tensor or to_sparse.

    Raises AttributeError for methods that sparse tensors lack; it names to_dense().  Source: the methods are PyTorch 2.13's.

    Example::

        isinstance(cltensor.eye(3).to_sparse(), cltensor.sparse.SparseTensor)
    """

    layout = None
    is_sparse = is_sparse_csr = False
    is_cuda = is_quantized = is_nested = is_meta = is_mkldnn = False

    def __init__(self, values, shape):
        self._kept, self._shape = values, Size(shape)

    # --- attributes --------------------------------------------------------------------------------------------------

    shape = property(lambda self: self._shape)
    dtype = property(lambda self: self._kept.dtype)
    device = property(lambda self: self._kept.device)
    ndim = property(lambda self: len(self._shape))
    is_leaf = property(lambda self: self._kept.is_leaf)
    grad_fn = property(lambda self: self._kept.grad_fn)
    is_cpu = property(lambda self: self._kept.is_cpu)
    T = property(lambda self: self.t())
    itemsize = property(lambda self: self.dtype.itemsize)

    @property
    def _spec(self):
        """The Spec of the dense tensor of this shape, by which the engine compares gradients."""
        return dense(self._shape, self.dtype, self.device)

    @property
    def requires_grad(self):
        """Whether gradients of the values are collected."""
        return self._kept.requires_grad

    @requires_grad.setter
    def requires_grad(self, flag):
        self._kept.requires_grad_(flag)

    @property
    def grad(self):
        """The gradient, with the places of this tensor; None before backward."""
        g = self._kept.grad
        return None if g is None else self._like(g)

    @grad.setter
    def grad(self, g):
        if g is not None:
            raise AutogradError("grad: a sparse tensor's gradient is set by backward; assign None to drop it")
        self._kept.grad = None

    @property
    def data(self):
        """The same memory, outside the graph."""
        return self.detach()

    def size(self, dim=None):
        """The shape, or the size of one dimension."""
        return self._shape if dim is None else self._shape[normalize_dim(dim, self.ndim, "size")]

    def dim(self):
        """The number of dimensions."""
        return self.ndim

    def numel(self):
        """The number of elements, those that are not kept included."""
        return self._shape.numel()

    def _nnz(self):
        """The number of elements, or rows of dense dimensions, that are kept."""
        return self._kept.shape[0]

    def __len__(self):
        return self._shape[0]

    def is_floating_point(self):
        """Whether the dtype is a floating one."""
        return self.dtype.is_floating_point

    def is_complex(self):
        """Whether the dtype is a complex one."""
        return self.dtype.is_complex

    def element_size(self):
        """The size of one value in bytes."""
        return self.dtype.itemsize

    # --- autograd ----------------------------------------------------------------------------------------------------

    def requires_grad_(self, requires_grad=True):
        """Set whether gradients of the values are collected."""
        self._kept.requires_grad_(requires_grad)
        return self

    def detach(self):
        """The same memory, outside the graph."""
        return self._like(self._kept.detach())

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Add the gradients of this tensor to the `.grad` of the leaves it depends on; gradient: sparse or dense, of its shape."""
        api.backward([self], None if gradient is None else [gradient], retain_graph, create_graph, inputs=inputs)

    def _gradient_of_values(self, g):
        """The part of a gradient, sparse or dense, that is at the places of this tensor."""
        if g.shape != self.shape:
            raise ShapeError(f"backward: Mismatch in shape: the gradient has shape {list(g.shape)}, the output {list(self.shape)}")
        g = g.to_dense() if isinstance(g, SparseBase) else g
        return g[tuple(self.to_sparse()._indices().unbind(0))]

    def retain_grad(self):
        """Keep the gradient of this non-leaf in `.grad` too."""
        self._kept.retain_grad()

    # --- copies ------------------------------------------------------------------------------------------------------

    def clone(self):
        """A copy."""
        return self._like(self._kept.clone())

    def to(self, *args, **kwargs):
        """A copy on another device or in another dtype; arguments as for Tensor.to."""
        values = self._kept.to(*args, **kwargs)
        return self if values is self._kept else self._like(values)

    def cpu(self):
        """Itself on the CPU device."""
        return self.to("cpu")

    def zero_(self):
        """Keep no element."""
        empty = self.to_sparse()._none()
        return self._become(empty if self.is_sparse else empty.to_sparse_csr())

    def _become(self, other):
        """Take over the parts of another tensor of the same layout, as an out= or in-place form does.  Raises ArgumentTypeError."""
        if other.layout is not self.layout:
            raise ArgumentTypeError(f"expected a tensor of layout {other.layout!r}, got one of {self.layout!r}")
        vars(self).update(vars(other))
        return self

    # --- conversion --------------------------------------------------------------------------------------------------

    def to_dense(self, dtype=None):
        """The dense tensor."""
        made = self.to_sparse()._dense()
        return made if dtype is None else made.to(dtype)

    def numpy(self):
        """Refused, as in PyTorch: to_dense() first.  Raises ArgumentTypeError."""
        raise ArgumentTypeError("numpy: can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first")

    # --- arithmetic --------------------------------------------------------------------------------------------------

    def mul(self, other):
        """self * other: by a number, a one-element tensor, a dense tensor or a sparse one of the same shape."""
        if isinstance(other, SparseTensor):
            return self._in_layout(self.to_sparse()._times_sparse(_same(other.to_sparse(), self, "mul")))
        if isinstance(other, TensorBase) and other.numel() != 1:
            return self._in_layout(self.to_sparse()._times_dense(other))
        return self._like(self._kept * _number(other, "mul"))

    def div(self, other, *, rounding_mode=None):
        """self / other, a number or a one-element tensor."""
        return self._like(self._kept.div(_number(other, "div"), rounding_mode=rounding_mode))

    def add(self, other, *, alpha=1):
        """self + alpha * other, sparse for a sparse other, dense for a dense one.  Raises ShapeError."""
        if isinstance(other, SparseTensor):
            return self._in_layout(self.to_sparse()._plus(_same(other.to_sparse(), self, "add"), alpha))
        if isinstance(other, TensorBase):
            return self.to_dense() + alpha * other
        raise ArgumentTypeError(f"add: expected a sparse or a dense tensor, got {other!r}; a number would fill the whole tensor: "
                                "use to_dense() + number")

    def sub(self, other, *, alpha=1):
        """self - alpha * other."""
        return self.add(other, alpha=-alpha)

    def pow(self, exponent):
        """The values to a power above 0."""
        if isinstance(exponent, (TensorBase, SparseTensor)) or not exponent > 0:
            raise ArgumentError(f"pow: a sparse tensor takes a number above 0, for which 0 stays 0, got {exponent!r}")
        return self._mapped("pow", exponent)

    def matmul(self, other):
        """self @ other, a dense vector or matrix, or a sparse matrix."""
        return products.matmul(self, other)

    mm = mv = matmul

    def sum(self, dim=None, *, dtype=None):
        """The sum of all elements, or over some dimensions; see cltensor.sparse.sum."""
        return reductions.total(self, dim, dtype)

    def _mapped(self, name, *args):
        """The method `name` of the values, each element once."""
        source = self.coalesce() if self.is_sparse else self
        return source._like(getattr(source._kept, name)(*args))

    def _in_layout(self, made):
        return made if self.is_sparse else made.to_sparse_csr()

    def __neg__(self):
        return self._mapped("neg")

    def __abs__(self):
        return self._mapped("abs")

    def __pos__(self):
        return self

    def __add__(self, other):
        return self.add(other) if _operand(other) else NotImplemented

    def __radd__(self, other):
        return self.add(other) if _operand(other) else NotImplemented

    def __sub__(self, other):
        return self.sub(other) if _operand(other) else NotImplemented

    def __rsub__(self, other):
        return (-self).add(other) if _operand(other) else NotImplemented

    def __mul__(self, other):
        return self.mul(other) if _operand(other) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self.div(other) if _operand(other) else NotImplemented

    def __matmul__(self, other):
        return products.matmul(self, other) if isinstance(other, (SparseTensor, TensorBase)) else NotImplemented

    def __rmatmul__(self, other):
        return products.matmul(other, self) if isinstance(other, TensorBase) else NotImplemented

    def __pow__(self, exponent):
        return self.pow(exponent)

    __hash__ = object.__hash__

    # --- everything else ---------------------------------------------------------------------------------------------

    def __bool__(self):
        if self.numel() != 1:
            raise ShapeError(f"Boolean value of Tensor with more than one value is ambiguous (shape {list(self.shape)}); use "
                             "to_dense().any() or .all()")
        return bool(self.to_dense())

    def item(self):
        """The value of a one-element tensor as a Python number."""
        return self.to_dense().item()

    def __getattr__(self, name):
        if name in _OF_VALUES:
            return lambda: self._mapped(name)
        if name in _CONVERSIONS:
            return lambda: self.to(dtypes.CONVERSIONS[name])
        if name in _OF_DENSE:
            raise AbsentError(f"got a sparse tensor; {DENSE_ONLY}")
        if not name.startswith("_") and hasattr(Tensor, name):
            raise AttributeError(f"a sparse tensor has no {name!r}; use to_dense().{name}, or {name} of its values()")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _text(self, parts):
        """repr of a tensor made of these named dense tensors."""
        layout = f"layout={self.layout!r}"
        tensors = ",\n       ".join(f"{name}={_indented(t, len(name))}" for name, t in parts)
        grad = f", grad_fn={self.grad_fn!r}" if self.grad_fn is not None else ", requires_grad=True" if self.requires_grad else ""
        return tensors, f"size={tuple(self.shape)}, nnz={self._nnz()}", layout + grad


def _operand(other):
    return isinstance(other, (SparseTensor, TensorBase)) or dtypes.category_of(other) is not None


def _indented(t, name):
    """repr of a dense tensor, its further lines below the first."""
    return repr(t.detach()).replace("\n", "\n" + " " * (name + 8))


def _number(other, op):
    if isinstance(other, SparseTensor) or (isinstance(other, TensorBase) and other.numel() != 1):
        raise ArgumentTypeError(f"{op}: a sparse tensor can be divided by a number only; use to_dense()")
    if isinstance(other, TensorBase):
        return other.reshape(())
    if dtypes.category_of(other) is None:
        raise ArgumentTypeError(f"{op}: expected a number or a tensor, got {other!r}")
    return other


def _same(other, x, op):
    if other.shape != x.shape:
        raise ShapeError(f"{op}: sparse tensors must have the same size, got {list(x.shape)} and {list(other.shape)}")
    return other


def check_floating(values, requires_grad):
    """Raise DTypeError unless values may require grad."""
    if requires_grad and values.dtype.category in ("bool", "int"):
        raise DTypeError(f"only Tensors of floating point dtype can require gradients, these values are {values.dtype.name}")
