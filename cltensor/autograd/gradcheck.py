"""gradcheck and gradgradcheck: compare gradients with finite differences of the function.

A complex number counts as two real ones, its parts: the gradient of a real L by z = a + i b is dL/da + i dL/db, so seeds of 1 and i
give the rows of the real and the imaginary part.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..base import dtypes
from ..base.errors import ArgumentError, AutogradError
from . import forward_ad
from .api import grad
from .function import Function
from .modes import enable_grad, no_grad

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(AutogradError):
    """The gradient and the finite differences disagree, or a gradient breaks a rule."""


def gradcheck(func: Callable[..., Any], inputs, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
              raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
              check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_forward_ad: bool = False,
              check_backward_ad: bool = True, fast_mode: bool = False, masked: bool | None = None):
    """Compare the gradients of func(*inputs) with central differences of step eps.

    inputs: a tensor or a tuple; those that require grad are checked, of any shape, and should be float64 or
    complex128.  The Jacobian is compared
    element by element within atol + rtol * |numerical|; fast_mode compares one random projection of it instead. nondet_tol: largest
    difference between two runs of the same backward.  check_undefined_grad: whether to try outputs without a gradient.
    check_grad_dtypes: whether a gradient's dtype must be its input's.  check_backward_ad: whether gradients are compared;
    check_forward_ad: tangents of dual tensors too.  check_batched_grad: whether grad(..., is_grads_batched=True) must give what
    separate calls give.  masked: what zeros of sparse inputs mean; dense ones have no such choice.
    Returns True; if the check fails, raises GradcheckError, or returns False without raise_exception.

    Raises GradcheckError where gradients and differences disagree; ArgumentError where no input requires grad, where neither kind
    of derivative is to be compared, or where check_batched_grad is set without check_backward_ad.
    Numerics: the error of a central difference is of order eps ** 2 + 2e-16 / eps; in float32 it is too large to compare.
    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 25.3.21.

        >>> x = ct.tensor([0.5, 2.0], dtype=ct.float64, requires_grad=True)
        >>> ct.autograd.gradcheck(ct.sin, x)
        True
    """
    inputs = tuple(inputs) if isinstance(inputs, (list, tuple)) else (inputs,)
    _check_kinds(check_forward_ad, check_backward_ad, check_batched_grad)
    try:
        check = _Check(func, inputs, eps, atol, rtol, nondet_tol)
        check.run(fast_mode, check_forward_ad, check_backward_ad)
        if check_batched_grad:
            check.batched()
        if check_undefined_grad and check_backward_ad:
            check.undefined()
        if check_grad_dtypes and check_backward_ad:
            check.dtypes()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func: Callable[..., Any], inputs, grad_outputs=None, *, eps: float = 1e-6, atol: float = 1e-5,
                  rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
                  nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
                  check_batched_grad: bool = False, check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
                  fast_mode: bool = False, masked: bool = False):
    """Compare the second derivatives of func(*inputs) with central differences of the first ones.

    It is gradcheck of the gradients as functions of inputs and grad_outputs, which have the shapes and dtypes of the outputs and
    are drawn at random unless given; gen_non_contig_grad_outputs draws them with gaps in memory.  check_rev_over_rev: whether
    gradients of gradients are compared; check_fwd_over_rev: tangents of gradients too.  Everything else as in gradcheck.

    Raises GradcheckError where they disagree, unless raise_exception is False; ArgumentError where no input requires grad.
    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 25.3.21.

        >>> x = ct.tensor([0.5, 2.0], dtype=ct.float64, requires_grad=True)
        >>> ct.autograd.gradgradcheck(ct.sin, x)
        True
    """
    inputs = tuple(inputs) if isinstance(inputs, (list, tuple)) else (inputs,)
    if grad_outputs is None:
        outputs = _differentiable(func(*inputs))
        grad_outputs = tuple(_random_like(o, gen_non_contig_grad_outputs) for o in outputs)
    elif not isinstance(grad_outputs, (list, tuple)):
        grad_outputs = (grad_outputs,)
    n = len(grad_outputs)

    def first_gradients(*args):
        arguments, seeds = args[:-n], args[-n:]
        wanted = [x for x in arguments if _is_checked(x)]
        with enable_grad():
            found = grad(_differentiable(func(*arguments)), wanted, seeds, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(first_gradients, (*inputs, *grad_outputs), eps=eps, atol=atol, rtol=rtol,
                     raise_exception=raise_exception, nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad,
                     check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
                     check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev, fast_mode=fast_mode, masked=masked)


def _check_kinds(forward, backward, batched):
    if not (forward or backward):
        raise ArgumentError("gradcheck: Expected at least one of check_forward_ad or check_backward_ad to be True")
    if batched and not backward:
        raise ArgumentError("gradcheck: Setting check_batched_grad=True requires check_backward_ad to be True")


class _Check:
    """One function at one point."""

    def __init__(self, func, inputs, eps, atol, rtol, nondet_tol):
        self.func, self.args = func, inputs
        self.eps, self.atol, self.rtol, self.nondet_tol = eps, atol, rtol, nondet_tol
        self.numbers = [i for i, x in enumerate(inputs) if _is_checked(x)]
        self.inputs = [inputs[i] for i in self.numbers]
        _check_inputs(inputs, self.numbers)

    def outputs(self):
        return _floating(self.func(*self.args))

    def run(self, fast, forward, backward):
        outputs = self.outputs()
        if not any(o.requires_grad for o in outputs):
            self._constant(outputs)
        if forward:
            (self._along_one if fast else self._along_each)(len(outputs))
        if backward:
            (self._projected if fast else self._elementwise)(outputs)

    def _constant(self, outputs):
        """If no output requires grad, none may depend on the inputs."""
        for k, x in zip(self.numbers, self.inputs, strict=True):
            if any(np.abs(j).max(initial=0) > self.atol for j in self.numerical(x, len(outputs))):
                raise GradcheckError("Numerical gradient for function expected to be zero: no output requires grad, "
                                     f"but the outputs depend on input {k}")

    def numerical(self, x, n):
        """Per output: the Jacobian of its parts with respect to those of x, by central differences."""
        rows = [[] for _ in range(n)]
        for at, value in np.ndenumerate(x.detach().numpy()):
            for d in _directions(x):
                for row, change in zip(rows, self._difference([(x, at, value, d)]), strict=True):
                    row.append(change)
        return [np.stack(row) if row else np.zeros((0, 0)) for row in rows]

    def _difference(self, moves):
        """(f(x + eps d) - f(x - eps d)) / (2 eps) per output, flat; moves: (x, index, value, d) of elements."""
        ends, versions = [], {x._storage: x._storage.version for x, *_ in moves}
        for sign in (1, -1):
            for x, at, value, d in moves:
                _poke(x, at, value + sign * self.eps * d)
                x._storage.version = next(_POKED)  # what is kept of other values must not be taken
            with no_grad():
                ends.append([_parts(o.detach().numpy()) for o in self.outputs()])
        for x, at, value, _ in moves:
            _poke(x, at, value)
            x._storage.version = versions[x._storage]
        return [(up - down) / (2 * self.eps) for up, down in zip(*ends, strict=True)]

    def backward(self, output, seed):
        """Gradients of all checked inputs, as arrays, for the gradient `seed` (an array) of output."""
        if not output.requires_grad:
            return [np.zeros(x.shape, x.dtype.numpy) for x in self.inputs]
        seed = output.new_tensor(seed, dtype=output.dtype)
        found = grad(output, self.inputs, seed, retain_graph=True, allow_unused=True)
        for k, x, g in zip(self.numbers, self.inputs, found, strict=True):
            if g is not None and g.shape != x.shape:
                raise GradcheckError(f"Analytical gradient has incorrect size: {list(g.shape)} for input {k} "
                                     f"{list(x.shape)}")
        return [np.zeros(x.shape, x.dtype.numpy) if g is None else g.detach().numpy()
                for x, g in zip(self.inputs, found, strict=True)]

    def analytical(self, output):
        """Per input: the Jacobian of output's parts by backward, with respect to the input's parts."""
        columns = [[] for _ in self.inputs]
        self._repeatable(output, _between(np.random.default_rng(0), output))
        for at in np.ndindex(*output.shape):
            for d in _directions(output):
                seed = np.zeros(output.shape, output.dtype.numpy)
                seed[at] = d
                for column, g in zip(columns, self.backward(output, seed), strict=True):
                    column.append(_parts(g))
        return [np.stack(c, axis=1) if c else np.zeros((_parts(np.empty(x.shape, x.dtype.numpy)).size, 0))
                for c, x in zip(columns, self.inputs, strict=True)]

    def _repeatable(self, output, seed):
        """The gradients for `seed`.  Raises GradcheckError unless a second run gives the same."""
        first, second = self.backward(output, seed), self.backward(output, seed)
        for a, b in zip(first, second, strict=True):
            if np.abs(a - b).max(initial=0) > self.nondet_tol:
                raise GradcheckError("Backward is not reentrant, i.e., running backward with same input and "
                                     "grad_output multiple times gives different values. The tolerance for "
                                     f"nondeterminism was {self.nondet_tol}")
        return first

    def _elementwise(self, outputs):
        analytical = [self.analytical(o) for o in outputs]
        for j, (k, x) in enumerate(zip(self.numbers, self.inputs, strict=True)):
            for i, numerical in enumerate(self.numerical(x, len(outputs))):
                self._compare(analytical[i][j], numerical.reshape(analytical[i][j].shape), i, k)

    def _projected(self, outputs):
        """u' J v for random u and v, per output and input."""
        rng = np.random.default_rng(0)
        for i, output in enumerate(outputs):
            u = _between(rng, output)
            gradients = self._repeatable(output, u)
            for k, x, g in zip(self.numbers, self.inputs, gradients, strict=True):
                v = _between(rng, x)
                values = x.detach().numpy()
                numerical = self._difference([(x, at, values[at], v[at]) for at in np.ndindex(*x.shape)])[i] @ _parts(u)
                self._compare(_parts(g) @ _parts(v), numerical, i, k)

    def tangents(self, k, direction):
        """Per output: the tangent, flat, where input k has the tangent `direction`, an array."""
        x = self.args[k]
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(x.detach(), x.detach().new_tensor(direction, dtype=x.dtype))
            outputs = _floating(self.func(*self.args[:k], dual, *self.args[k + 1:]))
            found = [(o, forward_ad.unpack_dual(o).tangent) for o in outputs]
        return [_parts(np.zeros(o.shape, o.dtype.numpy) if t is None else t.detach().numpy()) for o, t in found]

    def _along_each(self, n):
        """Tangents in the direction of each element, against differences."""
        for k, x in zip(self.numbers, self.inputs, strict=True):
            rows = [[] for _ in range(n)]
            for at in np.ndindex(*x.shape):
                for d in _directions(x):
                    direction = np.zeros(x.shape, x.dtype.numpy)
                    direction[at] = d
                    for row, tangent in zip(rows, self.tangents(k, direction), strict=True):
                        row.append(tangent)
            for i, (row, numerical) in enumerate(zip(rows, self.numerical(x, n), strict=True)):
                self._compare(np.stack(row) if row else np.zeros((0, 0)), numerical, i, k, " computed with forward mode")

    def _along_one(self, n):
        """Tangents in one random direction, against differences."""
        rng = np.random.default_rng(0)
        for k, x in zip(self.numbers, self.inputs, strict=True):
            v, values = _between(rng, x), x.detach().numpy()
            numerical = self._difference([(x, at, values[at], v[at]) for at in np.ndindex(*x.shape)])
            for i, (tangent, change) in enumerate(zip(self.tangents(k, v), numerical, strict=True)):
                self._compare(tangent, change, i, k, " computed with forward mode")

    def batched(self):
        """Raise GradcheckError unless gradients of a batch are those of its elements."""
        rng = np.random.default_rng(0)
        for i, output in enumerate(self.outputs()):
            if not output.requires_grad:
                continue
            rows = [output.detach().new_tensor(_between(rng, output), dtype=output.dtype) for _ in range(2)]
            batch = output.detach().new_tensor(np.stack([r.numpy() for r in rows]), dtype=output.dtype)
            options = {"retain_graph": True, "allow_unused": True}
            together = grad(output, self.inputs, batch, is_grads_batched=True, **options)
            for b, row in enumerate(rows):
                for k, whole, g in zip(self.numbers, together, grad(output, self.inputs, row, **options), strict=True):
                    if (whole is None) != (g is None) or (g is not None and not np.allclose(
                            whole.detach().numpy()[b], g.detach().numpy(), rtol=self.rtol, atol=self.atol, equal_nan=True)):
                        raise GradcheckError(f"For output {i} and input {k}: gradients of a batch, by is_grads_batched=True, are "
                                             "not those of its elements")

    def _compare(self, analytical, numerical, i, k, how=""):
        if not np.allclose(analytical, numerical, rtol=self.rtol, atol=self.atol, equal_nan=True):
            raise GradcheckError(f"Jacobian{how} mismatch for output {i} with respect to input {k},\nnumerical:{numerical}\n"
                                 f"analytical:{analytical}\n")

    def undefined(self):
        """Raise GradcheckError unless backward handles outputs without a gradient: one of them, or all."""
        n = sum(o.requires_grad for o in self.outputs())
        for silent in [*([i] for i in range(n)), list(range(n))] if n > 1 else [[0]] * n:
            outputs = [o for o in self.outputs() if o.requires_grad]
            ends = [_Undefined.apply(o) if i in silent else o for i, o in enumerate(outputs)]
            try:
                found = grad(ends, self.inputs, [o.detach().new_zeros(o.shape) for o in ends], allow_unused=True)
            except Exception as e:
                raise GradcheckError(f"Expected backward function to handle undefined output grads; it raised "
                                     f"{type(e).__name__}: {e}") from e
            if any(g is not None and g.detach().numpy().any() for g in found):
                raise GradcheckError("Expected all input grads to be undefined or zero when all output grads are "
                                     "undefined or zero")

    def dtypes(self):
        """Raise GradcheckError unless each gradient has its input's dtype."""
        for output in self.outputs():
            if not output.requires_grad:
                continue
            zeros = output.detach().new_zeros(output.shape)
            found = grad(output, self.inputs, zeros, retain_graph=True, allow_unused=True)
            for k, x, g in zip(self.numbers, self.inputs, found, strict=True):
                if g is not None and g.dtype is not x.dtype:
                    raise GradcheckError(f"Gradient has dtype {g.dtype.name}, input {k} {x.dtype.name}")


