## What goes before and after the passes of a Fourier transform, element by element: y[k] = scale * factors[k] * x[k], k < m; 0 for k >= n.
##
## x, y      lines of numbers, complex or real; y may be x where each number of it stays in its place
## factors   pairs (real part, imaginary part).  period 0: factors[k] for k < n.  Else factors[k] is exp(-2 pi i j / period) with
##           j = k * k mod period, as the product of two numbers in a table of two parts: first exp(-2 pi i a / period) for
##           a < 2^shift + 8, then exp(-2 pi i b 2^shift / period) for b = 0 .. (period - 1) >> shift; j = a + b 2^shift
## multiply  0: no factors;  1: factors[k];  2: x is 1, and y[k] the conjugate of factors[min(k, m - k)], 0 where that is n or more:
##           x is then read, but not used
## extend    x has n // 2 + 1 elements of a spectrum of n, and x[k] is the conjugate of x[n - k] for k > n / 2; the imaginary parts
##           of elements that are their own counterparts do not count
## middle    what elements that are not their own counterparts, 2 k != 0 and n, are multiplied with besides
## conjugate x before anything else;  swap_x, swap_y  exchange real and imaginary parts when reading and when writing
## by_lines  whether neighbours in memory are lines rather than elements: it changes the speed only
<%!
from cltensor.codegen import lines
from cltensor.codegen.parameters import Parameter, whole

PARAMETERS = dict(style="cpu", dtype="float32", rank=Parameter(2, "the number of outer dimensions", whole(1, 64)),
                  PIECE=Parameter(4096, "elements of a line at a time, in the cpu style", whole(16, 1 << 20)))
DTYPES = "wide"
STYLES = ("cpu", "gpu")
%>
<%
T = types.compute_type(dtype)
V = vectors.width(T)
exchanged = ", ".join(f"u.s{i + 1 - i % 2 * 2}" for i in range(V))
interface.walks(style, "outer * lines * m")
def whether(name, meaning, allowed="0 or 1"): return Number(name, meaning, "int", allowed=allowed)
%>
${types.pragmas([dtype])}
<%def name="point()">
    const size_t own = extend && 2 * k > (size_t)n ? n - k : k;
    __global const ${T} *from = x + (long)own * xe + (long)l * xl;
    ${T} u = k < (size_t)n ? from[0] : 0, v = k < (size_t)n && xi ? from[xi] : 0;
    if ((own != k) != conjugate) v = -v;
    if (extend && (k == 0 || 2 * k == (size_t)n)) v = 0;
    const ${T} factor = own == 0 || 2 * own == (size_t)n ? scale : scale * middle;
    if (swap_x) { const ${T} z = u; u = v; v = z; }
    const size_t at = multiply == 2 && m - k < k ? m - k : k;
    if (multiply && at < (size_t)n) {
        ${T} c, s;
        if (period) {
            const size_t j = (size_t)((ulong)at * at % (ulong)period), a = j & mask, b = j >> shift;
            const ${T} lr = factors[2 * a], li = factors[2 * a + 1], hr = high[2 * b], hi = high[2 * b + 1];
            c = lr * hr - li * hi; s = lr * hi + li * hr;
        } else { c = factors[2 * at]; s = factors[2 * at + 1]; }
        const ${T} z = u;
        u = multiply == 2 ? c : z * c - v * s; v = multiply == 2 ? -s : z * s + v * c;
    } else if (multiply == 2) u = v = 0;
    __global ${T} *to = y + (long)k * ye + (long)l * yl;
    to[0] = factor * (swap_y ? v : u);
    if (yi) to[yi] = factor * (swap_y ? u : v);
