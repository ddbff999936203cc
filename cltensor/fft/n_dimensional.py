"""Transforms along several dimensions: one after the other."""

from collections.abc import Sequence

from ..base import dtypes
from ..base.errors import ArgumentError
from ..ops.fft.fourier import c2c, c2r, r2c
from ..tensor.core.tensor import Tensor
from ..tensor.core.with_out import with_out
from ..tensor.math import fourier
from ..tensor.math.arithmetic import convert
from . import arguments

_Numbers = int | Sequence[int] | None


def _along(name, x, dims, lengths, norm, inverse):
    """x transformed along each of dims, which have these lengths already, the last first."""
    for dim, n in zip(dims[::-1], lengths[::-1], strict=True):
        x = c2c(x, dim=dim, inverse=inverse, scale=fourier.scale(name, norm, n, inverse))
    return x


def _resized(x, dims, lengths):
    for dim, n in zip(dims, lengths, strict=True):
        x = arguments.resized(x, dim, n)
    return x


def _complex(name, input, s, dim, norm, inverse):
    input = fourier.floating(name, input)
    dims, lengths = arguments.several(name, input, s, dim)
    fourier.scale(name, norm, 1, inverse)  # norm is checked without dimensions, too
    if not dims:
        return convert(input, dtypes.complex_for(input.dtype)).clone()
    return _along(name, _resized(input, dims, lengths), dims, lengths, norm, inverse)


def _at_least_one(name, dims):
    if not dims:
        raise ArgumentError(f"{name} must transform at least one axis, got none")


def _to_half(name, input, s, dim, norm, inverse):
    """Real numbers along the last of the dimensions to half a spectrum, then complex ones along the others."""
    input = fourier.real(name, input)
    dims, lengths = arguments.several(name, input, s, dim)
    _at_least_one(name, dims)
    scale = fourier.scale(name, norm, lengths[-1], inverse)
    half = r2c(_resized(input, dims, lengths), dim=dims[-1], inverse=inverse, scale=scale, middle=1.0)
    return _along(name, half, dims[:-1], lengths[:-1], norm, inverse)


