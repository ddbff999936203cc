"""Discrete Fourier transforms of any length along lines of any layout, on the device."""
