## Discrete Fourier transforms of length n along lines: y[k] = scale * sum over j of x[j] exp(-2 pi i j k / n).
##
## x, y       lines of n numbers, complex or real
## radices_0  a byte for each pass, the first lowest, of the mixed-radix algorithm of Stockham, which leaves the order natural: their
##            product is n.  n = 40 = 5 * 8, for instance, is 0x0805; n = 1 has one pass, of radix 1.
##            At pass t, of radix r, s is the product of the radices before it and n = s r m:
##            y[q + s (r p + k)] = exp(-2 pi i p k / (r m)) sum over j of x[q + s (p + m j)] exp(-2 pi i j k / r),  p < m, q < s
## table      pairs (real part, imaginary part).  From tw_0 on, for each pass, and in it for each p = 0 .. m - 1, the
##            exp(-2 pi i p k / (r m)) for k = 1 .. r - 1: n - 1 pairs in all.  It may have more parts, for `turn` and for phase 1
## swap_x, swap_y  exchange real and imaginary parts when reading x and when writing y: both turn the transform into the inverse one
## turn       0, or where the factors of the four-step algorithm start in `table`: then number k of line c is multiplied by
##            exp(-2 pi i k c / N).  A transform of N = n1 * n2 numbers is one of the n2 columns, each of n1 numbers, of a matrix
##            whose rows hold the numbers in order; this; and one of the n1 rows, whose number k2 in row k1 is result
##            k1 + n1 * k2.  The factors are pairs in two parts, exp(-2 pi i j / N) for j < 2^shift, and exp(-2 pi i j 2^shift / N)
##            for j = 0 .. J >> shift, J = n * lines on a gpu, n * (lines + V) in the cpu style; and in the cpu style after them,
##            for each k < n, V real parts and then V imaginary parts of exp(-2 pi i k l / N), l < V
## phases     cpu style: 1, or 2 for a transform as columns (_0) and then as rows (_1) of a matrix by one work-group, which keeps the
##            matrix as the last 2 * n_0 * n_1 numbers of its scratch, complex numbers row by row: lines_0 = n_1, lines_1 = n_0,
##            ye_0 = xl_1 = 2 * n_1, yl_0 = xe_1 = 2, yi_0 = xi_1 = 1.  Columns turn, rows are scaled and written to y
##
## cpu: a vector of V = 8 floats or 4 doubles holds the same number of V lines.  A work-group takes V neighbouring lines at a time.
## gpu: a work-group keeps `width` lines in local memory.
<%!
import math

from cltensor.codegen import lines
from cltensor.codegen.parameters import Parameter, such, whole

RADICES = (1, 2, 3, 4, 5, 7, 8)
PARAMETERS = dict(
    style="cpu", dtype="float32",
    radices=Parameter((1, 2, 4, 8), "the radices that passes may have", such(
        f"a tuple of some of {', '.join(map(str, RADICES))}, each once",
        lambda v: isinstance(v, tuple) and v and set(v) <= set(RADICES) and len(set(v)) == len(v))),
    rank=Parameter(2, "the number of outer dimensions", whole(1, 64)),
    CAP=Parameter(1024, "numbers that a work-group of the gpu style keeps in local memory, twice", whole(1, 4096)),
    WGS=Parameter(64, "work-items of a group, in the gpu style", whole(1, 256)))
DTYPES = "wide"
STYLES = ("cpu", "gpu")

def sums(t, a, b):
    """Statements for a + b and a - b, pairs of names: (statements, sum, difference)."""
    names = [(f"{t}p{i}", f"{t}m{i}") for i in "ri"]
    lines = [f"const vec {p} = {x} + {y}, {m} = {x} - {y};" for (p, m), x, y in zip(names, a, b)]
    return lines, (names[0][0], names[1][0]), (names[0][1], names[1][1])

def dft4(t, a):
    lines, results = [], []
    found = [sums(f"{t}{i}", a[i], a[i + 2]) for i in range(2)]
    (l0, s0, d0), (l1, s1, d1) = found
    l2, y0, y2 = sums(f"{t}2", s0, s1)
    turned = (d1[1], f"(-{d1[0]})")
    l3, y1, y3 = sums(f"{t}3", d0, turned)
    return l0 + l1 + l2 + l3, [y0, y1, y2, y3]

