"""Samples of Fourier transforms that between them run every kernel and way: their declared ones are short lines."""

import numpy as np

#: shape, dimension, whether the inverse: lines side by side and one after another, as matrices in one launch and in two, by a chirp
COMPLEX = (((256, 9), 0, False), ((16, 128), 1, True), ((3, 240), 1, False), ((3, 240), 1, True), ((1, 1 << 14), 1, True),
           ((2, 211), 1, False))
#: length, whether the inverse: even and odd ones
REAL = ((420, True), (441, False))


def drawn():
    """{name of an op: its samples}."""
    rng = np.random.default_rng(7)

    def numbers(*shape):
        return rng.uniform(-1, 1, shape) + 1j * rng.uniform(-1, 1, shape)

    given = {"dim": 1, "scale": 0.5, "middle": 1.5}
    return {"fft_c2c": [((numbers(*shape),), {"dim": dim, "inverse": inverse, "scale": 0.5}) for shape, dim, inverse in COMPLEX],
            "fft_r2c": [((numbers(2, n).real,), {**given, "inverse": inverse}) for n, inverse in REAL],
            "fft_c2r": [((numbers(2, n // 2 + 1),), {**given, "inverse": inverse, "n": n}) for n, inverse in REAL]}
