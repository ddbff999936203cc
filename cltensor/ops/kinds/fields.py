"""Number fields: how an elementwise op, declared once, is computed and differentiated over real and over complex numbers."""

import numpy as np

from ...base import dtypes
from ...codegen import complex_lowering, derive, expr, types
from ...codegen.emit import Emitted, emit
from ...codegen.wirtinger import RULES


class Reals:
    """The expressions as they are declared."""

    def exprs(self, op, outputs):
        """Traced outputs (None stays None) without what means nothing here: a real number is its own conjugate."""
        if op.makes_complex:
            return outputs
        kept = iter(complex_lowering.on_reals(tuple(e for e in outputs if e is not None)))
        return tuple(None if e is None else next(kept) for e in outputs)

    def promoted(self, d):
        """The dtype to compute in for operands that promote to d."""
        return d

    def result_dtypes(self, op, compute):
        """Per output the dtype it has if it is no truth value."""
        return (compute,) * len(op.exprs)

    def emitted(self, op, ctypes, ctype, names, results):
        """C statements for op; ctypes, names: of its inputs and attributes, ctype: of the computation, results: output dtypes."""
        return emit(op.exprs, ctypes, ctype, names)

    def evaluated(self, op, env):
        """The outputs for NumPy arrays, env {input: array}."""
        return expr.evaluate(op.exprs, env)

    def differentiable(self, function):
        """Whether a scalar function has a derivative."""
        return function.grad is not None

    def gradient(self, outputs, wanted, seeds):
        """See derive.gradient."""
        found = derive.gradient(outputs, wanted, seeds)
        return dict(zip(found, complex_lowering.on_reals(tuple(found.values())), strict=True))


class Complexes(Reals):
    """The expressions lowered to pairs of real ones.  Inputs of a real dtype have the imaginary part 0."""

    def exprs(self, op, outputs):
        """See Reals: as traced."""
        return tuple(outputs)

    def promoted(self, d):
        """See Reals."""
        return dtypes.complex_for(d)

    def result_dtypes(self, op, compute):
        """See Reals: an output such as an absolute value is real."""
        pairs = {n: complex_lowering.parts_of(n) for n in (*op.inputs, *op.factors) if n not in op.exempt}
        return tuple(compute if isinstance(e, tuple) else compute.to_real() for e in complex_lowering.lower(op.exprs, pairs))

    def emitted(self, op, ctypes, ctype, names, results):
        """See Reals."""
        ctypes, names, pairs = dict(ctypes), dict(names), {}
        for name in (*op.inputs, *op.attr_names):
            if ctypes[name] in types.PART_OF:
                pairs[name] = complex_lowering.parts_of(name)
                for part, field in zip(pairs[name], "xy", strict=True):
                    ctypes[part.name], names[part.name] = ctype, f"{names[name]}.{field}"
            elif name in op.inputs and name not in op.exempt:
                pairs[name] = expr.Input(name), expr.Const(0)
        return emit_pairs(complex_lowering.lower(op.exprs, pairs), results, ctypes, ctype, names)

    def evaluated(self, op, env):
        """See Reals."""
        given, pairs = {}, {}
        for name, array in env.items():
            if getattr(array, "dtype", None) is not None and array.dtype.kind == "c":
                pairs[name] = complex_lowering.parts_of(name)
                given.update({pairs[name][0].name: array.real, pairs[name][1].name: array.imag})
            else:
                given[name] = array
                if name in op.inputs and name not in op.exempt:
                    pairs[name] = expr.Input(name), expr.Const(0)
        return evaluate_pairs(complex_lowering.lower(op.exprs, pairs), given)

    def differentiable(self, function):
        """See Reals."""
        return function.grad is not None or function.name in RULES

    def gradient(self, outputs, wanted, seeds):
        """See Reals: with respect to complex numbers."""
        return derive.gradient(outputs, wanted, seeds, complex=True)


REALS, COMPLEXES = Reals(), Complexes()


def emit_pairs(outputs, results, ctypes, ctype, names, prefix="t", mixed=False):
    """emit for lowered outputs: a pair is one vector; stored as a real dtype it is its real part, as bool whether it is not 0."""
    flat = []
    for e, d in zip(outputs, results, strict=True):
        if isinstance(e, tuple) and d is dtypes.bool_:
            flat.append((complex_lowering.truth(e),))
        else:
            flat.append(_as_stored(e, d))
    made = emit(tuple(part for parts in flat for part in parts), ctypes, ctype, names, prefix, mixed)
    parts, texts = iter(made.results), []
    for each, d in zip(flat, results, strict=True):
        texts.append(types.pair(next(parts), next(parts), types.compute_type(d)) if len(each) == 2 else next(parts))
    return Emitted(made.statements, texts, made.types, made.headers)


def _as_stored(e, d):
    """The parts of a lowered output that a result of dtype d holds."""
    if d.is_complex:
        return e if isinstance(e, tuple) else (e, expr.Const(0))
    return (e[0] if isinstance(e, tuple) else e,)


def evaluate_pairs(outputs, env):
    """expr.evaluate for lowered outputs: pairs become complex arrays."""
    flat = [part for e in outputs for part in (e if isinstance(e, tuple) else (e,))]
    parts = iter(expr.evaluate(tuple(flat), env))
    return tuple(_joined(next(parts), next(parts)) if isinstance(e, tuple) else next(parts) for e in outputs)


def _joined(re, im):
    """An array of complex numbers; a sum with 1j * im would turn an infinite part into NaN."""
    re, im = np.broadcast_arrays(re, im)
    made = np.empty(re.shape, np.result_type(re.dtype, im.dtype, np.complex64))
    made.real, made.imag = re, im
    return made[()]
