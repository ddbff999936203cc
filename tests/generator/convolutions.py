"""Samples of convolutions and their gradients that between them run every kernel and form."""

import numpy as np

from cltensor.dispatch.registry import REGISTRY
from cltensor.ops.conv.convolution import output_size
from ops import samples

#: x, w, stride, padding, dilation, groups
GEOMETRIES = (
    ((2, 3, 5, 6), (5, 3, 3, 3), (1, 1), ((1, 1), (0, 2)), (1, 1), 1),
    ((2, 4, 9), (20, 4, 3), (2,), (0,), (2,), 1),
    ((1, 2, 5, 6, 4), (4, 2, 3, 2, 1), (2, 1, 3), (1, 1, 0), (1, 2, 1), 1),
    ((2, 4, 5, 7), (6, 2, 3, 3), (2, 1), (1, 1), (1, 2), 2),
    ((3, 3, 6, 19), (3, 1, 3, 3), (1, 1), (1, 1), (1, 1), 3),
    ((3, 4, 9, 11), (8, 1, 3, 2), (2, 3), (0, 1), (1, 2), 4),
    ((1, 64, 7, 7), (8, 64, 3, 3), (1, 1), (1, 1), (1, 1), 1),  # cut along the reduction in the gpu style
    ((4, 3, 16, 16), (33, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1),  # its weight gradient in the cpu style
)
BY_TILES = (
    ((2, 3, 7, 9), (17, 3, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((1, 5, 4, 6), (3, 5, 3, 3), (1, 1), ((0, 0), (2, 1)), (1, 1), 1),
)


def drawn(geometries, dtype):
    """{op: its samples} of one dtype, with and without bias."""
    rng, found = np.random.default_rng(samples.SEED), {}

    def array(shape):
        return samples.representable(rng.uniform(-1, 1, shape), dtype)

    for i, (x, w, stride, padding, dilation, groups) in enumerate(geometries):
        attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        g = (x[0], w[0], *output_size(x[2:], w[2:], stride, padding, dilation))
        for name, arrays, further in (
                ("convolution", (array(x), array(w), array(w[:1]) if i % 2 == 0 else None), {}),
                ("convolution_input_gradient", (array(g), array(w)), {"size": x[2:]}),
                ("convolution_weight_gradient", (array(g), array(x)), {"size": w[2:]})):
            found.setdefault(REGISTRY[name], []).append((arrays, {**attrs, **further}))
    return found
