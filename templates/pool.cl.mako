## pool: the maximum or mean of windows over the spatial dimensions of (n, c, i0, i1, i2), and its gradient.
##
## kind   max (values and int64 positions inside the plane of the input) or average
## form   forward  x (n, c, i0, i1, i2) -> y (n, c, o0, o1, o2) [, position (as y)]
##        scatter  g (n, c, o0, o1, o2) [, position] -> gx (n, c, i0, i1, i2): windows add into their plane, in order; one
##                 work-item does a whole plane, so the sums are the same in every run
##        gather   the same, but each input element adds up the windows over it: for types too narrow to sum in memory
##        take     x (n, c, i0, i1, i2), position -> y: the elements at given positions, the gradient of the gradient
## adaptive  windows run from floor(o * i / out) to ceil((o + 1) * i / out); kernel, stride and padding are ignored
##
## inside  no window leaves the input, so the forward form of the cpu style need not check
##
## Inputs have any strides, outputs are contiguous.
<%!
from cltensor.codegen.parameters import TRUTH, Parameter, one_of

PARAMETERS = dict(
    style="cpu", dtype="float32", kind=Parameter("max", "what is made of a window", one_of("max", "average")),
    form=Parameter("forward", "what is computed", one_of("forward", "scatter", "gather", "take")),
    adaptive=Parameter(False, "whether windows adapt to the sizes", TRUTH),
    inside=Parameter(False, "whether no window leaves the input", TRUTH))
DTYPES = "floating"  # and number, where positions are given
STYLES = ("cpu", "gpu")
%>
<%
T = types.compute_type(dtype)
positions = kind == "max" and form != "forward"
first, result = ("x", "y") if form in ("forward", "take") else ("g", "gx")
over = "i" if form == "gather" else "o"
by_blocks = style == "cpu" and form == "forward" and inside
by_rows = style == "cpu" and form == "forward" and not adaptive and not inside
W = vectors.width(T)
I = types.INTEGER_OF[T]
CHUNK = 64
assert form != "take" or kind == "max"
assert form != "scatter" or T == types.storage_type(dtype)
assert not (inside and adaptive)
wide, narrow = (("n", "c", *(f"{p}{a}" for a in range(3))) for p in "io")
work = "n * c" if form == "scatter" else " * ".join(wide if form == "gather" else narrow)
needs = ["A plane of the input has less than 2^31 elements."] if form == "forward" else []
if inside:
    needs.append("No window leaves the input: each p is 0, and (o - 1) * s + (k - 1) * d < i.")
if kind == "average":
    needs.append("A window has at least one element" + ("." if adaptive else ", or the divisor is given."))
if positions:
    needs.append("Each position is in its plane.")
interface.walks(style, work, 128, None, needs)
position = Buffer("position", "long", "in" if positions else "out", narrow, "positions of the largest elements in their planes, (z * i1 + y) * i2 + x",
                  tuple(f"t{a}" for a in ("n", "c", 0, 1, 2)) if positions else "dense", offset="position_o", restrict=True)
def triple(p, meaning, allowed=""):
    return [Number(f"{p}{a}", f"{meaning} along dimension {a}", allowed=allowed) for a in range(3)]
def strides(p, of):
    return [Number(f"{p}{a}", f"from one element of {of} to the next along {a if a in ('n', 'c') else f'dimension {a}'}", unit="elements")
            for a in ("n", "c", 0, 1, 2)]
def step(a):
    return f"d{a}" if kind == "max" else "1"
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
<%def name="nest(index)">
    size_t rest = ${index};
    const long q2 = rest % (size_t)${over}2; rest /= (size_t)${over}2;
    const long q1 = rest % (size_t)${over}1; rest /= (size_t)${over}1;
    const long q0 = rest % (size_t)${over}0; rest /= (size_t)${over}0;
    const long ic = rest % (size_t)c, in = rest / (size_t)c;
</%def>
## [b, e) in input positions of the window at output q, with e clipped; f is the end before clipping to the input
<%def name="window(a, q)">
% if adaptive:
    const long b${a} = ${q} * i${a} / o${a}, e${a} = ((${q} + 1) * i${a} + o${a} - 1) / o${a};
% elif kind == "max":
    const long w${a} = ${q} * s${a} - p${a}, f${a} = w${a} + (k${a} - 1) * d${a} + 1;
    const long b${a} = w${a} < 0 ? w${a} + (-w${a} + d${a} - 1) / d${a} * d${a} : w${a}, e${a} = f${a} < i${a} ? f${a} : i${a};
