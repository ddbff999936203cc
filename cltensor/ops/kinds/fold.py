"""What reductions and scans share: Python lambdas map elements to states and combine two states."""

import functools

import numpy as np

from ...base import dtypes
from ...base.forking import Lazy
from ...codegen import complex_lowering, expr, types
from ...codegen.emit import emit
from ...codegen.emit import flops as arithmetic
from ...dispatch.host_plan import computing
from .fields import evaluate_pairs
from .kernel import Planned


class Fold(Planned):
    """An op declared by map, combine, identity and finish.

    map       (*inputs, [index], **scalars) -> state of one element (an expression or a tuple); `index` is its position
              in the reduced range
    combine   (*a, *b) -> the two states combined
    identity  the state of no elements: numbers, or functions dtype -> number
    finish    (*state, [n], **scalars) -> output(s); n is the number of elements; default: the state
    states    per state: "acc" (the accumulation dtype), "real" (that of its real part), or a dtype's name
    """

    def _declare(self, map, combine, identity, finish, states):
        self.map, self.combine, self.identity, self.finish, self.states = map, combine, identity, finish, states
        self.sources = {}

    def acc_dtype(self, d):
        """The dtype a state over inputs of dtype d is kept in."""
        if d.is_complex:
            return dtypes.complex_for(Fold.acc_dtype(self, d.to_real()))
        if d.is_floating_point:
            return dtypes.float64 if d is dtypes.float64 else dtypes.float32
        return dtypes.int64 if d is dtypes.int64 else dtypes.int32

    def held_dtypes(self, d):
        """The dtype of each state for inputs of dtype d."""
        named = {"acc": self.acc_dtype(d), "real": self.acc_dtype(d).to_real()}
        return [named.get(s) or dtypes.BY_NAME[s] for s in self.states]

    def parts(self, d, outs, counted):
        """Template parameters map_*, combine_*, finish_* and states, for inputs of dtype d and output Specs.

        In the C text the inputs are x0.. and the scalars s0..; counted: whether finish gets n.
        """
        held = self.held_dtypes(d)
        ctypes = [types.compute_type(h) for h in held]
        used, real = types.compute_type(self.acc_dtype(d)), types.compute_type(self.acc_dtype(d).to_real())
        a, b = [f"a{i}" for i in range(len(held))], [f"b{i}" for i in range(len(held))]
        names = {n: f"x{i}" for i, n in enumerate(self.inputs)} | {n: f"s{i}" for i, n in enumerate(self.scalars)}
        names |= {n: n for n in ("index", "n", *a, *b)}
        kinds = dict.fromkeys(self.inputs, used) | dict.fromkeys(self.scalars, real) | {"index": "long", "n": "long"}
        kinds |= dict(zip((*a, *b), (*ctypes, *ctypes), strict=True))
        index = ["index"] if self.indexed else []
        count = ["n"] if counted else []
        steps = {
            "map": (traced(self.map, [*self.inputs, *index, *self.scalars]), ctypes),
            "combine": (traced(self.combine, [*a, *b]), ctypes),
            "finish": (traced(self.finish, [*a, *count, *self.scalars]) if self.finish else traced(lambda *s: s, a),
                       [types.compute_type(o.dtype) if o.dtype.category != "bool" else ctypes[0] for o in outs])}
        found = {}
        for part, (outputs, targets) in steps.items():
            found[f"{part}_body"], found[f"{part}_results"] = _emit_each(d, outputs, targets, kinds, names, part[0])
        identities = self.identity if isinstance(self.identity, tuple) else (self.identity,)
        found["states"] = tuple((c, types.literal(i(d) if callable(i) else i, c))
                                for c, i in zip(ctypes, identities, strict=True))
        return found

    def flops(self, specs, outs, attrs):
        """See Op."""
        given = [*self.inputs, *(["index"] if self.indexed else []), *self.scalars]
        state = [f"a{i}" for i in range(len(self.states))]
        ending = [*state, *(["n"] if self.kind == "reduction" else []), *self.scalars]
        each = arithmetic(traced(self.map, given)) + arithmetic(self._combination)
        last = arithmetic(traced(self.finish, ending)) if self.finish else 0
        return each * max(s.numel for s in specs if s is not None) + last * outs[0].numel

    # --- in host memory, for inputs of dtype d; see HostPlan ---------------------------------------------------------------

    def host_states(self, d, arrays, values):
        """The states of each element, from arrays (*, count) and the scalars' values."""
        whole, number, shape = computing(self.acc_dtype(d)), computing(self.acc_dtype(d).to_real()), arrays[0].shape
        names = [*self.inputs, *(["index"] if self.indexed else []), *self.scalars]
        given = [a.astype(whole, copy=False) for a in arrays]
        given += [np.arange(shape[-1])] if self.indexed else []
        given += [number.type(v) for v in values]
        states = _evaluated(d, traced(self.map, names), dict(zip(names, given, strict=True)))
        return [np.broadcast_to(s, shape) for s in self._held(d, states)]

    def host_combined(self, d, first, second):
        """Two states combined."""
        env = {f"a{i}": s for i, s in enumerate(first)} | {f"b{i}": s for i, s in enumerate(second)}
        return self._held(d, _evaluated(d, self._combination, env))

    def host_finished(self, d, states, values, count=None):
        """The results for the final states; count: the n that finish gets."""
        if self.finish is None:
            return states
        number = computing(self.acc_dtype(d).to_real())
        names = [*(f"a{i}" for i in range(len(states))), *(["n"] if count is not None else []), *self.scalars]
        given = (*states, *([number.type(count)] if count is not None else []), *map(number.type, values))
        return _evaluated(d, traced(self.finish, names), dict(zip(names, given, strict=True)))

    def host_identity(self, d, shape):
        """The states of no elements."""
        identities = self.identity if isinstance(self.identity, tuple) else (self.identity,)
        return [np.full(shape, i(d) if callable(i) else i, computing(h))
                for i, h in zip(identities, self.held_dtypes(d), strict=True)]

    @Lazy
    def _combination(self):
        k = len(self.states)
        return traced(self.combine, [*(f"a{i}" for i in range(k)), *(f"b{i}" for i in range(k))])

    @Lazy
    def sums(self):
        """Whether the elements themselves are added up."""
        mapped = traced(self.map, [*self.inputs, *(["index"] if self.indexed else []), *self.scalars])
        return len(self.inputs) == 1 and isinstance(mapped[0], expr.Input) and self.host_ufunc is np.add

    def ufunc_for(self, d):
        """host_ufunc if it takes numbers of dtype d, else None."""
        return None if d.is_complex and "FF->F" not in getattr(self.host_ufunc, "types", ()) else self.host_ufunc

    @Lazy
    def host_ufunc(self):
        """The NumPy ufunc that does the same as combine, or None."""
        e = self._combination[0]
        plain = len(self._combination) == 1 and [repr(a) for a in e.args] == ["a0", "b0"]
        return e.function.numpy if plain and isinstance(e.function.numpy, np.ufunc) else None

    def _held(self, d, states):
        return [np.asarray(s).astype(computing(h), copy=False) for s, h in zip(states, self.held_dtypes(d), strict=True)]


