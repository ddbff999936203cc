## Random counts: out[i] is a Poisson number of rate[i], or a binomial number of count[i] trials of probability prob[i].
##
## For a small mean, add up probabilities until they reach one uniform number.  For a mean of 10 or more, use Hörmann's
## transformed rejection ("The transformed rejection method for generating Poisson random variables" and "The generation of
## binomial random variates", both 1993); attempt number n reads block n of the element's Philox stream.  Probabilities come
## from Loader's saddle point expansion (2000), in which no large terms cancel, so float is accurate enough.
##
## An element that is not a valid rate leaves a note in `fault`.  Inputs are contiguous.
<%!
import math

from cltensor.codegen.parameters import Parameter, one_of

PARAMETERS = dict(style="cpu", dtype="float32", distribution=Parameter("poisson", "the distribution", one_of("poisson", "binomial")))
DTYPES = "floating"
STYLES = ("cpu", "gpu")

TABULATED = 16


def stirling_error(k):
    """log(k!) less Stirling's formula for it; of 0, which is not asked for, 0."""
    return math.lgamma(k + 1) - 0.5 * math.log(2 * math.pi * k) - k * math.log(k) + k if k else 0.0
%>
<%
T, S = types.compute_type(dtype), types.storage_type(dtype)
inputs = {"poisson": ("rate",), "binomial": ("count", "prob")}[distribution]
terms = 5 if T == "float" else 13
interface.walks(style, "n", 128, 4096)


def n(value):
    return types.literal(value, T)


def f(function, x):
    return spell(function, T, x)


def horner(coefficients, v):
    text = n(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        text = f"({text} * {v} + {n(c)})"
    return text
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}

__constant ${T} stirling_errors[${TABULATED}] = {${", ".join(n(stirling_error(k)) for k in range(TABULATED))}};

// log(k!) - log(sqrt(2 pi k) (k / e)^k) for a whole k > 0
static inline ${T} stirling_error(${T} k) {
    const ${T} r = 1 / k, v = r * r;
    return k < ${n(TABULATED)} ? stirling_errors[(int)k] : r * ${horner([1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188], "v")};
}

// x log(x / mean) + mean - x for x > 0: with e = (mean - x) / x it is x (e - log(1 + e)), and log(1 + e) = 2 atanh(e / (2 + e))
static inline ${T} deviance(${T} x, ${T} mean) {
    const ${T} e = (mean - x) / x, t = e / (2 + e), v = t * t;
    const ${T} near = e * t - 2 * t * v * ${horner([1 / (2 * k + 3) for k in range(terms)], "v")};
    return x * (((e < ${n(0.4)}) & (e > ${n(-0.4)})) ? near : e - ${f("log1p", "e")});
}

% if distribution == "poisson":
static inline ${T} log_probability(${T} k, ${T} rate) {
    return k == 0 ? -rate : -${n(0.5)} * ${f("log", f"{n(2 * math.pi)} * k")} - stirling_error(k) - deviance(k, rate);
}

static inline ${T} drawn(ulong seed, ulong at, ${T} rate) {
    if (!(rate < INFINITY)) {
        return rate;
    }
    if (rate < 10) {
        ${T} u = ct_uniform_${T}(seed, at, 0, 0), term = ${f("exp", "-rate")}, k = 0;
        while (u >= term && !(k > rate && term < ${n(6e-8 if T == "float" else 1e-16)})) {
            u -= term;
            k += 1;
            term *= rate / k;
        }
        return k;
    }
    const ${T} b = ${n(0.931)} + ${n(2.53)} * ${f("sqrt", "rate")}, a = ${n(-0.059)} + ${n(0.02483)} * b;
    const ${T} inverse_alpha = ${n(1.1239)} + ${n(1.1328)} / (b - ${n(3.4)}), v_r = ${n(0.9277)} - ${n(3.6224)} / (b - 2);
    for (uint draw = 0;; draw++) {
        const ${T} u = ct_uniform_${T}(seed, at, draw, 0) - ${n(0.5)}, v = ct_uniform_open_${T}(seed, at, draw, 1);
        const ${T} us = ${n(0.5)} - (u < 0 ? -u : u), k = ${f("floor", f"(2 * a / us + b) * u + rate + {n(0.43)}")};
        if ((us >= ${n(0.07)}) & (v <= v_r)) {
            return k;
        }
        if ((k < 0) | ((us < ${n(0.013)}) & (v > us))) {
            continue;
        }
        if (${f("log", "v * inverse_alpha / (a / (us * us) + b)")} <= log_probability(k, rate)) {
            return k;
        }
    }
}
% else:
static inline ${T} log_probability(${T} k, ${T} n, ${T} p) {
    const ${T} rest = n - k, q = 1 - p;
    if ((k == 0) | (rest == 0)) {
        return n * (k == 0 ? ${f("log1p", "-p")} : ${f("log", "p")});
    }
    return ${n(0.5)} * ${f("log", f"n / ({n(2 * math.pi)} * k * rest)")} + stirling_error(n) - stirling_error(k)
        - stirling_error(rest) - deviance(k, n * p) - deviance(rest, n * q);
}