% else:
    const long w${a} = ${q} * s${a} - p${a}, f${a} = w${a} + k${a} < i${a} + p${a} ? w${a} + k${a} : i${a} + p${a};
    const long b${a} = w${a} < 0 ? 0 : w${a}, e${a} = f${a} < i${a} ? f${a} : i${a};
% endif
</%def>
<%def name="count()">
% if adaptive:
    const long size = (e0 - b0) * (e1 - b1) * (e2 - b2);
% else:
    const long size = divisor ? divisor : include_pad ? (f0 - w0) * (f1 - w1) * (f2 - w2) : (e0 - b0) * (e1 - b1) * (e2 - b2);
% endif
</%def>
<%def name="forward(target)">
% for a in range(3):
    ${window(a, f"q{a}")}
% endfor
    const size_t from = x_o + in * xn + ic * xc;
% if kind == "max":
    ${T} best = -INFINITY;
    long place = (b0 * i1 + b1) * i2 + b2;
% else:
    ${T} sum = 0;
% endif
% if style == "cpu" and kind == "average":
    // lines that span the plane are one run; sums side by side keep vectors busy
    const int whole = e2 - b2 == i2 && x1 == i2 * x2;
    const long lines = whole ? 1 : e1 - b1;
    const size_t run = whole ? (e1 - b1) * i2 : e2 - b2;
    ${T} sums[${W}];
    for (size_t j = 0; j < ${W}; j++) sums[j] = 0;
    for (long z = b0; z < e0; z++)
        for (long y = b1; y < b1 + lines; y++) {
            const size_t line = from + z * x0 + y * x1 + b2 * x2;
            size_t i = 0;
            if (x2 == 1)
                for (; i + ${W} <= run; i += ${W})
                    for (size_t j = 0; j < ${W}; j++) sums[j] += ${types.load(dtype, "x", "line + i + j")};
            for (; i < run; i++) sum += ${types.load(dtype, "x", "line + i * x2")};
        }
    for (size_t j = 0; j < ${W}; j++) sum += sums[j];
% else:
    for (long z = b0; z < e0; z += ${"d0" if kind == "max" and not adaptive else 1})
        for (long y = b1; y < e1; y += ${"d1" if kind == "max" and not adaptive else 1}) {
            const size_t line = from + z * x0 + y * x1;
            for (long w = b2; w < e2; w += ${"d2" if kind == "max" and not adaptive else 1}) {
                const ${T} value = ${types.load(dtype, "x", "line + w * x2")};
% if kind == "max":
                if (value > best || value != value) { best = value; place = (z * i1 + y) * i2 + w; }
% else:
                sum += value;
% endif
            }
        }
% endif
% if kind == "max":
    ${types.store(dtype, "y", f"y_o + {target}", "best")}
    position[position_o + ${target}] = place;
% else:
    ${count()}
    ${types.store(dtype, "y", f"y_o + {target}", f"size ? sum / ({T})size : 0")}
% endif
</%def>
## W neighbouring windows of one plane at a time, none of which leaves the input
<%def name="block()">
    size_t at[${W}];
    ${I} starts[${W}];
    for (size_t j = 0; j < ${W}; j++) {
        at[j] = from + q0 * s0 * x0 + q1 * s1 * x1 + q2 * s2 * x2;
        starts[j] = (${I})((q0 * s0 * i1 + q1 * s1) * i2 + q2 * s2);
        if (o + j + 1 < size) { if (++q2 == o2) { q2 = 0; if (++q1 == o1) { q1 = 0; q0++; } } }
    }
% if kind == "max":
    const places start = (places)(${", ".join(f"starts[{j}]" for j in range(W))});
    places place = start;
    vec best = (vec)(-INFINITY);
% else:
    vec best = (vec)(0);
% endif
    for (long z = 0; z < k0; z++)
        for (long y = 0; y < k1; y++)
            for (long t = 0; t < k2; t++) {
                const size_t off = z * ${step(0)} * x0 + y * ${step(1)} * x1 + t * ${step(2)} * x2;
                const vec value = (vec)(${vectors.gathered(dtype, "x", [f"at[{j}] + off" for j in range(W)])});
% if kind == "max":
                const places better = (value > best) | (value != value);
                best = better ? value : best;
                place = better ? start + (places)((${I})((z * d0 * i1 + y * d1) * i2 + t * d2)) : place;
% else:
                best += value;
% endif
            }
    ${T} results[${W}];
    *(loose_vec *)results = best${"" if kind == "max" else f" / (vec)(({T})(divisor ? divisor : k0 * k1 * k2))"};
    const size_t live = size - o < ${W} ? size - o : ${W};
    for (size_t j = 0; j < live; j++) { ${types.store(dtype, "y", "y_o + plane * size + o + j", "results[j]")} }
