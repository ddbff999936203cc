"""Fourier transforms: what they take and what comes out."""

import cltensor as ct
from cltensor import Tensor


def spectrogram(signal: Tensor, size: int = 256) -> Tensor:
    window = ct.hann_window(size, dtype=ct.float32)
    return ct.stft(signal, size, hop_length=size // 4, window=window, return_complex=True).abs()


def smoothed(image: Tensor, keep: int) -> Tensor:
    spectrum = ct.fft.fftshift(ct.fft.fft2(image), dim=(-2, -1))
    low = ct.zeros_like(spectrum)
    low[..., :keep] = spectrum[..., :keep]
    return ct.fft.ifft2(ct.fft.ifftshift(low, dim=(-2, -1)), norm="backward").real


frequencies: Tensor = ct.fft.rfftfreq(64, d=0.5, dtype=ct.float64)
half: Tensor = ct.fft.rfft(ct.randn(3, 64), n=128, dim=-1, norm="ortho")
whole: Tensor = ct.fft.irfftn(half, s=(3, 128), dim=(0, 1))
