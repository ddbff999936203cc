## Random numbers by rejection: out[i] has gamma's distribution of shape parameter[i] and rate 1, or von Mises' around 0 of
## concentration parameter[i].
##
## gamma      Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); below 1 a number of parameter + 1 is
##            multiplied by u ** (1 / parameter).  With `logarithm`, out is its logarithm, which does not underflow; otherwise it
##            is at least the dtype's smallest normal number
## von_mises  Best and Fisher, "Efficient simulation of the von Mises distribution" (1979).  With t = tan(pi u / 2), their angle
##            is 2 atan(t sqrt((r - 1) / (r + 1))), in which nothing cancels for large concentrations
##
## Attempt number n reads blocks 2 n and 2 n + 1 of the element's Philox stream.  The input is contiguous; where it is no
## parameter, out is NaN.
<%!
import math

from cltensor.codegen.parameters import Parameter, one_of

PARAMETERS = dict(
    style="cpu", dtype="float32", distribution=Parameter("gamma", "the distribution", one_of("gamma", "von_mises")),
    logarithm=Parameter(False, "whether the result is the logarithm of gamma's", one_of(True, False)))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
T, S = types.compute_type(dtype), types.storage_type(dtype)
interface.walks(style, "n", 128, 4096)


def n(value):
    return types.literal(value, T)


def f(function, x):
    return spell(function, T, x)
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}

% if distribution == "gamma":
static inline ${T} drawn(ulong seed, ulong at, ${T} parameter) {
    const int small = parameter < 1;
    const ${T} d = parameter + (small ? ${n(2 / 3)} : ${n(-1 / 3)}), c = 1 / ${f("sqrt", "9 * d")};
    if (!((parameter > 0) & (d < INFINITY))) {
        return parameter == 0 ? ${n(-math.inf if logarithm else 0)} : NAN;
    }
    for (uint draw = 0;; draw += 2) {
        const ${T} u = ct_uniform_open_${T}(seed, at, draw, 0), angle = ${n(2 * math.pi)} * ct_uniform_${T}(seed, at, draw, 1);
        const ${T} z = ${f("sqrt", f"-2 * {f('log', 'u')}")} * ${f("cos", "angle")}, t = c * z;
        const ${T} m = t * (3 + t * (3 + t)), v = 1 + m;  // v = (1 + t) ** 3
        if (v <= 0) {
            continue;
        }
        const ${T} accept = ${f("log", f"ct_uniform_open_{T}(seed, at, draw + 1, 0)")};
        const ${T} excess = ((m < ${n(0.4)}) & (m > ${n(-0.4)})) ? ct_excess_over_log_${T}(m) : m - ${f("log", "v")};
        if (accept < ${n(0.5)} * z * z - d * excess) {
            const ${T} less = small ? ${f("log", f"ct_uniform_open_{T}(seed, at, draw + 1, 1)")} / parameter : 0;
            return ${f("log", "d * v") + " + less" if logarithm else "d * v * " + f("exp", "less")};
        }
    }
}
% else:
static inline ${T} drawn(ulong seed, ulong at, ${T} given) {
    if (!((given >= 0) & (given < INFINITY))) {
        return NAN;
    }
    const ${T} k = given > ${n(1e-6)} ? given : ${n(1e-6)};  // below, it cannot be told from a uniform number
    const ${T} root = ${f("sqrt", "1 + 4 * k * k")}, less = (1 + 1 / (root + 2 * k)) / (2 * k), more = 2 + less;  // r - 1, r + 1
    for (uint draw = 0;; draw += 2) {
        const ${T} u = 2 * ct_uniform_${T}(seed, at, draw, 0) - 1, t = ${f("tan", f"{n(math.pi / 2)} * u")};
        const ${T} v = ct_uniform_open_${T}(seed, at, draw, 1), c = k * less * more / (less + 2 / (1 + t * t));
        if ((c * (2 - c) > v) | (${f("log", "c / v")} + 1 >= c)) {
            return 2 * ${f("atan", f"t * {f('sqrt', 'less / more')}")};
        }
    }
}
% endif

% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void rejection(
    ${interface.declare("rejection",
        Buffer("parameter_p", S, "in", ("n",), "the shape, or the concentration, of each number", offset="parameter_o"),
        Buffer("out_p", S, "out", ("n",), "the random numbers", offset="out_o"),
        Number("seed", "the stream"), Number("offset", "how many numbers of the stream come before these"),
        Number("n", "how many numbers"))})
{
% if style == "cpu":
    const size_t lo = get_group_id(0) * (size_t)n / get_num_groups(0), hi = (get_group_id(0) + 1) * (size_t)n / get_num_groups(0);
    for (size_t i = lo; i < hi; i++) {
% else:
    for (size_t i = get_global_id(0); i < (size_t)n; i += get_global_size(0)) {
% endif
        ${T} x = drawn((ulong)seed, (ulong)offset + i, ${types.load(dtype, "parameter_p", "parameter_o + i")});
% if distribution == "gamma" and not logarithm:
        x = x < ${n(dtypes.finfo(dtype).tiny)} ? ${n(dtypes.finfo(dtype).tiny)} : x;
% endif
        ${types.store(dtype, "out_p", "out_o + i", "x")}
    }
}