% if kind == "max":
    *(loose_places *)starts = place;
    for (size_t j = 0; j < live; j++) position[position_o + plane * size + o + j] = starts[j];
% endif
</%def>
## a tap of neighbouring windows: their elements `value`, the t-th of the window's row
<%def name="side_tap(t)">
% if kind == "max":
                        const places better = (value > best) | (value != value);
                        best = better ? value : best;
                        place = better ? start + (places)((${I})((z * d0 * i1 + y * d1) * i2 + ${t})) : place;
% else:
                        best += value;
% endif
</%def>
## rows of windows side by side, W at a time: the last ones of a row may be done twice
<%def name="side_by_side()">
    const size_t rows = (size_t)(n * c * o0 * o1), stop = (get_group_id(0) + 1) * rows / get_num_groups(0);
    for (size_t row = get_group_id(0) * rows / get_num_groups(0); row < stop; row++) {
        const size_t q1 = row % (size_t)o1, q0 = row / (size_t)o1 % (size_t)o0, plane = row / (size_t)(o1 * o0);
        const size_t line = x_o + plane / (size_t)c * xn + plane % (size_t)c * xc + q0 * s0 * x0 + q1 * s1 * x1;
        for (long q2 = 0; q2 < o2; q2 += ${W}) {
            if (q2 + ${W} > o2) q2 = o2 - ${W};
% if kind == "max":
            const places start = (places)((${I})((q0 * s0 * i1 + q1 * s1) * i2 + q2 * s2)) + (places)((${I})s2) * (places)(${", ".join(map(str, range(W)))});
            places place = start;
            vec best = (vec)(-INFINITY);
% else:
            vec best = (vec)(0);
% endif
            for (long z = 0; z < k0; z++)
                for (long y = 0; y < k1; y++) {
                    const size_t at = line + z * ${step(0)} * x0 + y * ${step(1)} * x1 + q2 * s2;
                    if (s2 == 1) {
                        for (long t = 0; t < k2; t++) {
                            const vec value = ${vectors.loaded(dtype, "x", "at + t", T)};
                            ${side_tap("t")}
                        }
                        continue;
                    }
                    for (long t = 0; t + 1 < k2; t += 2) {
                        const vec low = ${vectors.loaded(dtype, "x", "at + t", T)};
                        const vec high = ${vectors.loaded(dtype, "x", f"at + t + {W}", T)};
                        { const vec value = (vec)(low.even, high.even); ${side_tap("t")} }
                        { const vec value = (vec)(low.odd, high.odd); ${side_tap("t + 1")} }
                    }
                    if (k2 % 2) {
                        const vec low = ${vectors.loaded(dtype, "x", "at + k2 - 2", T)};
                        const vec high = ${vectors.loaded(dtype, "x", f"at + k2 - 2 + {W}", T)};
                        const vec value = (vec)(low.odd, high.odd);
                        ${side_tap("k2 - 1")}
                    }
                }
% if kind == "average":
            best = best / (vec)((${T})(divisor ? divisor : k0 * k1 * k2));
% endif
            ${vectors.stored(dtype, "y", "y_o + row * o2 + q2", "best")}
% if kind == "max":
            *(__global wide_places *)(position + position_o + row * o2 + q2) = (wide_places)(${", ".join(f"place.s{e}" for e in range(W))});
% endif
        }
    }
