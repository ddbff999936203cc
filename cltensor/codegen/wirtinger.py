"""Gradients of the scalar functions that are not holomorphic, over complex numbers.

For a real L the gradient by z = a + i b is dL/da + i dL/db.  A rule gives, from the gradient g of its result y, those of its
arguments.
Source: K. Kreutz-Delgado, "The Complex Gradient Operator and the CR-Calculus", 2009.
"""

from . import functions as f


def _abs(g, a, y):
    return (f.real(g) * f.sign(a),)


def _sign(g, a, y):
    size = f.abs(a)
    return (f.where(size == 0, 0, (g - y * f.real(f.conj(g) * y)) / size),)


def _angle(g, a, y):
    size = f.abs(a)
    return (f.where(size == 0, 0, f.real(g) * (f.complex(-f.imag(a), f.real(a)) / (size * size))),)


def _acosh(g, a, y):
    return (g / f.conj(f.sqrt(a - 1) * f.sqrt(a + 1)),)  # sqrt(a * a - 1) has another sign in the left half plane


#: name -> (g, *arguments, y) -> a gradient for each argument, None if it has none
RULES = {
    "abs": _abs, "sign": _sign, "angle": _angle, "acosh": _acosh,
    "conj": lambda g, a, y: (f.conj(g),),
    "real": lambda g, a, y: (f.real(g),),
    "imag": lambda g, a, y: (f.complex(0, f.real(g)),),
    "complex": lambda g, re, im, y: (f.real(g), f.imag(g)),
}
