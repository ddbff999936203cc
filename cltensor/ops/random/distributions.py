"""Random ops: one Philox counter per element, computed from a seed and an offset given at every call."""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import ZERO_DIVISION, ArgumentError, AutogradError, DivisionError
from ...codegen import types
from ...codegen.functions import spell
from ...codegen.templates import render
from ...dispatch import faults
from ...dispatch.plan import In, Out, Value
from ...dispatch.registry import REGISTRY
from ...dispatch.run_elementwise import filled
from ..kinds.elementwise import GRAIN
from ..kinds.kernel import Kernel, kernel
from ..kinds.launch import step
from . import onnx_rules, philox


def _in(ctype):
    """(a function that spells a call in ctype, one that spells a number)."""
    return lambda name, *args: spell(name, ctype, *args), lambda value: types.literal(value, ctype)


def _standard_normal(ctype):
    f, number = _in(ctype)
    radius = f("sqrt", f"{number(-2)} * " + f("log", "v0"))
    return f"{radius} * " + f("cos", f"{number(2 * math.pi)} * u1")


def _cauchy(ctype):
    f, number = _in(ctype)
    return "a + b * " + f("tan", f"{number(math.pi)} * (u0 - {number(0.5)})")


def _geometric(ctype):
    f, _ = _in(ctype)
    return f("ceil", f("log", "v0") + " / " + f("log1p", "-a"))


#: name -> a function from the numbers' C type to the C expression; see templates/random.cl.mako
DISTRIBUTIONS = {
    "uniform": lambda ctype: "a + (b - a) * u0",
    "normal": lambda ctype: f"a + b * {_standard_normal(ctype)}",
    "exponential": lambda ctype: f"-{spell('log', ctype, 'v0')} / a",
    "log_normal": lambda ctype: spell("exp", ctype, f"a + b * {_standard_normal(ctype)}"),
    "cauchy": _cauchy,
    "geometric": _geometric,
    "bernoulli": lambda ctype: "u0 < a ? 1 : 0",
    "integers": lambda ctype: "a + (long)(bits % (ulong)(b - a))",
    "bernoulli_of": lambda ctype: "u0 < x ? 1 : 0",
    "dropout": lambda ctype: "u0 < a ? 0 : x * b",
}

#: uniform numbers with no more random bits than the dtype holds, so that rounding never gives b
_UNIFORM = {
    dtypes.float16: "a + (b - a) * (floor(u0 * 2048.0f) * 4.8828125e-4f)",
    dtypes.bfloat16: "a + (b - a) * (floor(u0 * 256.0f) * 3.90625e-3f)",
}

#: the number of those bits, for host memory
_BITS = {dtypes.float16: 11, dtypes.bfloat16: 8}

#: name -> the condition an input element must satisfy
_UNIT = "x >= 0 && x <= 1"
_RULES = {"bernoulli_of": _UNIT}
_NUMPY = {_UNIT: lambda x: (x >= 0) & (x <= 1), "x >= 0": lambda x: x >= 0, "x != 0": lambda x: x != 0}  # the same in NumPy


def _number(name, dtype):
    """The C type of numbers and parameters: long for integers, double (53 bits) for float64, else float (24 bits)."""
    return "long" if name == "integers" else "double" if dtype is dtypes.float64 else "float"


def _step(name, source_spec, out):
    profile = out.device.profile
    ctype = _number(name, out.dtype)
    text = _UNIFORM.get(out.dtype) if name == "uniform" else None
    valid = _RULES.get(name)
    input_dtype = source_spec.dtype if source_spec is not None else None
    source = render("random", style=profile.style, dtype=out.dtype, input_dtype=input_dtype, parameter=ctype,
                    distribution=text or DISTRIBUTIONS[name](ctype), valid=valid)
    number = getattr(np, types.NUMPY_OF[ctype])
    return step(source, x_p=In(0), out_p=Out(0), seed=Value(0, np.int64), offset=Value(1, np.int64), a=Value(2, number),
                b=Value(3, number), n=out.numel, groups=flat_groups(profile, out.numel), **(_note(out.device) if valid else {}))


def _note(device):
    return dict(zip(("fault", "who"), faults.note(device), strict=True))