</%def>
% if style == "cpu":
typedef ${T}${V} vec;
${vectors.typedef(T)}
${vectors.SERIAL}
% endif
__kernel void fft_points(
    ${interface.declare("fft_points",
        lines.operand("x", T, "in", "lines of numbers", rank, ("lines", "xl"), ("n // 2 + 1 if extend else n", "xe"), imaginary="xi"),
        lines.operand("y", T, "out", "lines of results", rank, ("lines", "yl"), ("m", "ye"), imaginary="yi"),
        Buffer("factors_p", T, "in", ("as many pairs as said above", 2), "what to multiply with", offset="factors_o",
               unused_if="multiply == 0"),
        Number("period", "of the factors that are products of two, else 0"),
        Number("shift", "the first part of their table has 2^shift + 8 pairs", allowed="0 if period is 0; else >= 1"),
        lines.outer(rank), Number("lines", "how many lines there are for each outer index"),
        Number("n", "numbers of a line of x"), Number("m", "numbers of a line of y"), lines.distances("x"), lines.distances("y"),
        whether("multiply", "which factors, see above", "0, 1 or 2"), whether("extend", "whether x is half of a spectrum"),
        whether("conjugate", "whether to take the conjugates of x"), whether("swap_x", "whether to exchange parts of x"),
        whether("swap_y", "whether to exchange parts of y"), whether("by_lines", "whether neighbours in memory are lines"),
        Number("scale", "what results are multiplied with", T),
        Number("middle", "what elements that are not their own counterparts are multiplied with besides", T))})
{
    __global const ${T} *factors = factors_p + factors_o, *high = factors + 2 * (((size_t)1 << shift) + 8);
    const size_t mask = ((size_t)1 << shift) - 1, each = by_lines ? m : lines, count = by_lines ? lines : m;
% if style == "cpu":
    // a line is worked on in pieces, which work-groups share
    const size_t pieces = (count + ${PIECE - 1}) / ${PIECE}, units = (size_t)outer * each * pieces;
    const size_t end = (get_group_id(0) + 1) * units / get_num_groups(0);
    for (size_t unit = get_group_id(0) * units / get_num_groups(0); unit < end; unit++) {
        size_t rest = unit / pieces / each, i = unit % pieces * ${PIECE};
        const size_t first = unit / pieces % each, stop = count - i < ${PIECE} ? count : i + ${PIECE};
% else:
    const size_t units = (size_t)outer * each;
    for (size_t item = get_global_id(0); item < units * count; item += get_global_size(0)) {
        size_t rest = item / count / each;
        const size_t first = item / count % each, i = item % count;
% endif
% for i in reversed(range(1, rank)):
        const size_t o${i} = rest % (size_t)b${i}; rest /= (size_t)b${i};
% endfor
        const size_t o0 = rest;
        __global const ${T} *x = x_p + x_o * x_u${"".join(f" + (long)o{i} * x_b{i}" for i in range(rank))};
        __global ${T} *y = y_p + y_o * y_u${"".join(f" + (long)o{i} * y_b{i}" for i in range(rank))};
% if style == "cpu":
        if (xe == 2 && xi == 1 && ye == 2 && yi == 1 && !by_lines && !extend && !conjugate && middle == 1 && !period && multiply < 2) {
            __global const ${T} *from = x + (long)first * xl;
            __global ${T} *to = y + (long)first * yl;
            for (const size_t whole = (size_t)n < stop ? n : stop; i + ${V // 2} <= whole; i += ${V // 2}) {
                vec u = *(__global const loose *)(from + 2 * i);
                if (swap_x) u = (vec)(${exchanged});
                if (multiply) {
                    const vec f = *(__global const loose *)(factors + 2 * i);
                    u = u * (vec)(${", ".join(f"f.s{i - i % 2}" for i in range(V))})
                        + (vec)(${exchanged}) * (vec)(${", ".join(f"{'' if i % 2 else '-'}f.s{i - i % 2 + 1}" for i in range(V))});
                }
                if (swap_y) u = (vec)(${exchanged});
                *(__global loose *)(to + 2 * i) = scale * u;
            }
        }
        for (; i < stop; i++) {
            const size_t k = by_lines ? first : i, l = by_lines ? i : first;
            ${point()}
        }
% else:
        const size_t k = by_lines ? first : i, l = by_lines ? i : first;
        ${point()}
% endif
    }
}
