## deform: bilinear samples of planes beside the taps of a convolution, moved by offsets, and the gradient.
##
## x (n, c, h, w); offset (n, groups, k0 * k1, 2, o0, o1), in rows and columns, shared by the c / groups channels of a group.
## form   forward  x, offset -> y (n, c, k0 * k1, o0, o1): x at (q0 * d0 - p0 + i * t0 + row, q1 * d1 - p1 + j * t1 + column)
##        scatter  g as y, offset -> gx (n, c, h, w): a work-item owns rows of a plane and adds to them sample by sample, so
##                 the sums are the same in every run
## slope0, slope1  take the derivative by the row or the column of the place instead: the two weights of an axis are then -1, 1
##
## x is 0 outside.  Inputs have any strides, outputs are contiguous.
<%!
PARAMETERS = dict(style="cpu", dtype="float32", form="forward", slope0=False, slope1=False)
DTYPES = "floating"
LAUNCH = {
    "cpu": "local = (1,); global = (groups,), any number >= 1",
    "gpu": "local = (l,); global = (output elements, or planes * parts for scatter, rounded up,)",
}
%>
<%
T, S = types.compute_type(dtype), types.storage_type(dtype)
first, result = ("x", "y") if form == "forward" else ("g", "gx")
slopes = slope0, slope1
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
## the place of sample (in, group, tap, q0, q1): the pixels l before it, and the weights of l and l + 1, 0 outside
<%def name="sample()">
    const size_t moved = offset_o + in * fn + group * fg + tap * ft + q0 * f0 + q1 * f1;
% for a in range(2):
    const ${T} p${a} = ${types.load(dtype, "offset", f"moved + {a} * fa")}
        + (${T})(q${a} * d${a} - p${a}_ + ${"tap / k1" if a == 0 else "tap % k1"} * t${a});
    const int near${a} = p${a} > -1 && p${a} < s${a};
    const long l${a} = near${a} ? (long)floor(p${a}) : -2;
% if slopes[a]:
    const ${T} a${a} = l${a} >= 0 ? -1 : 0, b${a} = l${a} >= -1 && l${a} + 1 < s${a} ? 1 : 0;
% else:
    const ${T} part${a} = p${a} - l${a};
    const ${T} a${a} = l${a} >= 0 ? 1 - part${a} : 0, b${a} = l${a} >= -1 && l${a} + 1 < s${a} ? part${a} : 0;
% endif
% endfor
</%def>
<%def name="corner(rows, columns)">
    if (${rows}0 != 0 && ${columns}1 != 0)
        sum += ${rows}0 * ${columns}1 * ${types.load(dtype, "x", f"from + (l0{' + 1' if rows == 'b' else ''}) * x0 + (l1{' + 1' if columns == 'b' else ''}) * x1")};
</%def>
<%def name="add(rows, columns)">
    if (${rows}0 != 0 && ${columns}1 != 0 && l0${" + 1" if rows == "b" else ""} >= top && l0${" + 1" if rows == "b" else ""} < bottom)
        gx[to + (l0${" + 1" if rows == "b" else ""}) * s1 + l1${" + 1" if columns == "b" else ""}] += value * (${rows}0 * ${columns}1);
</%def>
<%def name="forward()">
    size_t rest = unit;
    const long q1 = rest % (size_t)o1; rest /= (size_t)o1;
    const long q0 = rest % (size_t)o0; rest /= (size_t)o0;
    const long tap = rest % (size_t)taps; rest /= (size_t)taps;
    const long channel = rest % (size_t)c, in = rest / (size_t)c, group = channel / each;
    const size_t from = x_o + in * xn + channel * xc;
    ${sample()}
    ${T} sum = 0;
    ${corner("a", "a")} ${corner("a", "b")} ${corner("b", "a")} ${corner("b", "b")}
    ${types.store(dtype, "y", "y_o + unit", "sum")}
</%def>
<%def name="scatter()">
    const long plane = unit / parts, part = unit % parts, in = plane / c, channel = plane % c, group = channel / each;
    const long top = part * s0 / parts, bottom = (part + 1) * s0 / parts;
    const size_t to = gx_o + plane * s0 * s1, from = g_o + in * xn + channel * xc;
    for (long i = top * s1; i < bottom * s1; i++) gx[to + i] = 0;
    for (long tap = 0; tap < taps; tap++)
        for (long q0 = 0; q0 < o0; q0++)
            for (long q1 = 0; q1 < o1; q1++) {
                ${sample()}
                const ${T} value = g[from + tap * xt + q0 * x0 + q1 * x1];
                ${add("a", "a")} ${add("a", "b")} ${add("b", "a")} ${add("b", "b")}
            }
</%def>
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void deform(
    __global const ${S} *restrict ${first}, const long ${first}_o, __global const ${S} *restrict offset, const long offset_o,
    __global ${S} *restrict ${result}, const long ${result}_o,
    const long n, const long c, const long s0, const long s1, const long taps, const long o0, const long o1,
    const long xn, const long xc, ${"const long xt, " if form == "scatter" else ""}const long x0, const long x1,
    const long fn, const long fg, const long ft, const long fa, const long f0, const long f1,
    const long each, const long parts, const long k1, const long d0, const long d1, const long p0_, const long p1_,
    const long t0, const long t1)
{
    const size_t units = (size_t)(n * c * ${"parts" if form == "scatter" else "taps * o0 * o1"});
    for (size_t unit = get_global_id(0); unit < units; unit += get_global_size(0)) {
        ${scatter() if form == "scatter" else forward()}
    }
}