// for a whole n > 0 and 0 < p <= 1/2
static inline ${T} successes(ulong seed, ulong at, ${T} n, ${T} p) {
    const ${T} mean = n * p;
    if (mean < 10) {
        ${T} u = ct_uniform_${T}(seed, at, 0, 0), term = ${f("exp", f"n * {f('log1p', '-p')}")}, k = 0;
        while (k < n && u >= term && !(k > mean && term < ${n(6e-8 if T == "float" else 1e-16)})) {
            u -= term;
            term *= (n - k) / (k + 1) * (p / (1 - p));
            k += 1;
        }
        return k;
    }
    const ${T} spread = ${f("sqrt", "mean * (1 - p)")}, b = ${n(1.15)} + ${n(2.53)} * spread;
    const ${T} a = ${n(-0.0873)} + ${n(0.0248)} * b + ${n(0.01)} * p, alpha = (${n(2.83)} + ${n(5.1)} / b) * spread;
    const ${T} v_r = ${n(0.92)} - ${n(4.2)} / b, at_mode = log_probability(${f("floor", "(n + 1) * p")}, n, p);
    for (uint draw = 0;; draw++) {
        const ${T} u = ct_uniform_${T}(seed, at, draw, 0) - ${n(0.5)}, v = ct_uniform_open_${T}(seed, at, draw, 1);
        const ${T} us = ${n(0.5)} - (u < 0 ? -u : u), k = ${f("floor", f"(2 * a / us + b) * u + mean + {n(0.5)}")};
        if ((us >= ${n(0.07)}) & (v <= v_r)) {
            return k;
        }
        if ((k < 0) | (k > n)) {
            continue;
        }
        if (${f("log", "v * alpha / (a / (us * us) + b)")} <= log_probability(k, n, p) - at_mode) {
            return k;
        }
    }
}

static inline ${T} drawn(ulong seed, ulong at, ${T} count, ${T} p) {
    if ((count != count) | (p != p)) {
        return NAN;
    }
    const ${T} n = ${f("floor", "count")};
    if (!((n > 0) & (p > 0))) {
        return 0;
    }
    if (!((p < 1) & (n < INFINITY))) {
        return n;
    }
    return p <= ${n(0.5)} ? successes(seed, at, n, p) : n - successes(seed, at, n, 1 - p);
}
% endif

% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void counts(
    ${interface.declare("counts",
        [Buffer(f"{name}_p", S, "in", ("n",), {"rate": "the mean of each number", "count": "its number of trials",
                                                 "prob": "the probability of success"}[name], offset=f"{name}_o") for name in inputs],
        Buffer("out_p", S, "out", ("n",), "the random numbers", offset="out_o"),
        Number("seed", "the stream"), Number("offset", "how many numbers of the stream come before these"),
        Number("n", "how many numbers"), *interface.notes("a parameter that is none"))})
{
% if style == "cpu":
    const size_t lo = get_group_id(0) * (size_t)n / get_num_groups(0), hi = (get_group_id(0) + 1) * (size_t)n / get_num_groups(0);
    for (size_t i = lo; i < hi; i++) {
% else:
    for (size_t i = get_global_id(0); i < (size_t)n; i += get_global_size(0)) {
% endif
% for name in inputs:
        const ${T} ${name} = ${types.load(dtype, f"{name}_p", f"{name}_o + i")};
% endfor
% if distribution == "poisson":
        if (!(rate >= 0)) {
            if (!fault[0]) { fault[0] = who; fault[1] = as_int((float)rate); }
        }
% endif
        const ${T} k = ${"rate >= 0 ? " if distribution == "poisson" else ""}drawn((ulong)seed, (ulong)offset + i, ${", ".join(inputs)})${" : NAN" if distribution == "poisson" else ""};
        ${types.store(dtype, "out_p", "out_o + i", "k")}
    }
}