class _Undefined(Function):
    """The identity, whose gradient is None."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return None


def _is_tensor(x):
    return hasattr(x, "_spec") and hasattr(x, "_storage")


def _is_checked(x):
    return _is_tensor(x) and x.requires_grad


def _tuple(x):
    return tuple(x) if isinstance(x, (list, tuple)) else (x,)


def _floating(outputs):
    """The floating and complex tensors among what a function returned."""
    found = [o for o in _tuple(outputs) if _is_tensor(o) and o.dtype.is_inexact]
    if not found:
        raise ArgumentError("gradcheck: the function returned no floating point or complex tensor, so there is no gradient")
    return found


def _directions(x):
    """The unit steps of an element: one for each part."""
    return (1.0, 1.0j) if x.dtype.is_complex else (1.0,)


def _parts(array):
    """An array's elements in a row, complex ones as two."""
    return np.stack([array.real, array.imag], -1).ravel() if array.dtype.kind == "c" else array.ravel()


def _between(rng, x, low=0.5, high=1.5):
    """Random numbers of x's shape and kind."""
    drawn = rng.uniform(low, high, x.shape)
    return drawn + 1j * rng.uniform(low, high, x.shape) if x.dtype.is_complex else drawn


def _differentiable(outputs):
    return [o for o in _floating(outputs) if o.requires_grad]