def _from_half(name, input, s, dim, norm, inverse):
    """Complex numbers along all but the last of the dimensions, then half a spectrum along that one to real ones."""
    input = fourier.complex_(name, input)
    dims, lengths = arguments.several(name, input, s, dim, half=True)
    _at_least_one(name, dims)
    n = lengths[-1]
    x = _along(name, _resized(input, dims, [*lengths[:-1], n // 2 + 1]), dims[:-1], lengths[:-1], norm, inverse)
    return c2r(x, dim=dims[-1], inverse=inverse, scale=fourier.scale(name, norm, n, inverse), n=n, middle=1.0)


@with_out
def fftn(input: Tensor, s: _Numbers = None, dim: _Numbers = None, norm: str | None = None) -> Tensor:
    """fft along several dimensions.

    input: any shape, float32, float64, complex64, complex128, integers or bools; the result is complex.  dim: the dimensions;
    None for the last ones, as many as s has, or all.  s: the length of each, to which input is cut or filled up with zeros; -1 and
    None: the size there is.  norm: as for fft; n is the product of the lengths.  Raises ShapeError for a dimension given twice,
    ArgumentError for s and dim of different lengths, and what fft raises.  Source: Cooley and Tukey 1965.

        fftn(x, dim=(0, 2))  # fft(fft(x, dim=2), dim=0)
    """
    return _complex("fftn", input, s, dim, norm, False)


@with_out
def ifftn(input: Tensor, s: _Numbers = None, dim: _Numbers = None, norm: str | None = None) -> Tensor:
    """The inverse of fftn: ifft along several dimensions.

    Arguments, shapes, dtypes and what it Raises are fftn's; norm: as for ifft.  Source: Cooley and Tukey 1965.

        ifftn(fftn(x))  # x
    """
    return _complex("ifftn", input, s, dim, norm, True)


@with_out
def rfftn(input: Tensor, s: _Numbers = None, dim: _Numbers = None, norm: str | None = None) -> Tensor:
    """rfft along the last of several dimensions, then fft along the others.

    input: any shape but (), float32, float64, integers or bools; the result is complex, n // 2 + 1 long along the last of dim.
    s, dim and norm: as for fftn.  Raises DTypeError for complex input, ArgumentError for no dimension, and what fftn raises.
    Source: Cooley, Lewis and Welch 1970.

        rfftn(x)  # fftn(x)[..., :x.shape[-1] // 2 + 1]
    """
    return _to_half("rfftn", input, s, dim, norm, False)


@with_out
def irfftn(input: Tensor, s: _Numbers = None, dim: _Numbers = None, norm: str | None = None) -> Tensor:
    """The inverse of rfftn: ifft along all but the last of several dimensions, then irfft along that one.

    input: any shape but (), complex or real; the result is float32 or float64.  s: as for fftn; its last number is the result's
    size, 2 (m - 1) for None where there are m.  dim and norm: as for fftn and ifft.  Raises ArgumentError for no dimension, and
    what fftn raises.  Source: Cooley, Lewis and Welch 1970.

        irfftn(rfftn(x), s=x.shape)  # x
    """
    return _from_half("irfftn", input, s, dim, norm, True)


@with_out
def hfftn(input: Tensor, s: _Numbers = None, dim: _Numbers = None, norm: str | None = None) -> Tensor:
    """fft along all but the last of several dimensions, then hfft along that one.

    input: any shape but (), complex or real; the result is float32 or float64.  s and dim: as for irfftn; norm: as for fft.
    Raises what irfftn raises.  Source: Cooley, Lewis and Welch 1970.

        hfftn(x, s=(4, 6))  # hfft(fft(x, n=4, dim=0), n=6)
    """
    return _from_half("hfftn", input, s, dim, norm, False)


@with_out
def ihfftn(input: Tensor, s: _Numbers = None, dim: _Numbers = None, norm: str | None = None) -> Tensor:
    """The inverse of hfftn: ihfft along the last of several dimensions, then ifft along the others.

    input: any shape but (), float32, float64, integers or bools; the result is complex.  s and dim: as for fftn; norm: as for ifft.
    Raises what rfftn raises.  Source: Cooley, Lewis and Welch 1970.

        ihfftn(hfftn(x, s=(4, 6)))  # x[:, :4], completed to a symmetric spectrum
    """
    return _to_half("ihfftn", input, s, dim, norm, True)


@with_out
def fft2(input: Tensor, s: _Numbers = None, dim: _Numbers = (-2, -1), norm: str | None = None) -> Tensor:
    """fftn along the last two dimensions.

    Arguments, shapes, dtypes and what it Raises are fftn's.  Source: Cooley and Tukey 1965.

        fft2(image)  # fft(fft(image, dim=-1), dim=-2)
    """
    return _complex("fft2", input, s, dim, norm, False)


@with_out
def ifft2(input: Tensor, s: _Numbers = None, dim: _Numbers = (-2, -1), norm: str | None = None) -> Tensor:
    """ifftn along the last two dimensions: the inverse of fft2.

    Arguments, shapes, dtypes and what it Raises are ifftn's.  Source: Cooley and Tukey 1965.

        ifft2(fft2(image))  # image
    """
    return _complex("ifft2", input, s, dim, norm, True)


@with_out
def rfft2(input: Tensor, s: _Numbers = None, dim: _Numbers = (-2, -1), norm: str | None = None) -> Tensor:
    """rfftn along the last two dimensions.

    Arguments, shapes, dtypes and what it Raises are rfftn's.  Source: Cooley, Lewis and Welch 1970.

        rfft2(image)  # fft2(image)[..., :image.shape[-1] // 2 + 1]
    """
    return _to_half("rfft2", input, s, dim, norm, False)


@with_out
def irfft2(input: Tensor, s: _Numbers = None, dim: _Numbers = (-2, -1), norm: str | None = None) -> Tensor:
    """irfftn along the last two dimensions: the inverse of rfft2.

    Arguments, shapes, dtypes and what it Raises are irfftn's.  Source: Cooley, Lewis and Welch 1970.

        irfft2(rfft2(image), s=image.shape[-2:])  # image
    """
    return _from_half("irfft2", input, s, dim, norm, True)


@with_out
def hfft2(input: Tensor, s: _Numbers = None, dim: _Numbers = (-2, -1), norm: str | None = None) -> Tensor:
    """hfftn along the last two dimensions.

    Arguments, shapes, dtypes and what it Raises are hfftn's.  Source: Cooley, Lewis and Welch 1970.

        hfft2(x, s=(4, 6))  # hfft(fft(x, n=4, dim=-2), n=6)
    """
    return _from_half("hfft2", input, s, dim, norm, False)


@with_out
def ihfft2(input: Tensor, s: _Numbers = None, dim: _Numbers = (-2, -1), norm: str | None = None) -> Tensor:
    """ihfftn along the last two dimensions: the inverse of hfft2.

    Arguments, shapes, dtypes and what it Raises are ihfftn's.  Source: Cooley, Lewis and Welch 1970.

        ihfft2(image)  # ifft(ihfft(image, dim=-1), dim=-2)
    """
    return _to_half("ihfft2", input, s, dim, norm, True)
