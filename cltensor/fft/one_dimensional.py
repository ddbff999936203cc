"""Transforms along one dimension."""

from ..base.observed_sizes import plain
from ..base.shapes import normalize_dim
from ..dispatch.run_planned import run_planned
from ..ops.fft.fourier import c2c, c2r, r2c
from ..tensor.core.tensor import Tensor
from ..tensor.core.with_out import with_out
from ..tensor.math import fourier
from . import arguments


def _complex(name, input, n, dim, norm, inverse):
    """A transform of complex numbers, or of real ones taken for such."""
    input = fourier.floating(name, input)
    dim, n, scale = arguments.settled(name, input._spec, plain(n), dim, norm, inverse)
    return run_planned(c2c, (arguments.resized(input, dim, n),), (dim, inverse, scale))


def _to_half(name, input, n, dim, norm, inverse):
    """The n // 2 + 1 numbers that tell the transform of n real ones."""
    input = fourier.real(name, input)
    dim, n, scale = arguments.settled(name, input._spec, plain(n), dim, norm, inverse)
    return run_planned(r2c, (arguments.resized(input, dim, n),), (dim, inverse, scale, 1.0))


def _from_half(name, input, n, dim, norm, inverse):
    """The n real numbers whose transform n // 2 + 1 numbers tell."""
    input = fourier.complex_(name, input)
    if n is None and input.ndim:
        n = 2 * (input.shape[normalize_dim(dim, input.ndim, name)] - 1)
    dim, n, scale = arguments.settled(name, input._spec, plain(n), dim, norm, inverse)
    return run_planned(c2r, (arguments.resized(input, dim, n // 2 + 1),), (dim, inverse, scale, n, 1.0))


@with_out
def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The discrete Fourier transform along dim: y[k] is the sum over j of x[j] exp(-2 pi i j k / n).

    input: (*, m, *), float32, float64, complex64, complex128, integers or bools; the result is complex, (*, n, *).  n: the length
    to which input is first cut or filled up with zeros; m for None.  norm: "backward" or None, no factor; "forward", 1 / n;
    "ortho", 1 / sqrt(n).  Raises ArgumentError for n < 1 and an unknown norm, UnsupportedDTypeError for 16-bit floats.
    Numerics: the error is about 2e-7 of the result's norm in complex64, whatever n.  Lengths with prime factors above 7 cost two
    transforms of more than twice the length.  Source: Cooley and Tukey 1965; Stockham 1966; Bluestein 1970.

        fft(tensor([1.0, 2.0, 3.0, 4.0]))  # tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    return _complex("fft", input, n, dim, norm, False)


@with_out
def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of fft: 1 / n times the sum over j of x[j] exp(2 pi i j k / n).

    Arguments, shapes, dtypes and what it Raises are fft's; norm: "backward" or None, 1 / n; "forward", no factor; "ortho",
    1 / sqrt(n).  Source: Cooley and Tukey 1965.

        ifft(fft(x))  # x
    """
    return _complex("ifft", input, n, dim, norm, True)


@with_out
def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The elements k <= n / 2 of fft of real numbers; the others are their conjugates.  Half the work of fft for even n.

    input: (*, m, *), float32, float64, integers or bools; the result is complex, (*, n // 2 + 1, *).  n and norm: as for fft.
    Raises DTypeError for complex input, and what fft raises.  Source: Cooley, Lewis and Welch 1970.

        rfft(tensor([1.0, 2.0, 3.0, 4.0]))  # tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    return _to_half("rfft", input, n, dim, norm, False)


@with_out
def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of rfft: the n real numbers whose transform input's n // 2 + 1 elements tell.

    input: (*, m, *), complex or real; the result is float32 or float64, (*, n, *).  n: 2 (m - 1) for None; give it for an odd
    number.  The imaginary parts of element 0, and n / 2, do not count.  norm: as for ifft.  Raises ArgumentError for n < 1 (so
    m = 1 needs n), and what fft raises.  Source: Cooley, Lewis and Welch 1970.

        irfft(rfft(x), n=x.shape[-1])  # x
    """
    return _from_half("irfft", input, n, dim, norm, True)


@with_out
def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The transform, which is real, of n numbers whose second half are conjugates of the first: input has n // 2 + 1 of them.

    input: (*, m, *), complex or real; the result is float32 or float64, (*, n, *).  n: 2 (m - 1) for None.  norm: as for fft.
    Raises ArgumentError for n < 1, and what fft raises.  Source: Cooley, Lewis and Welch 1970.

        hfft(tensor([10.0, -2.0 + 2.0j, -2.0]))  # tensor([4., 8., 12., 16.])
    """
    return _from_half("hfft", input, n, dim, norm, False)


@with_out
def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of hfft: the elements k <= n / 2 of ifft of real numbers.

    input: (*, m, *), float32, float64, integers or bools; the result is complex, (*, n // 2 + 1, *).  n and norm: as for ifft.
    Raises DTypeError for complex input, and what fft raises.  Source: Cooley, Lewis and Welch 1970.

        ihfft(tensor([4.0, 8.0, 12.0, 16.0]))  # tensor([10.+0.j, -2.-2.j, -2.+0.j])
    """
    return _to_half("ihfft", input, n, dim, norm, True)
