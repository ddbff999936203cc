"""Elementwise ops: declared by a Python lambda over scalars; kernels and gradients are generated from it."""

import functools
import operator

import numpy as np

from ...base import dtypes
from ...base.errors import ZERO_DIVISION, ArgumentTypeError, DivisionError, DTypeError, ShapeError
from ...base.forking import Lazy
from ...base.shapes import broadcast_shapes, broadcast_strides, collapse, dense_strides
from ...codegen import expr, types
from ...codegen.emit import flops as arithmetic
from ...codegen.templates import render
from ...dispatch.binding import bind, check_tensor
from ...dispatch.host_plan import HostPlan, computing
from ...dispatch.plan import In, Out, Plan, Value
from ...dispatch.promotion import result_type
from ...dispatch.run_elementwise import filled, run_elementwise
from ...dispatch.spec import Spec, spec
from . import transposition
from .fields import COMPLEXES, REALS
from .launch import step
from .op import Op, same_device, signature

RANKS = (1, 3, 5, 8, 12, 16, 24, 32, 64)
AHEAD = 4  # elements per gpu work-item
STREAMED = 1 << 23  # results of at least this many bytes bypass the caches
GRAIN = 4096  # elements per work-group of the cpu style, at least: fewer cost more to start than they save


class Elementwise(Op):
    """An op that computes each output element from the input elements at the same (broadcast) index.

    fn      the scalar function; parameters without a default are inputs (tensors or numbers), the others are attributes,
            passed to the kernel as numbers, so a new value never compiles anything
    tensors names of the inputs, if some parameters without a default are attributes too
    grad    the gradient, if the derived one would be wrong or wasteful: (g, *inputs, y, *attributes) -> expression(s)
    casts   whether any result dtype may be written to any output (copying and filling)
    exempt  names of inputs that keep their own dtype (a condition), outside promotion
    result  dtype of the outputs if it is not the promoted one; without it, comparisons are bool
    each    whether `dtypes` applies to every operand, not only to the promoted dtype
    numbers names of the inputs a caller may give as Python numbers; by default all but the first
    rounded whether the gradient may use the stored result.  Not if terms cancel and only the stored one is rounded to 16 bits;
            not if callers may overwrite the result
    divides whether the last input is a divisor: an integer 0 there is an error
    factors names of the attributes that may be complex numbers
    makes_complex  whether the result is complex whatever the inputs are

    An op is declared once for all numbers.  `on_complex` is the same op over complex ones, with plans and a gradient of its own:
    dispatch runs it for complex operands or results.
    """

    kind = "elementwise"
    divides = makes_complex = False
    factors = frozenset()
    fn = None
    field = REALS

    def __init__(self, name, fn, *, tensors=None, grad=None, exempt="", result=None, casts=False, numbers=None,
                 rounded=True, divides=False, each=False, factors="", makes_complex=False, **common):
        super().__init__(name, **common)
        self.fn, self.grad, self.result, self.casts, self.rounded, self.divides = fn, grad, result, casts, rounded, divides
        self.each, self.factors, self.makes_complex = each, frozenset(factors.split()), makes_complex
        self.inputs, self.attrs = signature(fn, tensors)
        numbers = self.inputs[1:] if numbers is None else numbers.split()
        self.tensor_only = tuple(i for i, n in enumerate(self.inputs) if n not in numbers) if self.public else ()
        self.attr_names = tuple(self.attrs)
        self.exempt = frozenset(exempt.split())
        self.sources, self.gradients, self.fast_calls = {}, {}, {}

    @Lazy
    def exprs(self):
        """The traced expressions, one per output."""
        return self.field.exprs(self, _traced(self.fn, [*self.inputs, *self.attrs]))

    @Lazy
    def on_complex(self):
        """This op over complex numbers."""
        made = object.__new__(type(self))
        made.__dict__.update(vars(self))
        made.field, made.on_complex = COMPLEXES, made
        made.sources, made.gradients, made.savings, made.plans, made.fast_calls = {}, {}, {}, {}, {}
        for name in ("differentiable", *(["exprs"] if self.fn is not None else [])):
            made.__dict__.pop(name, None)
        return made

    def form(self, operands, out=None):
        """The op to run for operands and out, see `plan`: this one, or on_complex."""
        if self.field is COMPLEXES:
            return self
        involved = (*operands, *(out if isinstance(out, tuple) else (out,)))
        return self.on_complex if self.makes_complex or any(map(_is_complex, involved)) else self

    @Lazy
    def of_tensors(self):
        """This op with its attributes as inputs: they may be tensors, also ones that need a gradient."""
        return Derived(self.name, self.exprs, (*self.inputs, *self.attr_names))

    def apply(self, args, attrs):
        """See Op."""
        out, inplace = attrs.pop("out", None), attrs.pop("inplace", False)
        if out is not None and not (self.out or inplace):
            raise ArgumentTypeError(f"{self.name}() got an unexpected keyword argument 'out'; use out.copy_({self.name}(input))")
        if len(args) == len(self.inputs) and not attrs and not self.attr_names:
            inputs, values = args, ()
        else:
            inputs, values = bind(self, args, attrs)
        for i in self.tensor_only:
            check_tensor(self.name, self.inputs[i], i + 1, inputs[i])
        return run_elementwise(self, inputs, values, out, None, inplace)

    # --- forward ---------------------------------------------------------------------------------------------------

    def plan(self, operands, out):
        """The Plan for operands (Specs, or the types bool/int/float/complex) and out: None, a dtype, or a tuple of Specs."""
        if self.form(operands, out) is not self:
            return self.on_complex.plan(operands, out)
        specs = [o for o in operands if isinstance(o, Spec)]
        targets = out if isinstance(out, tuple) else None
        device = same_device(self.name, [*specs, *(targets or ())])
        compute = self.compute_dtype(operands) if operands else targets[0].dtype
        shape = broadcast_shapes(*(s.shape for s in specs), op=self.name) if specs else targets[0].shape
        results = self.result_dtypes(compute, None if targets else out)
        compute = self._of_large_numbers(compute, targets[0].dtype if targets else results[0])
        if targets is None:
            strides = dense_strides(shape, *(broadcast_strides(s.shape, s.strides, shape) for s in specs))
            targets = tuple(spec(shape, strides, d, device) for d in results)
        else:
            self._check_targets(shape, results, targets)
        if device.host:
            return HostPlan(device, specs, targets, functools.partial(self._through_numpy, operands, compute))
        steps = self._steps(operands, targets, compute, device) if targets[0].numel and not device.meta else ()
        return Plan(device, specs, targets, steps)

    def flops(self, specs, outs, attrs):
        """See Op."""
        return arithmetic(self.exprs) * outs[0].numel

    def _through_numpy(self, operands, compute, arrays, values):
        """The results for arrays and numbers, computed by the expressions' NumPy functions; see HostPlan."""
        arrays, values, number, env = iter(arrays), iter(values), computing(compute.to_real()), {}
        for name, operand in zip(self.inputs, operands, strict=True):
            if _is_complex(operand):
                env[name] = np.asarray(next(arrays if isinstance(operand, Spec) else values)).astype(computing(compute), copy=False)
            elif not isinstance(operand, Spec):
                divides = name == self.inputs[-1] and self._divides_integers(operands, compute)
                convert = _wrapping(compute) or number.type
                env[name] = (_divisor(convert) if divides else convert)(next(values))
            elif operand.dtype is dtypes.bool_ and (name in self.exempt or compute is operand.dtype):
                env[name] = next(arrays)
            else:
                env[name] = next(arrays).astype(computing(operand.dtype) if name in self.exempt else number, copy=False)
        env.update((name, (computing(compute) if name in self.factors else number).type(value))
                   for name, value in zip(self.attr_names, values, strict=True))
        return self.field.evaluated(self, env)

    def plan_steps(self, *specs):
        """Steps that compute the last Specs from the others inside another op's launch (In(0).. to Out(0)..)."""
        operands, targets = specs[: len(self.inputs)], specs[len(self.inputs):]
        if self.form(operands, targets) is not self:
            return self.on_complex.plan_steps(*specs)
        compute = self.compute_dtype(operands) if operands else targets[0].dtype
        return self._steps(operands, targets, self._of_large_numbers(compute, targets[0].dtype), targets[0].device)

    def _of_large_numbers(self, compute, target):
        """The dtype to convert in: uint64, computed with as a signed number, becomes a float at once."""
        return target if self.casts and compute is dtypes.uint64 and target.is_floating_point else compute

    def compute_dtype(self, operands):
        """The dtype the operands are promoted to.  Raises DTypeError when the op is not defined for it."""
        d = result_type([o for n, o in zip(self.inputs, operands, strict=True) if n not in self.exempt] or operands)
        d = self.field.promoted(d)
        if self.dtypes == "floating" and not d.is_inexact:
            d = dtypes.get_default_dtype()
        self.check_dtypes([_Typed(d.to_real() if self.makes_complex else d)])
        if self.each:
            self.check_dtypes([o if isinstance(o, Spec) else _Typed(dtypes.default_for(o.__name__)) for o in operands])
        return d

    def result_dtypes(self, compute, forced=None):
        """The dtype of each output."""
        fixed = forced or (dtypes.BY_NAME[self.result] if self.result else None)
        return tuple(fixed or (dtypes.bool_ if _is_bool(e) else d)
                     for e, d in zip(self.exprs, self.field.result_dtypes(self, compute), strict=True))

    def _check_targets(self, shape, results, targets):
        for t, d in zip(targets, results, strict=True):
            if t.shape != shape:
                raise ShapeError(f"{self.name}: output with shape {list(t.shape)} doesn't match the broadcast shape "
                                 f"{list(shape)}")
            if not (self.casts or dtypes.can_cast(d, t.dtype)):
                raise DTypeError(f"{self.name}: result type {d.name} can't be cast to the desired output type {t.dtype.name}")

    def _steps(self, operands, targets, compute, device):
        specs = [o for o in operands if isinstance(o, Spec)]
        shape = targets[0].shape
        if not specs:  # write each shared memory location once
            shape = tuple(n if s else 1 for n, s in zip(shape, targets[0].strides, strict=True))
        laid = [broadcast_strides(s.shape, s.strides, shape) for s in specs] + [t.strides for t in targets]
        order = sorted(range(len(shape)), key=lambda i: -targets[0].strides[i])
        dims, runs = collapse([shape[i] for i in order], *([s[i] for i in order] for s in laid))
        if self._copies(operands, targets):
            along = transposition.running(dims, runs[0])
            if along is not None and runs[1][-1] == 1:
                return [transposition.step(device, targets[0].dtype, dims, along, In(0), runs[0], Out(0), runs[1])]
        lines = [transposition.in_line(device, s.dtype, dims, r, In(i)) for i, (s, r) in enumerate(zip(specs, runs, strict=False))]
        if any(line.steps for line in lines):
            dims, runs = collapse(dims, *(line.strides for line in lines), *runs[len(lines):])
        rank = next(r for r in RANKS if r >= len(dims))
        dims = (1,) * (rank - len(dims)) + dims
        runs = [(0,) * (rank - len(r)) + r for r in runs]
        classes = ["c" if dims[-1] == 1 else {0: "b", 1: "c"}.get(r[-1], "s") for r in runs]
        classes[len(specs):] = ["s" if c == "b" else c for c in classes[len(specs):]]
        source = self._source(operands, targets, compute, device.profile, rank, tuple(classes))
        given = {f"x{i}_p": line.buffer for i, line in enumerate(lines)}
        given.update((f"y{i}_p", Out(i)) for i in range(len(targets)))
        given.update((f"s{i}", number) for i, number in enumerate(self._numbers(operands, compute)))
        given.update(row_numbers((*(f"x{i}" for i in range(len(lines))), *(f"y{i}" for i in range(len(targets)))), dims, runs))
        rows = functools.reduce(operator.mul, dims[:-1], 1)
        return [*(one for line in lines for one in line.steps),
                step(source, **given, run=dims[-1], elements=rows * dims[-1], **work_groups(device.profile, rows, dims[-1]))]

    def _numbers(self, operands, compute):
        """The Values of the numbers among the operands, and of the attributes."""
        plain, whole = (computing(d).type for d in (compute.to_real(), compute))
        given = [o for o in operands if isinstance(o, type)]
        kinds = [_wrapping(compute) or (whole if o is complex else plain) for o in given]
        kinds += [whole if n in self.factors else plain for n in self.attrs]
        if self._divides_integers(operands, compute):
            kinds[-1] = _divisor(kinds[-1])
        return [Value(i, kind) for i, kind in enumerate(kinds)]

    def _divides_integers(self, operands, compute):
        """Whether a number divides integers; it must not be 0."""
        return self.divides and isinstance(operands[-1], type) and not compute.is_inexact

    def _copies(self, operands, targets):
        """Whether this op returns its only operand unchanged, in the same dtype."""
        return (len(operands) == len(targets) == 1 and isinstance(self.exprs[0], expr.Input)
                and getattr(operands[0], "dtype", None) is targets[0].dtype)

    def _source(self, operands, targets, compute, profile, rank, classes):
        """The rendered kernel for one combination of dtypes and layout classes; rendered once and cached."""
        kinds = tuple(o.dtype if isinstance(o, Spec) else o for o in operands)
        stream = streams(profile, *targets) and set(classes[-len(targets):]) == {"c"}
        key = (profile.style, rank, classes, kinds, tuple(t.dtype for t in targets), compute, stream)
        source = self.sources.get(key)
        if source is None:
            results = [t.dtype for t in targets]
            source = self.sources[key] = self._render(kinds, results, compute, profile.style, rank, classes, stream)
        return source

    def _render(self, kinds, results, compute, style, rank, classes, stream):
        whole = types.compute_type(compute)
        ctype = types.part_type(whole)
        ctypes, names, ins, scalars = {}, {}, [], []
        for name, kind in zip(self.inputs, kinds, strict=True):
            if isinstance(kind, dtypes.dtype):
                c = types.compute_type(kind) if name in self.exempt else whole if kind.is_complex else ctype
                names[name] = f"x{len(ins)}"
                ins.append((names[name], kind, c, classes[len(ins)]))
                ctypes[name] = "bool" if kind is dtypes.bool_ and (name in self.exempt or compute is kind) else c
            else:
                names[name], ctypes[name] = f"s{len(scalars)}", whole if kind is complex else ctype
                scalars.append((names[name], ctypes[name]))
        for name in self.attrs:
            names[name], ctypes[name] = f"s{len(scalars)}", whole if name in self.factors else ctype
            scalars.append((names[name], ctypes[name]))
        made = self.field.emitted(self, ctypes, ctype, names, results)
        outs = [(f"y{i}", d, classes[len(ins) + i]) for i, d in enumerate(results)]
        return render("elementwise", style=style, rank=rank, dtype=compute, inputs=tuple(ins),
                      scalars=tuple(scalars), outputs=tuple(outs), body=tuple(made.statements),
                      results=tuple(made.results), stream=stream, AHEAD=AHEAD)

    # --- gradient --------------------------------------------------------------------------------------------------

    @Lazy
    def differentiable(self):
        if self.result is not None and not dtypes.BY_NAME[self.result].is_floating_point:
            return False
        calls = (node.function for node in expr.topological(self.exprs) if isinstance(node, expr.Call))
        return self.grad is not None or all(self.field.differentiable(f) or f.result != "T" for f in calls)

    def saving(self, needs):
        """See Op: save only what the fused gradient op reads."""
        sources = self.gradient(needs).sources
        return tuple(n in sources for n in self.inputs), any(f"y{i}" in sources for i in range(len(self.exprs)))

    def input_gradients(self, gs, outputs, inputs, attrs, needs):
        """See Op: one launch for all inputs."""
        made = self.gradient(needs)
        at = [*gs, *outputs, *inputs]
        if made.op is not None:
            given = [0.0 if at[p] is None else at[p] for p in made.places]  # None means an output without a gradient
            values = dict(zip(self.attr_names, attrs, strict=True)) if attrs else {}
            out = run_elementwise(made.op, given, tuple([values[n] for n in made.op.attr_names]))
            at += out if isinstance(out, tuple) else (out,)
        found = [None if p is None else at[p] for p in made.results]
        for i in made.zeros:
            cls = next(g._plain for g in gs if g is not None)
            found[i] = filled(cls, getattr(inputs[i], "_spec", inputs[i]), 0)
        return found

    def gradient(self, needs):
        """The Gradient for the inputs marked in `needs` (a tuple of bool)."""
        found = self.gradients.get(needs)
        if found is None:
            found = self.gradients[needs] = _derive(self, needs)
        return found




