"""Short-time Fourier transforms: spectra of windows along a signal, and the signal from them.

Source: Griffin and Lim 1984 for the inverse, the signal of least squares.
"""

from ...base.errors import ArgumentError, DimensionError, DTypeError, ShapeError
from ...ops.fft.fourier import c2c, c2r, r2c
from ..core.public_api import function
from ..core.tensor import Tensor
from ..shape.padding import pad_constant, pad_mode
from ..shape.shape import as_strided, narrow
from . import fourier
from .complex_numbers import view_as_real

_PADDED = ("reflect", "replicate", "circular", "constant")
_LEAST = 1e-11  # of the squared windows' sum, where a signal is restored


def _window(name, window, n_fft, win_length):
    """window as n_fft numbers, with zeros at both ends; None for None unless it is shorter."""
    if window is not None and tuple(window.shape) != (win_length,):
        raise ShapeError(f"{name}: expected a 1D window tensor of size equal to win_length={win_length}, but got window with size "
                         f"{list(window.shape)}")
    if window is None or win_length == n_fft:
        return window
    left = (n_fft - win_length) // 2
    return pad_constant(window, (left, n_fft - win_length - left))


def _lengths(name, n_fft, hop_length, win_length, like, window):
    """(hop_length, window) with their defaults filled in and checked."""
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    if not 0 < win_length <= n_fft:
        raise ArgumentError(f"{name}: expected 0 < win_length <= n_fft, but got win_length={win_length}, n_fft={n_fft}")
    if hop_length <= 0:
        raise ArgumentError(f"{name}: expected hop_length > 0, but got hop_length={hop_length}")
    if window is None and win_length < n_fft:
        window = like.new_ones(win_length, dtype=like.dtype.to_real())
    return hop_length, win_length, _window(name, window, n_fft, win_length)