</%def>
## one row of windows, tap by tap: no branch depends on the data, and the innermost loop can run in vectors
<%def name="row()">
    ${window(0, "q0")}
    ${window(1, "q1")}
    const size_t from = x_o + in * xn + ic * xc, to = row * o2;
    for (long c0 = 0; c0 < o2; c0 += ${CHUNK}) {
        const long n2 = o2 - c0 < ${CHUNK} ? o2 - c0 : ${CHUNK};
        ${T} best[${CHUNK}];
% if kind == "max":
        ${I} place[${CHUNK}];
% endif
        for (long i = 0; i < n2; i++) best[i] = ${"-INFINITY" if kind == "max" else "0"};
% if kind == "max":
        const ${I} plane_row = (${I})((b0 * i1 + b1) * i2 + c0 * s2 - p2);
        for (long i = 0; i < n2; i++) place[i] = plane_row + (${I})(i * s2);
        // not in the loop above: with a division in it, compilers would not vectorise it
        for (long i = 0; i < n2 && (c0 + i) * s2 < p2; i++)
            place[i] += (${I})((p2 - (c0 + i) * s2 + d2 - 1) / d2 * d2);
% endif
        for (long z = b0; z < e0; z += ${step(0)})
            for (long y = b1; y < e1; y += ${step(1)})
                for (long t = 0; t < k2; t++) {
                    const long w = c0 * s2 - p2 + t * ${step(2)};
                    long lo = 0, hi = n2;
                    if (w < 0) lo = (-w + s2 - 1) / s2;
                    if (w + (n2 - 1) * s2 >= i2) hi = w < i2 ? (i2 - w - 1) / s2 + 1 : 0;
                    const size_t line = from + z * x0 + y * x1 + w * x2;
                    const ${I} spot = (${I})((z * i1 + y) * i2 + w);
                    if (x2 == 1 && s2 == 1) { ${tap("1")} }
                    else if (x2 == 1 && s2 == 2) { ${tap("2")} }
                    else { ${tap("s2 * x2")} }
                }
        for (long i = 0; i < n2; i++) {
% if kind == "max":
            ${types.store(dtype, "y", "y_o + to + c0 + i", "best[i]")}
            position[position_o + to + c0 + i] = place[i];
% else:
            ${window(2, "(c0 + i)")} ${count()}
            ${types.store(dtype, "y", "y_o + to + c0 + i", f"size ? best[i] / ({T})size : 0")}
% endif
        }
    }
</%def>
<%def name="tap(stride)">
    for (long i = lo; i < hi; i++) {
        const ${T} value = ${types.load(dtype, "x", f"line + i * {stride}")};
% if kind == "max":
        const int better = (value > best[i]) | (value != value);
        best[i] = better ? value : best[i];
        place[i] = better ? spot + (${I})(i * s2) : place[i];
% else:
        best[i] += value;
% endif
    }
</%def>
<%def name="scatter()">
    const size_t to = gx_o + plane * (size_t)(i0 * i1 * i2);
    for (size_t i = 0; i < (size_t)(i0 * i1 * i2); i++) gx[to + i] = 0;
    const size_t ic = plane % (size_t)c, in = plane / (size_t)c;
    for (long q0 = 0; q0 < o0; q0++)
        for (long q1 = 0; q1 < o1; q1++) {
            const size_t from = g_o + in * xn + ic * xc + q0 * x0 + q1 * x1;
% if kind == "max":
            const size_t at = position_o + in * tn + ic * tc + q0 * t0 + q1 * t1;
            for (long q2 = 0; q2 < o2; q2++) gx[to + position[at + q2 * t2]] += g[from + q2 * x2];
% else:
            ${window(0, "q0")} ${window(1, "q1")}
            for (long q2 = 0; q2 < o2; q2++) {
                ${window(2, "q2")} ${count()}
                const ${T} share = g[from + q2 * x2] / (${T})size;
                for (long z = b0; z < e0; z++)
                    for (long y = b1; y < e1; y++)
                        for (long w = b2; w < e2; w++) gx[to + (z * i1 + y) * i2 + w] += share;
            }
% endif
        }
</%def>
<%def name="gather(target)">
    const size_t from = g_o + in * xn + ic * xc;
    ${T} sum = 0;
% for a in range(3):
% if adaptive:
    const long lo${a} = q${a} * o${a} / i${a}, hi${a} = ((q${a} + 1) * o${a} + i${a} - 1) / i${a};
% else:
    const long reach${a} = q${a} + p${a} - (k${a} - 1) * d${a}, top${a} = (q${a} + p${a}) / s${a} + 1;
    const long lo${a} = reach${a} > 0 ? (reach${a} + s${a} - 1) / s${a} : 0, hi${a} = top${a} < o${a} ? top${a} : o${a};
% endif
% endfor
    for (long z = lo0; z < hi0; z++)
        for (long y = lo1; y < hi1; y++)
            for (long w = lo2; w < hi2; w++) {
                const ${T} value = ${types.load(dtype, "g", "from + z * x0 + y * x1 + w * x2")};
% if kind == "max":
                if (position[position_o + in * tn + ic * tc + z * t0 + y * t1 + w * t2] == (q0 * i1 + q1) * i2 + q2) sum += value;
% else:
                ${window(0, "z")} ${window(1, "y")} ${window(2, "w")} ${count()}
                sum += value / (${T})size;
% endif
            }
    ${types.store(dtype, "gx", f"gx_o + {target}", "sum")}