@functools.cache
def _wrapping(d):
    """A function that converts a number to an unsigned dtype with wraparound: -1 becomes 255, as in PyTorch; None for others."""
    if d.category != "int" or d.is_signed:
        return None
    kind = np.dtype(types.NUMPY_OF[types.compute_type(d)]).type
    bits, half = 1 << 8 * d.itemsize, 1 << 63
    return lambda number: kind((int(number) % bits + half) % (2 * half) - half)  # a uint64 has the bits of a signed number


def _divisor(convert):
    """Wrap `convert` in a check that the number is not 0.  Raises DivisionError."""

    def checked(number):
        if number == 0:
            raise DivisionError(ZERO_DIVISION)
        return convert(number)

    return checked


def _is_complex(x):
    """Whether x (a Spec, a dtype, a number's type or None) is complex."""
    return x is complex or getattr(getattr(x, "dtype", x), "is_complex", False)


class _Typed:
    __slots__ = ("dtype",)

    def __init__(self, d):
        self.dtype = d


class Gradient:
    """How to compute the gradients of an op's inputs.  A row lists all values: g0.., y0.., inputs.., then the results of `op`.

    op       the derived op, None if gradients are only passed on; it takes `sources`, then the first op's attributes
    sources  names of the values it reads, such as "g0" or "y0"; places: their positions in the row
    results  per input: the position of its gradient in the row, None if it has none
    zeros    the inputs whose gradient is zero
    """

    __slots__ = ("op", "places", "results", "sources", "zeros")

    def __init__(self, op, sources, row, slots):
        """row: names of the values before op's results; slots: per input a result's number, a name in the row, "zero" or None."""
        at = {n: i for i, n in enumerate(row)}
        self.op, self.sources = op, sources
        self.places = [at[n] for n in sources]
        self.results = [len(row) + slot if isinstance(slot, int) else at.get(slot) for slot in slots]
        self.zeros = [i for i, slot in enumerate(slots) if slot == "zero"]