def _centred(input, n_fft, mode):
    """The signal with n_fft // 2 numbers before and after it."""
    if mode not in _PADDED:
        raise ArgumentError(f"stft: Unrecognised padding mode {mode!r}; it may be one of {', '.join(_PADDED)}")
    pad = (n_fft // 2, n_fft // 2)
    return pad_constant(input, pad) if mode == "constant" else pad_mode(input, pad, mode)


@function(out=False)
def stft(input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Tensor | None = None,
         center: bool = True, pad_mode: str = "reflect", normalized: bool = False, onesided: bool | None = None,
         return_complex: bool | None = None, align_to_window: bool | None = None) -> Tensor:
    """The Fourier transforms of windows along a signal: y[k, t] is the sum over j of w[j] x[t hop + j] exp(-2 pi i j k / n).

    input: (L,) or (B, L), floating or complex.  The result is complex, (N, T) or (B, N, T): N frequencies, n_fft // 2 + 1 if
    onesided, else n_fft; T windows.  hop_length: between windows, n_fft // 4 for None.  window: (win_length,), ones for None; it
    stands in the middle of n_fft numbers, zeros around it; win_length: n_fft for None.  center: window t has its middle at
    t hop_length, for which the signal is padded at both ends as pad_mode says: "reflect", "replicate", "circular" or "constant".
    normalized: divide by sqrt(n_fft).  onesided: None for real input and window.  return_complex: required for real input; False
    gives pairs, (*, 2).  align_to_window: without center, the first window, not the first n_fft numbers, starts with the signal.
    Raises ShapeError, ArgumentError and DTypeError for arguments that do not fit.  Source: Griffin and Lim 1984.

        stft(signal, 400, hop_length=160, window=hann_window(400), return_complex=True).abs() ** 2  # a spectrogram
    """
    input = _signal(input)
    complex_ = input.dtype.is_complex or (window is not None and window.dtype.is_complex)
    if return_complex is None:
        if not complex_:
            raise ArgumentError("stft requires the return_complex parameter be given for real inputs: return_complex=True for "
                                "complex numbers, False for pairs")
        return_complex = True
    onesided = not complex_ if onesided is None else onesided
    if onesided and complex_:
        raise ArgumentError("stft: Cannot have onesided output if window or input is complex; pass onesided=False")
    if center and align_to_window is not None:
        raise ArgumentError("stft: align_to_window should only be set when center = false")
    batched = input.ndim == 2
    x = input if batched else input.unsqueeze(0)
    if center:
        x = _centred(x, n_fft, pad_mode)
    if not 0 < n_fft <= x.shape[1]:
        raise ArgumentError(f"stft: expected 0 < n_fft <= {x.shape[1]}, the length of the signal with its padding, but got "
                            f"n_fft={n_fft}")
    hop_length, win_length, window = _lengths("stft", n_fft, hop_length, win_length, x, window)
    if align_to_window:
        left = (n_fft - win_length) // 2
        x = pad_constant(x, (left, n_fft - win_length - left))
    frames = x.unfold(1, n_fft, hop_length)
    frames = frames if window is None else frames * window
    scale = n_fft**-0.5 if normalized else 1.0
    forward = {"dim": 2, "inverse": False, "scale": scale}
    y = (r2c(frames, **forward, middle=1.0) if onesided else c2c(frames, **forward)).transpose(1, 2)
    y = y if batched else y.squeeze(0)
    return y if return_complex else view_as_real(y)


def _signal(input):
    if not input.dtype.is_inexact:
        raise DTypeError(f"stft: expected a tensor of floating point or complex values, got {input.dtype.name}; use .float()")
    if input.ndim not in (1, 2):
        raise ShapeError(f"stft: expected a 1D or 2D tensor, got shape {list(input.shape)}")
    return fourier.floating("stft", input)


@function(out=False)
def istft(input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Tensor | None = None,
          center: bool = True, normalized: bool = False, onesided: bool | None = None, length: int | None = None,
          return_complex: bool = False) -> Tensor:
    """The signal whose short-time Fourier transform is nearest to input: windows laid over each other, over their squares' sum.

    input: (N, T) or (B, N, T), complex, as stft gives it.  The result is (L,) or (B, L), float32 or float64, complex with
    return_complex.  n_fft, hop_length, win_length, window, center, normalized: as they were for stft.  onesided: None for
    N != n_fft; of n_fft frequencies the first half tells a real signal.  length: of the result, cut off or filled up with zeros;
    None for all that the windows cover.
    Raises ArgumentError where the sum of the squared windows vanishes, which waits for the device; ShapeError, ArgumentError and
    DTypeError for arguments that do not fit.  Source: Griffin and Lim 1984.

        istft(stft(x, 400, window=w, return_complex=True), 400, window=w, length=len(x))  # x
    """
    _check_spectrum(input, n_fft, onesided)
    onesided = input.shape[-2] != n_fft if onesided is None else onesided
    if onesided and return_complex:
        raise ArgumentError("istft: Cannot have onesided output if window or input is complex; return_complex=True needs "
                            "onesided=False")
    if window is not None and window.dtype.is_complex and not return_complex:
        raise ArgumentError("istft: Complex windows are incompatible with return_complex=False")
    hop_length, win_length, window = _lengths("istft", n_fft, hop_length, win_length, input, window)
    if hop_length > win_length:
        raise ArgumentError(f"istft: expected 0 < hop_length <= win_length, got hop_length={hop_length}, win_length={win_length}")
    spectra = (input if input.ndim == 3 else input.unsqueeze(0)).transpose(1, 2)
    frames = _frames(fourier.complex_("istft", spectra), n_fft, normalized, return_complex)
    start, end = _span(n_fft, hop_length, spectra.shape[1], center, length)
    squares = frames.new_ones(n_fft, dtype=frames.dtype.to_real()) if window is None else window * window
    signal = _laid_over(frames if window is None else frames * window, hop_length, start, end)
    weight = _laid_over(squares.expand(1, spectra.shape[1], n_fft), hop_length, start, end)
    least = weight.detach().abs().min().item() if weight.shape[1] else 0.0
    if least <= _LEAST:
        raise ArgumentError(f"istft: window overlap add min: {least}; the windows do not cover the signal. Use a smaller "
                            "hop_length, another window, or center=True, which leaves out both ends")
    signal = signal / weight
    if length is not None and signal.shape[1] < length:
        signal = pad_constant(signal, (0, length - signal.shape[1]))
    return signal if input.ndim == 3 else signal.squeeze(0)


def _check_spectrum(input, n_fft, onesided):
    if not input.dtype.is_complex:
        raise DTypeError("istft requires a complex-valued input tensor matching the output from stft with return_complex=True; "
                         f"this one is {input.dtype.name}")
    if input.ndim not in (2, 3):
        raise DimensionError(f"istft: expected a tensor with 2 or 3 dimensions, but got {input.ndim}")
    if not input.numel():
        raise ShapeError(f"istft: input tensor cannot be empty, got shape {list(input.shape)}")
    wanted = (n_fft // 2 + 1,) if onesided else (n_fft,) if onesided is not None else (n_fft // 2 + 1, n_fft)
    if input.shape[-2] not in wanted:
        raise ShapeError(f"istft: expected the frequency dimension of the input tensor, the one before the last, to be "
                         f"{' or '.join(map(str, wanted))} for n_fft={n_fft}, but got {input.shape[-2]}")


def _frames(spectra, n_fft, normalized, return_complex):
    """The windowed pieces of the signal, (B, T, n_fft)."""
    scale = n_fft ** (-0.5 if normalized else -1.0)
    if return_complex:
        return c2c(spectra, dim=2, inverse=True, scale=scale)
    return c2r(narrow(spectra, 2, 0, n_fft // 2 + 1), dim=2, inverse=True, scale=scale, n=n_fft, middle=1.0)


def _span(n_fft, hop_length, count, center, length):
    """Which part of what `count` windows cover is the signal."""
    whole, start = n_fft + hop_length * (count - 1), n_fft // 2 if center else 0
    end = whole - start if length is None else min(whole, start + length)
    return start, end


def _laid_over(frames, hop, start, end):
    """The elements from start to end of the sum of frames (B, T, n), each hop after the one before it."""
    batch, count, n = frames.shape
    parts = -(-n // hop)  # of hop elements each; row t of the sum has part k of frame t - k
    rows, size = count + parts - 1, parts * hop
    apart = pad_constant(frames, (0, size - n, parts - 1, parts - 1))
    outer = (count + 2 * parts - 2) * size
    shown = as_strided(apart, (batch, rows, parts, hop), (outer, size, size - hop, 1), (parts - 1) * hop)
    return narrow(shown.sum(2).reshape(batch, rows * hop), 1, start, max(end - start, 0))
