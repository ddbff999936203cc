"""Launch rules of convolutions with few pixels, as products of the weights with patches (template conv_columns).

The product reads the weights once, where they lie; other forms pack them first, which takes longer than the sums where these
are few.
"""

import math
from typing import NamedTuple

from ...base.context import context
from ...codegen.templates import render
from ...dispatch.plan import In, Out, Scratch
from ..gemm import gemm
from ..kinds.launch import compute_dtype, cpu_groups, step

FEW = 4  # this form pays up to one pixel for so many of the weights' rows
WEIGHTS = 1 << 15  # with fewer weights, packing them costs less than a launch
TAPS = 64  # of a kernel, at most


class Patches(NamedTuple):
    """The patches that a kernel covers.

    image: 5-d Spec; out, kernel: sizes in three dimensions; stride, before (padding), apart (dilation): numbers for each.
    """

    image: object
    out: tuple
    kernel: tuple
    stride: tuple
    before: tuple
    apart: tuple

    @property
    def pixels(self):
        """How many there are, of all images."""
        return self.image.shape[0] * math.prod(self.out)

    @property
    def rows(self):
        """How many elements each has."""
        return self.image.shape[1] * math.prod(self.kernel)

    @property
    def matrix(self):
        """Memory for all of them, as columns."""
        return Scratch(self.rows * self.pixels * compute_dtype(self.image.dtype).itemsize)


def suits(patches, weights, groups):
    """Whether this form is faster for a convolution with these weights (5-d Spec).  It never is where they are packed but once."""
    image = patches.image
    if context.lasting or image.device.profile.style != "cpu" or groups != 1 or compute_dtype(image.dtype) is not image.dtype:
        return False
    k, taps = weights.shape[0], math.prod(patches.kernel)
    if sum((n - 1) * s for n, s in zip(image.shape, image.strides, strict=True)) >= 1 << 31:
        return False
    return (0 < patches.pixels * FEW <= k and 0 < taps <= TAPS and weights.numel >= WEIGHTS and image.numel > 0
            and weights.contiguous)


def forward_steps(device, patches, result, bias, activation=""):
    """The Steps of the result, 5-d Spec, Out(0), from the image, In(0), and the weights, In(1); bias: (In, Spec) or None."""
    columns, k = patches.matrix, result.shape[1]
    extras = ((bias[0], bias[1].dtype, (0, bias[1].strides[0], 0)),) if bias else ()
    whole = result.shape[0] == 1 and result.contiguous
    product = Out(0) if whole else Scratch(k * patches.pixels * result.dtype.itemsize)
    made = [_step(device, "gather", patches, In(0), columns), *gemm.product_steps(gemm.MatrixProduct(
        device, result.dtype, (), k, patches.pixels, patches.rows, gemm.Operand(In(1), (), patches.rows, 1),
        gemm.Operand(columns, (), patches.pixels, 1), extras, "acc + e0" if bias else "acc", activation=activation, c=product))]
    return made if whole else [*made, _step(device, "sum", _points(result), Out(0), product)]


def input_gradient_steps(device, patches, g):
    """The Steps of the gradient of the image, Out(0), from that of the result, In(0) of 5-d Spec g, and the weights, In(1)."""
    points, k = _points(g), g.shape[1]
    columns, product = points.matrix, patches.matrix
    return [_step(device, "gather", points, In(0), columns), *gemm.product_steps(gemm.MatrixProduct(
        device, g.dtype, (), patches.rows, patches.pixels, k, gemm.Operand(In(1), (), 1, patches.rows),
        gemm.Operand(columns, (), patches.pixels, 1), c=product)), _step(device, "sum", patches, Out(0), product)]


def weight_gradient_steps(device, patches, g):
    """The Steps of the gradient of the weights, Out(0), from that of the result, In(0) of 5-d Spec g, and the image, In(1)."""
    points, k = _points(g), g.shape[1]
    of_g, of_image = points.matrix, patches.matrix
    return [_step(device, "gather", points, In(0), of_g), _step(device, "gather", patches, In(1), of_image),
            *gemm.product_steps(gemm.MatrixProduct(
                device, g.dtype, (), k, patches.rows, patches.pixels, gemm.Operand(of_g, (), patches.pixels, 1),
                gemm.Operand(of_image, (), 1, patches.pixels)))]


def _points(image):
    """The Patches of a kernel with one tap: a column for each pixel of the images."""
    return Patches(image, image.shape[2:], (1, 1, 1), (1, 1, 1), (0, 0, 0), (1, 1, 1))


def _step(device, form, patches, image, columns):
    p = patches
    (n, c, *size), strides = p.image.shape, p.image.strides
    names = ("n", "c", "d", "h", "w")
    numbers = {**dict(zip(names, (n, c, *size), strict=True)), **dict(zip((f"{x}_s" for x in names), strides, strict=True))}
    for letters, values in (("o", p.out), ("k", p.kernel)):
        numbers.update(zip((f"{letters}{x}" for x in "dhw"), values, strict=True))
    for letter, values in (("s", p.stride), ("p", p.before), ("l", p.apart)):
        numbers.update((f"{letter}{i}", v) for i, v in enumerate(values))
    source = render("conv_columns", style=device.profile.style, form=form, dtype=p.image.dtype)
    units = c * math.prod(p.kernel) if form == "gather" else c
    return step(source, image=image, columns=columns, **numbers, groups=cpu_groups(device, units))