</%def>
<%def name="take(target)">
    const long place = position[position_o + in * tn + ic * tc + q0 * t0 + q1 * t1 + q2 * t2];
    const long z = place / (i1 * i2), y_ = place / i2 % i1, w = place % i2;
    y[y_o + ${target}] = x[x_o + in * xn + ic * xc + z * x0 + y_ * x1 + w * x2];
</%def>
% if by_blocks:
typedef ${T}${W} vec;
typedef ${I}${W} places;
typedef vec __attribute__((aligned(${4 if T == "float" else 8}))) loose_vec;
typedef places __attribute__((aligned(${4 if T == "float" else 8}))) loose_places;
${vectors.typedef(T)}
% if kind == "max":
typedef long${W} __attribute__((aligned(8))) wide_places;
% endif
% endif
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void pool(
    ${interface.declare("pool",
        Buffer(first, types.storage_type(dtype), "in", wide if first == "x" else narrow, "x" if first == "x" else "the gradient of the result",
               tuple(f"x{a}" for a in ("n", "c", 0, 1, 2)), offset=f"{first}_o", restrict=True),
        [position] if positions else [],
        Buffer(result, types.storage_type(dtype), "out", narrow if result == "y" else wide,
               "the result" if result == "y" else "the gradient of x", offset=f"{result}_o", restrict=True),
        [position] if kind == "max" and form == "forward" else [],
        Number("n", "the size of the batch"), Number("c", "the number of channels"), triple("i", "the size of the input", ">= 1"),
        triple("o", "the size of the result"), strides("x", first), strides("t", "position") if positions else [],
        [] if adaptive else [*triple("k", "the size of a window", ">= 1"), *triple("s", "the distance of windows", ">= 1"),
                             *triple("p", "the padding on both sides", "at most half of k"),
                             *triple("d", "the distance of a window's elements", ">= 1" if kind == "max" else "1")],
        [Number("include_pad", "whether padding counts as elements of a window", allowed="0 or 1"),
         Number("divisor", "what sums are divided by; 0: the number of elements")] if kind == "average" and not adaptive else [])})
{
% if form == "scatter":
    const size_t planes = (size_t)(n * c);
% if style == "cpu":
    const size_t last = (get_group_id(0) + 1) * planes / get_num_groups(0);
    for (size_t plane = get_group_id(0) * planes / get_num_groups(0); plane < last; plane++) {
% else:
    for (size_t plane = get_global_id(0); plane < planes; plane += get_global_size(0)) {
% endif
        ${scatter()}
    }
% elif by_blocks:
    if (x2 == 1 && o2 >= ${W}${" && d2 == 1" if kind == "max" else ""} && (s2 == 1 || (s2 == 2 && k2 > 1))) {
        ${side_by_side()}
        return;
    }
    const size_t size = (size_t)(o0 * o1 * o2), blocks = (size + ${W - 1}) / ${W}, total = (size_t)(n * c) * blocks;
    size_t u = get_group_id(0) * total / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * total / get_num_groups(0);
    while (u < last) {
        const size_t plane = u / blocks, in = plane / (size_t)c, ic = plane - in * c;
        const size_t from = x_o + in * xn + ic * xc;
        size_t o = (u - plane * blocks) * ${W}, rest = o;
        long q2 = rest % (size_t)o2; rest /= (size_t)o2;
        long q1 = rest % (size_t)o1;
        long q0 = rest / (size_t)o1;
        for (; o < size && u < last; o += ${W}, u++) {
            ${block()}
        }
    }
% elif style == "cpu":
    const size_t rows = (size_t)(n * c * ${over}0 * ${over}1);
    size_t row = get_group_id(0) * rows / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * rows / get_num_groups(0);
    size_t rest = row;
    long q1 = rest % (size_t)${over}1; rest /= (size_t)${over}1;
    long q0 = rest % (size_t)${over}0; rest /= (size_t)${over}0;
    long ic = rest % (size_t)c, in = rest / (size_t)c;
    for (; row < last; row++) {
% if by_rows:
        ${row()}
% else:
        for (long q2 = 0; q2 < ${over}2; q2++) {
            ${{"forward": forward, "gather": gather, "take": take}[form](f"row * {over}2 + q2")}
        }
% endif
        if (++q1 == ${over}1) { q1 = 0; if (++q0 == ${over}0) { q0 = 0; if (++ic == c) { ic = 0; in++; } } }
    }
% else:
    const size_t total = (size_t)(n * c * ${over}0 * ${over}1 * ${over}2);
    for (size_t i = get_global_id(0); i < total; i += get_global_size(0)) {
        ${nest("i")}
        ${{"forward": forward, "gather": gather, "take": take}[form]("i")}
    }
% endif
}