def flat_groups(profile, n):
    """The work-groups of the cpu style for a kernel that walks n elements."""
    return max(1, min(profile.groups, n // GRAIN))


def no_gradient(name):
    """The gradient of an op that has none in PyTorch: it raises AutogradError."""

    def refuse(g, y, *inputs, **attrs):
        raise AutogradError(f"derivative for {name} is not implemented; detach() its input")

    return refuse


class Drawing(Kernel):
    """A kernel op with the attributes seed, offset, a and b; `distribution`, or the op's own name, selects the distribution."""

    def host_results(self, specs, outs, arrays, values, distribution=None, **named):
        """See Planned: the same numbers as on a device, from the same counters."""
        seed, offset, *bounds = values
        out, name = outs[0], distribution or self.name
        number = {"long": int, "double": np.float64, "float": np.float32}[_number(name, out.dtype)]
        draws = philox.Draws(seed, offset, out.numel, out.dtype is dtypes.float64)
        if name == "uniform" and out.dtype in _BITS:
            draws.round_down(_BITS[out.dtype])
        a, b = map(number, bounds)
        return [self.drawn(draws, a, b, *(x.reshape(-1) for x in arrays), name=name).reshape(out.shape)]

    @staticmethod
    def drawn(draws, a, b, *inputs, name):
        """The numbers from Draws, parameters and flat inputs."""
        return philox.DISTRIBUTIONS[name](draws, a, b)


def _drawing(name, drawn=Drawing.drawn, **options):
    made = Drawing(name, values=("seed", "offset", "a", "b"), public=False, ref=None, **options)
    made.drawn = drawn
    return made


def _fill_shape(x, *, distribution, seed, offset, a, b):
    return x.dense()


fill = _drawing("random_like", onnx=onnx_rules.random_like,
                shape=_fill_shape, launch=lambda specs, outs, distribution: [_step(distribution, None, outs[0])],
                doc="Random numbers in x's shape and dtype.")


def _bernoulli_shape(p, *, dtype, seed, offset, a, b):
    return p.dense(dtype=dtypes.BY_NAME[dtype])


def _on_dense(name):
    def launch(specs, outs, **attrs):
        return [_step(name, specs[0], outs[0])]

    return launch


bernoulli_of = _drawing("bernoulli_of", onnx=onnx_rules.bernoulli,
                        drawn=lambda draws, a, b, x, name: draws.uniform() < _valid(bernoulli_of, x), dtypes="floating",
                        reports_faults="bernoulli: expects all probabilities to be in [0, 1], but input holds {value:.7g}",
                        shape=_bernoulli_shape, launch=_on_dense("bernoulli_of"),
                        vjp=(lambda g, y, p, **_: filled(g._plain, p, 0),),
                        doc="1 with the probability each element of p gives, else 0; p must be contiguous.")


def _valid(op, x):
    """x in host memory.  Raises the op's complaint if an element breaks its rule."""
    wrong = x[~_NUMPY[_RULES[op.name]](x)]
    if wrong.size:
        kind, text = op.reports_faults if isinstance(op.reports_faults, tuple) else (ArgumentError, op.reports_faults)
        raise kind(text.format(value=float(wrong[0])))
    return x


def _check(name, valid, complaint):
    """An op that checks each element; an invalid one leaves a note in the fault buffer, which later raises the complaint."""
    _RULES[name], DISTRIBUTIONS[name] = valid, lambda ctype: f"{valid} ? 1 : 0"
    return _drawing(name, lambda draws, a, b, x, name: _valid(REGISTRY[name], x) == x, launch=_on_dense(name),
                    reports_faults=complaint,
                    shape=lambda x, *, seed, offset, a, b: x.dense(dtype=dtypes.bool_),
                    doc="Whether each element of a contiguous tensor is valid.")


_CHECKS = {argument: _check(f"check_{argument}", valid, complaint) for argument, valid, complaint in (
    ("input", _UNIT, "all elements of input should be between 0 and 1, but one is {value:.7g}"),
    ("target", _UNIT, "all elements of target should be between 0 and 1, but one is {value:.7g}"),
    ("var", "x >= 0", "var has negative entry/entries: all elements should be >= 0, but one is {value:.7g}"),
    ("std", "x >= 0", "normal expects all elements of std >= 0.0, but one is {value:.7g}"),
    ("divisor", "x != 0", (DivisionError, ZERO_DIVISION)))}


def check_values(x, argument):
    """Let the device check that all elements of a tensor given as `argument` are valid; a later read raises the error."""
    _CHECKS[argument](x.detach().contiguous(), seed=0, offset=0, a=0.0, b=0.0)


dropout = _drawing("dropout_seeded", onnx=onnx_rules.dropout,
                   drawn=lambda draws, a, b, x, name: np.where(draws.uniform() < a, 0, x * b), dtypes="floating",
                   shape=lambda x, *, seed, offset, a, b: x.dense(), launch=_on_dense("dropout"),
                   vjp=(lambda g, y, x, seed, offset, a, b: dropout(g.contiguous(), seed=seed, offset=offset, a=a, b=b),),
                   doc="x * b, or 0 with probability a; the gradient draws the same numbers again instead of saving a mask.")


def _counts_launch(specs, outs, *, distribution):
    out = outs[0]
    profile = out.device.profile
    source = render("counts", style=profile.style, dtype=out.dtype, distribution=distribution)
    names = {"poisson": ("rate_p",), "binomial": ("count_p", "prob_p")}[distribution]
    return [step(source, **dict(zip(names, map(In, range(len(specs))), strict=True)), out_p=Out(0), seed=Value(0, np.int64),
                 offset=Value(1, np.int64), n=out.numel, groups=flat_groups(profile, out.numel), **_note(out.device))]


poisson = kernel("poisson_seeded", shape=lambda rate, *, seed, offset: rate.dense(), dtypes="floating",
                 reports_faults="poisson: expects all rates to be non-negative, but input holds {value:.7g}",
                 launch=lambda specs, outs: _counts_launch(specs, outs, distribution="poisson"), values=("seed", "offset"),
                 public=False, ref=None, vjp=(lambda g, y, rate, **_: filled(g._plain, rate, 0),),
                 doc="A Poisson distributed number for each rate, contiguous; the gradient is zero.")

binomial = kernel("binomial_seeded", shape=lambda count, prob, *, seed, offset: count.dense(), dtypes="floating",
                  launch=lambda specs, outs: _counts_launch(specs, outs, distribution="binomial"), values=("seed", "offset"),
                  public=False, ref=None, vjp=no_gradient("binomial"),
                  doc="How many of count trials of probability prob succeed, for each element of two contiguous tensors.")