def traced(fn, names):
    """The expressions a declaration's lambda returns for inputs of these names, as a tuple."""
    out = fn(*map(expr.Input, names))
    return tuple(map(expr.as_expr, out if isinstance(out, tuple) else (out,)))


def _emit_each(d, outputs, ctypes, kinds, names, prefix):
    """Emit each output in its own compute type; statements of several outputs share one scope.  d: the inputs' dtype."""
    if d.is_complex:
        return _emit_each_pair(outputs, ctypes, kinds, names, prefix)
    outputs = complex_lowering.on_reals(outputs)
    body, results = [], []
    for i, (e, c) in enumerate(zip(outputs, ctypes, strict=True)):
        made = emit((e,), kinds, c, names, prefix=f"{prefix}{i}_", mixed=True)
        body += made.statements
        results += made.results
    return tuple(body), tuple(results)


def _emit_each_pair(outputs, ctypes, kinds, names, prefix):
    """_emit_each over complex numbers: names of complex type stand for two parts."""
    kinds, names, pairs = dict(kinds), dict(names), {}
    for name in [n for n, c in kinds.items() if c in types.PART_OF]:
        pairs[name] = complex_lowering.parts_of(name)
        for part, field in zip(pairs[name], "xy", strict=True):
            kinds[part.name], names[part.name] = types.PART_OF[kinds[name]], f"{names[name]}.{field}"
    body, results = [], []
    for i, (e, c) in enumerate(zip(complex_lowering.lower(outputs, pairs), ctypes, strict=True)):
        parts = e if isinstance(e, tuple) else (e,)
        if c in types.PART_OF and len(parts) == 1:
            parts = (e, expr.Const(0))
        made = emit(parts[:2 if c in types.PART_OF else 1], kinds, types.part_type(c), names, prefix=f"{prefix}{i}_", mixed=True)
        body += made.statements
        results.append(types.pair(*made.results, c) if c in types.PART_OF else made.results[0])
    return tuple(body), tuple(results)


def _evaluated(d, outputs, env):
    """The outputs for NumPy arrays and numbers; d: the inputs' dtype."""
    if not d.is_complex:
        return expr.evaluate(complex_lowering.on_reals(outputs), env)
    given, pairs = {}, {}
    for name, value in env.items():
        if np.iscomplexobj(value):
            pairs[name] = complex_lowering.parts_of(name)
            given.update({pairs[name][0].name: value.real, pairs[name][1].name: value.imag})
        else:
            given[name] = value
    return evaluate_pairs(complex_lowering.lower(outputs, pairs), given)


@functools.cache
def placeholder(device):
    """A small buffer to pass for partial buffers that a kernel will not touch."""
    return device.allocate(64)