def _is_bool(e):
    """Whether an expression is a truth value: a comparison, or logic on truth values only."""
    if isinstance(e, expr.Call):
        return e.function.result == "bool" or (e.function.result == "a" and all(map(_is_bool, e.args)))
    return isinstance(e, expr.Const) and isinstance(e.value, bool)


def _traced(fn, names):
    out = fn(*map(expr.Input, names))
    outs = out if isinstance(out, tuple) else (out,)
    return tuple(o if isinstance(o, expr.Expr) else expr.Const(o) for o in outs)


def _gradient_exprs(op, needs):
    wanted = [n for n, need in zip(op.inputs, needs, strict=True) if need]
    seeds = [f"g{i}" for i in range(len(op.exprs))]
    if op.grad is None:
        return op.field.gradient(op.exprs, wanted, seeds)
    names = [*seeds, *op.inputs, *(["y"] if len(seeds) == 1 else [f"y{i}" for i in range(len(seeds))]), *op.attrs]
    all_of = dict(zip(op.inputs, op.field.exprs(op, _traced_optional(op.grad, names)), strict=True))
    if len(seeds) == 1:
        y = {"y": expr.Input("y0")}
        all_of = {n: None if e is None else expr.substitute(e, y) for n, e in all_of.items()}
    return {n: all_of[n] for n in wanted}


