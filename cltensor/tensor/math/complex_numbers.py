"""Complex numbers: made of parts, seen as parts, conjugated."""

from ...base import calls, dtypes
from ...base.errors import ArgumentTypeError, DTypeError, ShapeError
from ...dispatch.run_elementwise import run_elementwise, write_into
from ...dispatch.run_planned import run_view
from ...dispatch.tensor_base import TensorBase
from ...ops.index import parts
from ...ops.pointwise import complex_numbers as ops
from ...ops.pointwise import elementary
from ..core.public_api import function, method


def _check_parts(name, first, second, a, b):
    """Raise unless the parts of complex numbers are two tensors of one floating dtype that has a complex one."""
    for i, (label, x) in enumerate(((first, a), (second, b)), 1):
        if not isinstance(x, TensorBase):
            raise ArgumentTypeError(f"{name}(): argument '{label}' (position {i}) must be Tensor, not {calls.kind(x)}")
    allowed = (dtypes.float16, dtypes.float32, dtypes.float64)
    if a.dtype not in allowed or b.dtype not in allowed:
        raise DTypeError(f"{name}: Expected both inputs to be Half, Float or Double tensors but got {a.dtype.name} and "
                         f"{b.dtype.name}; convert them, for instance with .float()")
    if a.dtype is not b.dtype:
        raise DTypeError(f"{name}: Expected object of scalar type {a.dtype.name} but got scalar type {b.dtype.name} for second "
                         "argument; convert one of them")


@function(method=False)
def complex_(real, imag, *, out=None):
    """Complex numbers of these real and imaginary parts.

    Args: real, imag: tensors of any shapes that broadcast, float16, float32 or float64, of one dtype.
    Returns: complex32, complex64 or complex128.
    Raises: DTypeError for other dtypes, or two different ones.
    Source: ISO C99, 6.2.5 (a complex number is its real part, then its imaginary part).

        z = complex(tensor([1.0, 2.0]), tensor([3.0, 4.0]))  # tensor([1.+3.j, 2.+4.j])
    """
    _check_parts("complex", "real", "imag", real, imag)
    return _into(ops.complex, real, imag, out, "complex")


@function(method=False)
def polar(abs, angle, *, out=None):
    """Complex numbers of these absolute values and angles: abs * (cos(angle) + i sin(angle)).

    Args: abs, angle (in radians): tensors of any shapes that broadcast, float16, float32 or float64, of one dtype.
    Returns: complex32, complex64 or complex128.
    Raises: DTypeError for other dtypes, or two different ones.
    Source: DLMF 1.9.

        z = polar(tensor([1.0]), tensor([pi / 2]))  # i, but for rounding
    """
    _check_parts("polar", "abs", "angle", abs, angle)
    return _into(ops.polar, abs, angle, out, "polar")


def _into(op, a, b, out, name):
    wanted = dtypes.complex_for(a.dtype)
    if isinstance(out, TensorBase) and out.dtype is not wanted:
        raise DTypeError(f"{name}: Expected object of scalar type {wanted.name} but got scalar type {out.dtype.name} for argument "
                         "'out'")
    return run_elementwise(op, (a, b), (), out)


@function(method=False, out=False)
def view_as_real(input):
    """The memory of complex numbers as a real tensor: a last dimension of 2 holds the real and the imaginary part.

    Args: input: complex, of any shape.
    Returns: a view of shape (*input.shape, 2), in the dtype of the parts.
    Raises: DTypeError for a real input.
    Source: ISO C99, 6.2.5.

        view_as_real(tensor([1 + 2j]))  # tensor([[1., 2.]])
    """
    if not isinstance(input, TensorBase):
        raise ArgumentTypeError(f"view_as_real(): argument 'input' (position 1) must be Tensor, not {calls.kind(input)}")
    if not input._spec.dtype.is_complex:
        raise DTypeError(f"view_as_real is only supported for complex tensors, this one is {input.dtype.name}")
    return run_view(parts.view_as_real, input)