def _check_inputs(inputs, numbers):
    if not numbers:
        raise ArgumentError("gradcheck expects at least one input tensor to require gradient, but none of the them "
                            "have requires_grad=True.")
    for i in numbers:
        x = inputs[i]
        if x.dtype.to_real() is not dtypes.float64:
            warnings.warn(f"Input #{i} requires gradient and is not a double precision floating point. This check will "
                          "likely fail if all the inputs are not of double precision floating point.", stacklevel=4)
        if any(n > 1 and s == 0 for n, s in zip(x.shape, x.stride(), strict=True)):
            raise GradcheckError(f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that "
                                 "are non-overlapping to be able to compute the numerical gradients correctly. You "
                                 "should call .contiguous on the input before passing it to gradcheck.")


_POKED = itertools.count(1 << 40)  # versions that no storage has otherwise


def _poke(x, at, value):
    """Write one element of x on the device, without autograd or version counters noticing."""
    place = x._offset + sum(i * s for i, s in zip(at, x.stride(), strict=True))
    x.device.write(x._storage.buffer, place * x.itemsize, np.asarray(value, x.dtype.numpy))


def _random_like(output, strided):
    """A random gradient of output's shape that requires grad; with `strided`, not contiguous."""
    rng = np.random.default_rng(1)
    shape = (*output.shape, 2) if strided and output.ndim else tuple(output.shape)
    g = output.detach().new_tensor(_between(rng, output.detach().new_empty(shape), -1, 1), dtype=output.dtype)
    return (g[..., 0] if strided and output.ndim else g).detach().requires_grad_()


def __dir__():
    return sorted(__all__)