def _traced_optional(fn, names):
    out = fn(*map(expr.Input, names))
    outs = out if isinstance(out, tuple) else (out,)
    return [o if o is None or isinstance(o, expr.Expr) else expr.Const(o) for o in outs]


def _derive(op, needs):
    found = _gradient_exprs(op, needs)
    roots = {e: expr.Input(f"y{i}") for i, e in enumerate(op.exprs)
             if op.rounded and not isinstance(e, (expr.Input, expr.Const))}
    slots, outs = [], []
    for name in op.inputs:
        e = found.get(name)
        if e is None:
            slots.append(None)
        elif isinstance(e, expr.Const) and e.value == 0:
            slots.append("zero")
        elif isinstance(e, expr.Input) and e.name.startswith("g") and e.name[1:].isdigit():
            slots.append(e.name)
        else:
            slots.append(len(outs))
            outs.append(expr.replace(e, roots) if roots else e)
    row = (*(f"{x}{i}" for x in "gy" for i in range(len(op.exprs))), *op.inputs)
    if not outs:
        return Gradient(None, (), row, slots)
    used = {n for e in outs for n in expr.inputs(e)}
    sources = tuple(n for n in (*(f"g{i}" for i in range(len(op.exprs))), *op.inputs,
                                *(f"y{i}" for i in range(len(op.exprs)))) if n in used)
    attrs = tuple(n for n in op.attrs if n in used)
    # rename its inputs: a gradient of the gradient has "g0" and "y0" too
    names = {n: f"x{i}" for i, n in enumerate(sources)}
    outs = expr.substitute(tuple(outs), {n: expr.Input(new) for n, new in names.items()})
    exempt = [names[n] for n in sources if n in op.exempt]
    derived = Derived(f"{op.name}_backward", outs, names.values(), attrs, exempt=exempt, factors=op.factors)
    derived.makes_complex = op.field is COMPLEXES  # even where what it reads is real
    return Gradient(derived, sources, row, slots)