@function(method=False, out=False)
def view_as_complex(input):
    """The memory of pairs as complex numbers: the last dimension, of size 2, holds the real and the imaginary part.

    Args: input: (..., 2), float16, float32 or float64, with stride 1 in the last dimension and even strides in the others.
    Returns: a view of shape input.shape[:-1].
    Raises: DTypeError for other dtypes; ShapeError for another last dimension, or strides that do not fit.
    Source: ISO C99, 6.2.5.

        view_as_complex(tensor([[1.0, 2.0]]))  # tensor([1.+2.j])
    """
    if not isinstance(input, TensorBase):
        raise ArgumentTypeError(f"view_as_complex(): argument 'input' (position 1) must be Tensor, not {calls.kind(input)}")
    s = input._spec
    if s.dtype not in (dtypes.float16, dtypes.float32, dtypes.float64):
        raise DTypeError("view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
                         f"{s.dtype.name}")
    if not s.ndim:
        raise ShapeError("view_as_complex: Input tensor must have one or more dimensions")
    if s.shape[-1] != 2:
        raise ShapeError(f"view_as_complex: Tensor must have a last dimension of size 2, got shape {list(s.shape)}")
    if s.strides[-1] != 1:
        raise ShapeError(f"view_as_complex: Tensor must have a last dimension with stride 1, got {s.strides[-1]}; use contiguous()")
    if any(n % 2 for n in s.strides[:-1]):
        raise ShapeError("view_as_complex: Tensor must have a stride divisible by 2 for all but last dimension, got "
                         f"{list(s.strides)}")
    if input._offset % 2:
        raise ShapeError(f"view_as_complex: Tensor must have a storage_offset divisible by 2, got {input._offset}; use clone()")
    return run_view(parts.view_as_complex, input)


@function(method=False, out=False)
def real(input):
    """The real parts, as a view; of a real tensor the tensor itself.  As an attribute: tensor.real.

    Args: input: of any shape and dtype.
    Returns: input's shape, in the dtype of the parts.  Never raises.
    Source: ISO C99, 7.3.9.

        real(tensor([1 + 2j]))  # tensor([1.])
    """
    return input.real


@function(method=False, out=False)
def imag(input):
    """The imaginary parts, as a view.  As an attribute: tensor.imag.

    Args: input: complex, of any shape.
    Returns: input's shape, in the dtype of the parts.
    Raises: DTypeError for a real tensor.
    Source: ISO C99, 7.3.9.

        imag(tensor([1 + 2j]))  # tensor([2.])
    """
    return input.imag


@function(out=False)
def conj(input):
    """The complex conjugate; of a real tensor the tensor itself.

    Args: input: of any shape and dtype.
    Returns: input's shape and dtype.  Unlike in PyTorch it is computed at once, into new memory.  Never raises.
    Source: ISO C99, 7.3.9.4.

        conj(tensor([1 + 2j]))  # tensor([1.-2.j])
    """
    return run_elementwise(ops.conj_physical, (input,)) if input._spec.dtype.is_complex else input


@function(inplace="writing")
def conj_physical(input):
    """conj: the complex conjugate, in new memory; of a real tensor the tensor itself.

    Args: input: of any shape and dtype.  Never raises.
    Source: ISO C99, 7.3.9.4.

        conj_physical(tensor([1 + 2j]))  # tensor([1.-2.j])
    """
    return conj(input)


@function("resolve_neg", out=False)
def resolve_conj(input):
    """input: conjugates and negated parts are computed at once here.

    Args: input: of any shape and dtype.  Never raises.
    Source: the array API standard has no such state.

        resolve_conj(x.conj())  # x.conj()
    """
    return input


@function(out=False)
def is_conj(input) -> bool:
    """False: no tensor here is a conjugate yet to be computed.

    Args: input: of any shape and dtype.  Never raises.
    Source: the array API standard has no such state.

        is_conj(x.conj())  # False
    """
    return False


@function(out=False)
def is_neg(input) -> bool:
    """False: no tensor here is a negation yet to be computed.

    Args: input: of any shape and dtype.  Never raises.
    Source: the array API standard has no such state.

        is_neg(x.conj().imag)  # False
    """
    return False


@function(out=False)
def isreal(input):
    """Whether each element is real: its imaginary part is 0.

    Args: input: of any shape and dtype.
    Returns: bool, of input's shape.  Never raises.
    Source: ISO C99, 7.3.9.

        isreal(tensor([1 + 0j, 1j]))  # tensor([ True, False])
    """
    if input.dtype.is_complex:
        return input.imag == 0
    return input.new_ones(input.shape, dtype=dtypes.bool_)


@function(method=False, out=False)
def is_complex(input) -> bool:
    """Whether the dtype is a complex one.

    Args: input: of any shape.  Never raises.
    Source: the array API standard's kind "complex floating".

        is_complex(tensor([1j]))  # True
    """
    return input.is_complex()


@method("abs_", "absolute_")
def _abs_in_place(self):
    """abs in place.

    Args: self: of any shape and real dtype.
    Raises: DTypeError for a complex tensor, whose absolute values are real.
    Source: ISO C99, 7.12.7.2.

        x.abs_()
    """
    if self.dtype.is_complex:
        raise DTypeError("abs_: In-place abs is not supported for complex tensors.")
    return write_into(elementary.abs, self, (self,))
