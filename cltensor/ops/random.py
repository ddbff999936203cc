"""Random ops: one Philox block per element, from a seed and an offset that are passed at every call."""

import numpy as np

from ..base import dtypes
from ..codegen.templates import render
from .elementwise import launch_size
from .kernel import kernel
from .plan import In, Out, Step, Value

#: name -> C expression; see templates/random.cl.mako
DISTRIBUTIONS = {
    "uniform": "a + (b - a) * u0",
    "normal": "a + b * ct_sqrt_float(-2.0f * ct_log_float(v0)) * ct_cos_float(6.28318530717958648f * u1)",
    "exponential": "-ct_log_float(v0) / a",
    "log_normal": "ct_exp_float(a + b * ct_sqrt_float(-2.0f * ct_log_float(v0)) * ct_cos_float(6.28318530717958648f * u1))",
    "cauchy": "a + b * ct_tan_float(3.14159265358979324f * (u0 - 0.5f))",
    "geometric": "ct_ceil_float(ct_log_float(v0) / ct_log1p_float(-a))",
    "bernoulli": "u0 < a ? 1 : 0",
    "integers": "a + (long)(bits % (ulong)(b - a))",
    "bernoulli_of": "u0 < (float)x ? 1 : 0",
    "dropout": "u0 < (float)a ? 0 : x * b",
}

#: uniform numbers with as many random bits as the dtype holds, so that rounding never gives b: (expression, type of a and b)
_UNIFORM = {
    dtypes.float64: ("a + (b - a) * ((double)(bits >> 11) * 1.1102230246251565e-16)", "double"),
    dtypes.float16: ("a + (b - a) * (floor(u0 * 2048.0f) * 4.8828125e-4f)", "float"),
    dtypes.bfloat16: ("a + (b - a) * (floor(u0 * 256.0f) * 3.90625e-3f)", "float"),
}


def _step(name, source_spec, out):
    profile = out.device.profile
    text = DISTRIBUTIONS[name]
    parameter = "long" if name == "integers" else "float"
    if name == "uniform":
        text, parameter = _UNIFORM.get(out.dtype, (text, parameter))
    input_dtype = source_spec.dtype if source_spec is not None else None
    source = render("random", style=profile.style, dtype=out.dtype, input_dtype=input_dtype, parameter=parameter,
                    distribution=text)
    size, local = launch_size(profile, 1, out.numel)
    flat = (size[1],) if profile.style == "cpu" else (size[0],)
    number = {"long": np.int64, "float": np.float32, "double": np.float64}[parameter]
    args = [*([In(0)] if source_spec is not None else []), Out(0), Value(0, np.int64), Value(1, np.int64), Value(2, number),
            Value(3, number), np.int64(out.numel)]
    return Step(source, "random", args, flat, local[:1])


def _fill_shape(x, *, distribution, seed, offset, a, b):
    return x.dense()


fill = kernel("random_like", shape=_fill_shape, launch=lambda specs, outs, distribution: [_step(distribution, None, outs[0])],
              values=("seed", "offset", "a", "b"), public=False, ref=None, doc="Random numbers in x's shape and dtype.")


def _bernoulli_shape(p, *, dtype, seed, offset, a, b):
    return p.dense(dtype=dtypes.BY_NAME[dtype])


def _on_dense(name):
    def launch(specs, outs, **attrs):
        return [_step(name, specs[0], outs[0])]

    return launch


bernoulli_of = kernel("bernoulli_of", shape=_bernoulli_shape, launch=_on_dense("bernoulli_of"), dtypes="floating",
                      values=("seed", "offset", "a", "b"), public=False, ref=None,
                      doc="1 with the probability each element of p gives, else 0; p must be contiguous.")

dropout = kernel("dropout_seeded", shape=lambda x, *, seed, offset, a, b: x.dense(), launch=_on_dense("dropout"),
                 dtypes="floating", values=("seed", "offset", "a", "b"), public=False, ref=None,
                 vjp=(lambda g, y, x, seed, offset, a, b: dropout(g.contiguous(), seed=seed, offset=offset, a=a, b=b),),
                 doc="x * b, or 0 with probability a; the gradient draws the same numbers again instead of saving a mask.")
