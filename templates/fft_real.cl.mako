## Between the transform of n real numbers and the one of h = n / 2 complex numbers that are made of two each.
##
## For k <= h / 2, with a = x[k], b = conj(x[h - k]):  y[k] = half (a + b) + w (a - b), and
## y[h - k] = conj(half (a + b) - w (a - b)).
##
## zipping 0: x has h elements, x[h] being x[0], y h + 1;  half = 1/2, w = -i/2 exp(-2 pi i k / n): after the transform of z, where
##            z[j] is real number 2 j of a line and i times number 2 j + 1: y[k] is the spectrum of the real numbers
##         1: x has h + 1 elements, the imaginary parts of the first and last do not count, y h;  half = 1, w = i exp(2 pi i k / n):
##            the inverse transform of y then gives n times the real numbers, two in each
## middle   what all elements of the h + 1 but the first and the last are multiplied with besides
## x and y  lines of complex numbers, real and imaginary parts side by side; y may be x
## conjugate_x, conjugate_y  take and give the conjugates
## factors  pairs (real part, imaginary part) in two parts: for a < 2^shift + 8 and for b = 0 .. (h / 2) >> shift, such that w is
##          the product of the one for a and the one for b, k = a + b 2^shift.  With zipping 0 for instance exp(-2 pi i a / n), and
##          then -i/2 exp(-2 pi i b 2^shift / n)
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
turned = ", ".join(f"b.s{V - 2 - i + i % 2 * 2}" for i in range(V))
turned_back = ", ".join(f"d.s{V - 2 - i + i % 2 * 2}" for i in range(V))
interface.walks(style, "outer * lines * (h // 2 + 1)")
def whether(name, meaning): return Number(name, meaning, "int", allowed="0 or 1")
%>
${types.pragmas([dtype])}
<%def name="point()">
    const size_t j = h - k;
    __global const ${T} *p = x + (long)k * xe + (long)l * xl, *q = x + (long)(j == (size_t)h && !zipping ? 0 : j) * xe + (long)l * xl;
    const ${T} ar = p[0], br = q[0];
    ${T} ai = conjugate_x ? -p[1] : p[1], bi = conjugate_x ? q[1] : -q[1];
    if (zipping && k == 0) ai = bi = 0;
    const size_t at = k & mask, up = k >> shift;
    const ${T} lr = factors[2 * at], li = factors[2 * at + 1], hr = high[2 * up], hi = high[2 * up + 1];
    const ${T} own = k ? middle : 1, wr = own * (lr * hr - li * hi), wi = own * (lr * hi + li * hr);
    const ${T} sr = own * half_ * (ar + br), si = own * half_ * (ai + bi), dr = ar - br, di = ai - bi;
    const ${T} tr = wr * dr - wi * di, ti = wr * di + wi * dr;
    __global ${T} *to = y + (long)k * ye + (long)l * yl;
    to[0] = sr + tr; to[1] = conjugate_y ? -(si + ti) : si + ti;
    if (j != k && !(zipping && k == 0)) {
        to = y + (long)j * ye + (long)l * yl;
        to[0] = sr - tr; to[1] = conjugate_y ? si - ti : ti - si;
    }
</%def>
% if style == "cpu":
typedef ${T}${V} vec;
${vectors.typedef(T)}
${vectors.SERIAL}
% endif
__kernel void fft_real(
    ${interface.declare("fft_real",
        lines.operand("x", T, "in", "lines of complex numbers", rank, ("lines", "xl"), ("h + zipping", "xe"), imaginary=1),
        lines.operand("y", T, "out", "lines of complex numbers", rank, ("lines", "yl"), ("h + 1 - zipping", "ye"), imaginary=1),
        Buffer("factors", T, "in", ("as many pairs as said above", 2), "the table that w is made from"),
        Number("shift", "the first part of the table has 2^shift + 8 pairs", allowed=">= 1"),
        lines.outer(rank), Number("lines", "how many lines there are for each outer index"),
        Number("h", "half the number of real numbers", allowed=">= 1"), lines.distances("x", imaginary=False),
        lines.distances("y", imaginary=False), whether("zipping", "the direction, see above"),
        whether("conjugate_x", "whether to take the conjugates of x"), whether("conjugate_y", "whether to give those of y"),
        whether("by_lines", "whether neighbours in memory are lines"),
        Number("middle", "what elements but the first and last of h + 1 are multiplied with besides", T))})
{
    const ${T} half_ = zipping ? 1 : ${types.literal(0.5, T)};
    __global const ${T} *high = factors + 2 * (((size_t)1 << shift) + 8);
    const size_t mask = ((size_t)1 << shift) - 1, m = h / 2 + 1, each = by_lines ? m : lines, count = by_lines ? lines : m;
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
        if (xe == 2 && ye == 2 && !by_lines) {
            const size_t l = first;
            if (i == 0) { const size_t k = i++; ${point()} }
            const vec sign_a = (vec)(${", ".join(f"1, {'conjugate_x ? -1 : 1'}" for _ in range(V // 2))});
            const vec sign_y = (vec)(${", ".join(f"1, {'conjugate_y ? -1 : 1'}" for _ in range(V // 2))});
            const vec alternate = (vec)(${", ".join("1, -1" for _ in range(V // 2))});
            // four numbers from the front and four from the back at a time, until they meet
            for (; i + ${V // 2} <= stop && 2 * (i + ${V // 2 - 1}) < (size_t)h; i += ${V // 2}) {
                __global const ${T} *p = x + (long)l * xl + 2 * i, *q = x + (long)l * xl + 2 * (h - i - ${V // 2 - 1});
                __global ${T} *to = y + (long)l * yl + 2 * i, *back = y + (long)l * yl + 2 * (h - i - ${V // 2 - 1});
                vec a = *(__global const loose *)p, b = *(__global const loose *)q;
                a *= sign_a;
                b = (vec)(${turned}) * (sign_a * alternate);
                const ${T} hr = middle * high[2 * (i >> shift)], hi = middle * high[2 * (i >> shift) + 1];
                const vec g = *(__global const loose *)(factors + 2 * (i & mask));
                const vec f = hr * g + hi * (vec)(${", ".join(f"{'' if i % 2 else '-'}g.s{i + 1 - i % 2 * 2}" for i in range(V))});
                const vec wr = (vec)(${", ".join(f"f.s{i - i % 2}" for i in range(V))}), wi = (vec)(${", ".join(f"{'' if i % 2 else '-'}f.s{i - i % 2 + 1}" for i in range(V))});
                vec d = a - b;
                const vec s = middle * half_ * (a + b), t = wr * d + wi * (vec)(${", ".join(f"d.s{i + 1 - i % 2 * 2}" for i in range(V))});
                *(__global loose *)to = (s + t) * sign_y;
                d = (s - t) * (sign_y * alternate);
                *(__global loose *)back = (vec)(${turned_back});
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