class Derived(Elementwise):
    """An elementwise op made from expressions instead of a declaration: gradients, fused chains, users' own kernels."""

    complex = True
    reports_faults = False

    def __init__(self, name, exprs, inputs, attrs=(), exempt=frozenset(), dtypes="all", factors=frozenset()):
        self.name = self.__name__ = self.__qualname__ = name
        self.exprs, self.inputs, self.attr_names = exprs, tuple(inputs), tuple(attrs)
        self.attrs = dict.fromkeys(attrs)
        self.exempt, self.dtypes, self.grad, self.result, self.casts = frozenset(exempt), dtypes, None, None, False
        self.rounded = True
        self.each, self.factors = False, factors
        self.sources, self.gradients, self.savings, self.plans, self.fast_calls = {}, {}, {}, {}, {}
        self.tensor_only = ()
        self.__doc__ = None

    @property
    def formula(self):
        """What it computes: ops with equal formulas are alike."""
        return self.name, self.exprs, self.inputs, self.attr_names, self.exempt


def elementwise(name, fn, **options):
    """Declare an elementwise op; see Elementwise."""
    return Elementwise(name, fn, **options)


def streams(profile, *outputs):
    """Whether a launch's outputs are too large to be read again from a cache; pairs are never stored past it."""
    if profile.style != "cpu" or any(o.dtype.is_complex for o in outputs):
        return False
    return sum(o.numel * o.dtype.itemsize for o in outputs) >= STREAMED


def row_numbers(names, dims, strides):
    """{name of a C parameter: number}: the sizes d0.. of all dimensions, and the strides of the operands with these names."""
    found = {f"d{r}": n for r, n in enumerate(dims)}
    for name, each in zip(names, strides, strict=True):
        found.update((f"{name}_s{r}", s) for r, s in enumerate(each))
    return found


def work_groups(profile, rows, run):
    """The choices for the launch of a kernel that walks over `rows` runs of `run` elements."""
    if profile.style == "cpu":
        groups = max(1, min(profile.groups, rows * run // GRAIN))
        along_rows = min(groups, rows)
        return {"row_groups": along_rows, "run_groups": max(1, min(groups // along_rows, run))}
    width = min(profile.max_work_group, 128)
    lx = 1
    while lx < min(run, width):
        lx *= 2
    ly = max(1, min(width // lx, rows))
    while ly & (ly - 1):
        ly &= ly - 1
    return {"lx": lx, "ly": ly}