def dft8(t, a, number):
    even, e = dft4(t + "e", a[0::2])
    odd, o = dft4(t + "o", a[1::2])
    half = number(math.sqrt(0.5))
    lines = even + odd
    lines += [f"const vec {t}1r = {half} * ({o[1][0]} + {o[1][1]}), {t}1i = {half} * ({o[1][1]} - {o[1][0]});",
              f"const vec {t}3r = {half} * ({o[3][1]} - {o[3][0]}), {t}3i = -{half} * ({o[3][0]} + {o[3][1]});"]
    turned = [o[0], (f"{t}1r", f"{t}1i"), (o[2][1], f"(-{o[2][0]})"), (f"{t}3r", f"{t}3i")]
    low, high = [], []
    for k in range(4):
        more, y, z = sums(f"{t}y{k}", e[k], turned[k])
        lines += more
        low.append(y)
        high.append(z)
    return lines, low + high

def dft_odd(t, a, number):
    """From sums and differences of the elements j and r - j, whose factors are conjugates."""
    r, lines, pairs = len(a), [], []
    for j in range(1, r // 2 + 1):
        more, p, m = sums(f"{t}{j}", a[j], a[r - j])
        lines += more
        pairs.append((p, m))
    results = [None] * r
    for i in (0, 1):
        lines.append(f"const vec {t}z{i} = {a[0][i]} + {' + '.join(p[i] for p, _ in pairs)};")
    results[0] = (f"{t}z0", f"{t}z1")
    for k in range(1, r // 2 + 1):
        for i in (0, 1):
            terms = " + ".join(f"{number(math.cos(2 * math.pi * (j * k % r) / r))} * {p[i]}" for j, (p, _) in enumerate(pairs, 1))
            lines.append(f"const vec {t}c{k}{i} = {a[0][i]} + {terms};")
            terms = " + ".join(f"{number(math.sin(2 * math.pi * (j * k % r) / r))} * {m[i]}" for j, (_, m) in enumerate(pairs, 1))
            lines.append(f"const vec {t}d{k}{i} = {terms};")
        lines.append(f"const vec {t}y{k}r = {t}c{k}0 + {t}d{k}1, {t}y{k}i = {t}c{k}1 - {t}d{k}0;")
        lines.append(f"const vec {t}y{r - k}r = {t}c{k}0 - {t}d{k}1, {t}y{r - k}i = {t}c{k}1 + {t}d{k}0;")
        results[k], results[r - k] = (f"{t}y{k}r", f"{t}y{k}i"), (f"{t}y{r - k}r", f"{t}y{r - k}i")
    return lines, results

def dft(a, number):
    """Statements for a transform of the numbers a, pairs of names, and the names of the results."""
    r = len(a)
    if r == 1:
        return [], list(a)
    if r == 2:
        lines, y, z = sums("t", *a)
        return lines, [y, z]
    return dft4("t", a) if r == 4 else dft8("t", a, number) if r == 8 else dft_odd("t", a, number)
%>
<%
T = types.compute_type(dtype)
V = vectors.width(T)
W = 2 * V
number = lambda v: types.literal(v, T)
given = lambda r: [(f"a{k}r", f"a{k}i") for k in range(r)]
cpu = style == "cpu"
def either(a, b): return f"{b} if phases == 2 else {a}" if cpu else a
needs = ["y overlaps nothing."]
if cpu:
    interface.launched(["1"], ["groups"], False, needs, groups=Choice(
        "work-groups, any number >= 1; scratch has a part for each", "max(1, min(8, outer * chunks))"))
else:
    interface.launched(["WGS"], ["max(1, min(outer * chunks, 65535)) * WGS"], True, [*needs, f"n_0 * width is at most {CAP}."])
def only(wanted, number): return number if wanted else Number(number.name, "not used", number.ctype)
def level(t):
    """The Numbers of a phase."""
    read, of = cpu or not t, f" of phase {t}" if cpu else ""
    told = [Number(f"n_{t}", f"the length of lines{of}", allowed=">= 1"),
            Number(f"lines_{t}", f"neighbouring lines{of}, for each outer index", allowed=">= 1"),
            Number(f"radices_{t}", f"the radices of the passes{of}", "ulong"),
            Number(f"tw_{t}", f"where the factors of the passes{of} start in table", unit="elements"),
            *lines.distances("x", f"_{t}"), *lines.distances("y", f"_{t}")]
    return told if read and not t else [Number(a.name, f"{a.meaning}; not read if phases is 1" if read else "not used", a.ctype,
                                               a.unit if read else "", a.allowed if read else "") for a in told]
%>
${types.pragmas([dtype])}
% if style == "cpu":
${header("transpose.clh")}
typedef ${T}${V} vec;
${vectors.typedef(T)}
#define AT(p) (*(__global const loose *)(p))
#define PUT(p, v) *(__global loose *)(p) = v
% else:
typedef ${T} vec;
% endif
<%def name="outer_index(index)">
    size_t rest = ${index};
% for i in reversed(range(1, rank)):
    size_t o${i} = 0;
    if (b${i} > 1) { o${i} = rest % (size_t)b${i}; rest /= (size_t)b${i}; }
% endfor
    const size_t o0 = rest;
    __global const ${T} *x = x_p + x_o * x_u${"".join(f" + (long)o{i} * x_b{i}" for i in range(rank))};
    __global ${T} *y = y_p + y_o * y_u${"".join(f" + (long)o{i} * y_b{i}" for i in range(rank))};
</%def>
<%def name="twiddled(r, results)">
% for k in range(1, r):
            { const vec zr = ${results[k][0]}, zi = ${results[k][1]};
              a${k}r = zr * w${k}r - zi * w${k}i; a${k}i = zr * w${k}i + zi * w${k}r; }
% endfor
</%def>
% if style == "cpu":
## Read the factor for element e of the lines from `line` on: tr, ti
<%def name="turning()">
    const size_t j = e * line;
    const ${T} hr = high[2 * (j >> shift)], hi = high[2 * (j >> shift) + 1], lr = low[2 * (j & mask)], li = low[2 * (j & mask) + 1];
    const ${T} sr = hr * lr - hi * li, si = hr * li + hi * lr;
    const vec er = AT(each + e * ${W}), ei = AT(each + e * ${W} + ${V});
    const vec tr = sr * er - si * ei, ti = sr * ei + si * er;
</%def>
<%def name="butterfly(r)">
<% statements, results = dft(given(r), number) %>
        const size_t m = left / ${r};
        const size_t apart = s * m * se, gap = s * de;
        for (size_t p = 0; p < m; p++) {
% for k in range(1, r):
            const ${T} w${k}r = tw[${2 * k - 2}], w${k}i = tw[${2 * k - 1}];
% endfor
            tw += ${2 * r - 2};
            __global const ${T} *from = src + (long)(s * p) * se;
            __global ${T} *to = dst + (long)(s * ${r} * p) * de;
            for (size_t q = 0; q < s; q++, from += se, to += de) {
                vec ${", ".join(f"a{k}r, a{k}i" for k in range(r))};
                if (read == SPLIT) {
% for k in range(r):
                    a${k}r = AT(from + ${k} * apart); a${k}i = AT(from + ${k} * apart + src_i);
% endfor
                } else if (read == WOVEN) {
% for k in range(r):
                    { const vec u = AT(from + ${k} * apart), v = AT(from + ${k} * apart + ${V});
                      a${k}r = (vec)(u.even, v.even); a${k}i = (vec)(u.odd, v.odd); }
% endfor
                    if (swap) {
% for k in range(r):
                        { const vec u = a${k}r; a${k}r = a${k}i; a${k}i = u; }
% endfor
                    }
                } else {
% for k in range(r):
                    a${k}r = AT(from + ${k} * apart); a${k}i = 0;
% endfor
                }
% for line in statements:
                ${line}
% endfor
                if (p) {
                    ${twiddled(r, results)}
                } else {
% for k in range(1, r):
                    { const vec zr = ${results[k][0]}, zi = ${results[k][1]}; a${k}r = zr; a${k}i = zi; }
% endfor
                }
                { const vec zr = ${results[0][0]}, zi = ${results[0][1]}; a0r = zr; a0i = zi; }
                if (last) {
                    if (turned) {
% for k in range(r):
                        { const size_t e = q + ${k} * s; ${turning()}
                          const vec zr = a${k}r, zi = a${k}i; a${k}r = zr * tr - zi * ti; a${k}i = zr * ti + zi * tr; }
% endfor
                    }
% for k in range(r):
                    a${k}r *= factor; a${k}i *= factor;
% endfor
                }
                if (write == SPLIT) {
% for k in range(r):
                    PUT(to + ${k} * gap, a${k}r); PUT(to + ${k} * gap + dst_i, a${k}i);
% endfor
                } else if (write == WOVEN) {
% for k in range(r):
                    { const vec u = swap_out ? a${k}i : a${k}r, v = swap_out ? a${k}r : a${k}i;
                      PUT(to + ${k} * gap, ((vec)(${", ".join(f"u.s{i}, v.s{i}" for i in range(V // 2))})));
                      PUT(to + ${k} * gap + ${V}, ((vec)(${", ".join(f"u.s{i}, v.s{i}" for i in range(V // 2, V))}))); }
% endfor
                } else {
% for k in range(r):
                    PUT(to + ${k} * gap, a${k}r);
% endfor
                }
            }
        }
        s *= ${r}; left = m;
        break;
</%def>
#define SPLIT 0
#define WOVEN 1
#define REAL 2
% endif
% if style == "cpu":
${vectors.SERIAL}
% else:
__attribute__((reqd_work_group_size(${WGS}, 1, 1)))
% endif
__kernel void fft_lines(
    ${interface.declare("fft_lines",
        lines.operand("x", T, "in", "lines of numbers", rank, ("lines_0", "xl_0"), ("n_0", "xe_0"), imaginary="xi_0"),
        lines.operand("y", T, "out", "their transforms", rank, (either("lines_0", "lines_1"), either("yl_0", "yl_1")),
                      (either("n_0", "n_1"), either("ye_0", "ye_1")), imaginary=either("yi_0", "yi_1")),
        Buffer("scratch", T, "scratch", ("groups", "span"), "the numbers between passes", offset="scratch_o") if cpu else
        Buffer("scratch", T, "scratch", (1,), "not used: any buffer will do", offset="scratch_o"),
        only(cpu, Number("span", "the scratch of a work-group", unit="elements",
                         allowed=f">= {4 * V} * n_0; with phases 2, >= {4 * V} * max(n_0, n_1) + 2 * n_0 * n_1")),
        Buffer("table", T, "in", ("as many numbers as said above",), "factors"), lines.outer(rank),
        Number("chunks", "the parts that the lines of an outer index are cut into, which work-groups share",
               allowed=f"lines_0 / {V}, rounded up, or 1; with phases 2, 1" if cpu else "lines_0 / width, rounded up"),
        Number("swap_x", "whether to exchange the parts of x", "int", allowed="0 or 1"),
        Number("swap_y", "whether to exchange the parts of y", "int", allowed="0 or 1"),
        Number("scale", "what the results are multiplied with", T),
        Number("turn", "where the factors of the four-step algorithm start in table, 0 for none", unit="elements"),
        Number("shift", "the first part of these factors has 2^shift pairs", allowed=">= 1; 0 if turn is 0"),
        Number("width", "how many numbers the second part has: 2 * ((J >> shift) + 1)", allowed="0 if turn is 0") if cpu else
        Number("width", "how many lines a work-group keeps in local memory", allowed=">= 1"),
        only(not cpu, Number("along", "whether neighbours in local memory are of one line rather than of neighbouring lines: it "
                             "changes the speed only", "int", allowed="0 or 1")),
        only(cpu, Number("phases", "how many transforms there are", "int", allowed="1 or 2")), level(0), level(1))})
{
    const size_t mask = ((size_t)1 << shift) - 1;
    __global const ${T} *low = table + turn, *high = low + 2 * (mask + 1);
% if style == "cpu":
    __global ${T} *buffers = scratch + scratch_o + get_group_id(0) * span;
    const size_t units = (size_t)(outer * chunks), end = (get_group_id(0) + 1) * units / get_num_groups(0);
    for (size_t unit = get_group_id(0) * units / get_num_groups(0); unit < end; unit++) {
        const size_t chunk = unit % chunks;
        ${outer_index("unit / chunks")}
        for (int phase = 0; phase < phases; phase++) {
            const size_t n = phase ? n_1 : n_0, lines = phase ? lines_1 : lines_0;
            const ulong plan = phase ? radices_1 : radices_0;
            const long xe = phase ? xe_1 : xe_0, xl = phase ? xl_1 : xl_0, xi = phase ? xi_1 : xi_0;
            const long ye = phase ? ye_1 : ye_0, yl = phase ? yl_1 : yl_0, yi = phase ? yi_1 : yi_0;
            __global ${T} *matrix = buffers + (span - 2 * n_0 * n_1);
            __global const ${T} *xs = phase ? matrix : x, *tws = table + (phase ? tw_1 : tw_0);
            const int final = phase + 1 == phases;
            __global ${T} *ys = final ? y : matrix;
            const int swap = phase ? 0 : swap_x, swap_out = final ? swap_y : 0, turned = turn && !phase;
            const ${T} factor = final ? scale : 1;
            __global const ${T} *each = high + width;
            // a block is a chunk, unless the group has all lines for itself
            const size_t blocks = chunks == 1 ? (lines + ${V - 1}) / ${V} : chunk + 1;
            for (size_t block = chunk; block < blocks; block++) {
                const size_t line = block * ${V}, live = lines - line < ${V} ? lines - line : ${V};
                __global const ${T} *xb = xs + (long)line * xl, *src = xb, *tw = tws;
                __global ${T} *yb = ys + (long)line * yl, *dst, *spare = buffers, *other = buffers + n * ${W};
                long se = xe, src_i = xi, de, dst_i;
                int read = xi == 0 ? REAL : SPLIT;
                if (live == ${V} && xl == 2 && xi == 1) {
                    read = WOVEN;
                } else if (live == ${V} && xl == 1 && (xi || !swap)) {
                    if (swap && xi) { src += xi; src_i = -xi; }
                } else {
                    // what is not in line is copied to a buffer first
                    size_t e = 0;
                    const int re_at = swap ? ${V} : 0, im_at = swap ? 0 : ${V};
                    if (live == ${V} && xe == 2 && xi == 1)
                        for (; e + ${V // 2} <= n; e += ${V // 2}) {
                            __global const ${T} *from = xb + 2 * e;
                            __global ${T} *to = spare + e * ${W};
% for l in range(V):
                            vec t${l} = AT(from + ${l} * xl);
% endfor
                            ct_transpose${V}(${", ".join(f"t{l}" for l in range(V))});
% for l in range(V // 2):
                            PUT(to + ${l * W} + re_at, t${2 * l}); PUT(to + ${l * W} + im_at, t${2 * l + 1});
% endfor
                        }
                    for (; e < n; e++) {
                        __global const ${T} *from = xb + (long)e * xe;
                        __global ${T} *to = spare + e * ${W};
                        for (size_t l = 0; l < live; l++) {
                            to[re_at + l] = from[(long)l * xl];
                            to[im_at + l] = xi ? from[(long)l * xl + xi] : 0;
                        }
                        for (size_t l = live; l < ${V}; l++) to[l] = to[${V} + l] = 0;
                    }
                    src = spare; se = ${W}; src_i = ${V}; read = SPLIT;
                    spare = other; other = buffers;
                }
                const int direct = live == ${V} && ((yl == 2 && yi == 1) || (yl == 1 && (yi || !swap_out)));
                size_t s = 1, left = n;
                for (ulong plan_left = plan; plan_left; plan_left >>= 8) {
                    const int last = plan_left < 256;
                    int write = SPLIT;
                    if (last && direct) {
                        dst = yb; de = ye; dst_i = yi;
                        if (yl == 2) write = WOVEN;
                        else if (yi == 0) write = REAL;
                        else if (swap_out) { dst += yi; dst_i = -yi; }
                    } else {
                        dst = spare; de = ${W}; dst_i = ${V};
                    }
                    switch (plan_left & 255) {
% for r in radices:
                    case ${r}: {
                        ${butterfly(r)}
                    }
% endfor
                    }
                    src = spare; se = ${W}; src_i = ${V}; read = SPLIT;
                    { __global ${T} *t = spare; spare = other; other = t; }
                }
                if (!direct) {
                    size_t e = 0;
                    const int re_at = swap_out ? ${V} : 0, im_at = swap_out ? 0 : ${V};
                    if (live == ${V} && ye == 2 && yi == 1)
                        for (; e + ${V // 2} <= n; e += ${V // 2}) {
                            __global const ${T} *from = src + e * ${W};
                            __global ${T} *to = yb + 2 * e;
% for l in range(V // 2):
                            vec t${2 * l} = AT(from + ${l * W} + re_at), t${2 * l + 1} = AT(from + ${l * W} + im_at);
% endfor
                            ct_transpose${V}(${", ".join(f"t{l}" for l in range(V))});
% for l in range(V):
                            PUT(to + ${l} * yl, t${l});
% endfor
                        }
                    for (; e < n; e++) {
                        __global const ${T} *from = src + e * ${W};
                        __global ${T} *to = yb + (long)e * ye;
                        for (size_t l = 0; l < live; l++) {
                            to[(long)l * yl] = from[re_at + l];
                            if (yi) to[(long)l * yl + yi] = from[im_at + l];
                        }
                    }
                }
            }
        }
    }
% else:
    __local ${T} re[${2 * CAP}], im[${2 * CAP}];
    const size_t n = n_0, lines = lines_0, units = (size_t)(outer * chunks);
    // neighbours in local memory are neighbouring elements if `along`, neighbouring lines otherwise
    const uint here = get_local_id(0), n32 = (uint)n, w32 = (uint)width, es = along ? 1 : w32, ls = along ? n32 : 1;
    for (size_t unit = get_group_id(0); unit < units; unit += get_num_groups(0)) {
        const size_t line = unit % chunks * width;
        const uint live = lines - line < (size_t)width ? (uint)(lines - line) : w32;
        ${outer_index("unit / chunks")}
        for (uint i = here; i < n32 * w32; i += ${WGS}) {
            const uint l = xe_0 < xl_0 ? i / n32 : i % w32, e = xe_0 < xl_0 ? i % n32 : i / w32, to = e * es + l * ls;
            const ${T} u = l < live ? x[(long)e * xe_0 + (long)(line + l) * xl_0] : 0;
            const ${T} v = l < live && xi_0 ? x[(long)e * xe_0 + (long)(line + l) * xl_0 + xi_0] : 0;
            re[to] = swap_x ? v : u; im[to] = swap_x ? u : v;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        uint s = 1, left = n32, src = 0;
        __global const ${T} *tw = table + tw_0;
        for (ulong plan = radices_0; plan; plan >>= 8) {
            const uint dst = ${CAP} - src, r = (uint)(plan & 255), m = left / r, each = n32 / r;
            for (uint i = here; i < each * w32; i += ${WGS}) {
                const uint l = along ? i / each : i % w32, j = along ? i % each : i / w32, q = j % s, p = j / s;
                const uint from = src + (q + s * p) * es + l * ls, to = dst + (q + s * r * p) * es + l * ls;
                const uint apart = s * m * es, gap = s * es;
                __global const ${T} *w = tw + p * (2 * r - 2);
                switch (r) {
% for r in radices:
<% statements, results = dft(given(r), number) %>
                case ${r}: {
                    vec ${", ".join(f"a{k}r = re[from + {k} * apart], a{k}i = im[from + {k} * apart]" for k in range(r))};
% for k in range(1, r):
                    const ${T} w${k}r = w[${2 * k - 2}], w${k}i = w[${2 * k - 1}];
% endfor
% for line in statements:
                    ${line}
% endfor
                    { const vec zr = ${results[0][0]}, zi = ${results[0][1]}; a0r = zr; a0i = zi; }
                    ${twiddled(r, results)}
% for k in range(r):
                    re[to + ${k} * gap] = a${k}r; im[to + ${k} * gap] = a${k}i;
% endfor
                    break;
                }
% endfor
                }
            }
            tw += m * (2 * r - 2);
            s *= r; left = m; src = dst;
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        for (uint i = here; i < n32 * w32; i += ${WGS}) {
            const uint l = ye_0 < yl_0 ? i / n32 : i % w32, e = ye_0 < yl_0 ? i % n32 : i / w32, from = src + e * es + l * ls;
            if (l >= live) continue;
            ${T} u = re[from], v = im[from];
            if (turn) {
                const size_t j = e * (line + l);
                const ${T} hr = high[2 * (j >> shift)], hi = high[2 * (j >> shift) + 1];
                const ${T} lr = low[2 * (j & mask)], li = low[2 * (j & mask) + 1];
                const ${T} tr = hr * lr - hi * li, ti = hr * li + hi * lr, z = u;
                u = z * tr - v * ti; v = z * ti + v * tr;
            }
            __global ${T} *to = y + (long)e * ye_0 + (long)(line + l) * yl_0;
            to[0] = scale * (swap_y ? v : u);
            if (yi_0) to[yi_0] = scale * (swap_y ? u : v);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
% endif
}
