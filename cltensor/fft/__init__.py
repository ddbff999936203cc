"""cltensor.fft: discrete Fourier transforms of any length, on the device, with torch.fft's names."""

from ..base.calls import named_all as _named_all
from .frequencies import fftfreq, fftshift, ifftshift, rfftfreq
from .n_dimensional import fft2, fftn, hfft2, hfftn, ifft2, ifftn, ihfft2, ihfftn, irfft2, irfftn, rfft2, rfftn
from .one_dimensional import fft, hfft, ifft, ihfft, irfft, rfft

_named_all(globals())

__all__ = ["fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
           "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn"]


def __dir__():
    return sorted(__all__)
