## deform: bilinear samples of planes beside the taps of a convolution, moved by offsets, and the gradient.
##
## form   forward  x, offset -> y (n, c, taps, o0, o1): a sample of plane x for each tap and each place (q0, q1) of the result, at
##                 row q0 * d0 - p0_ + (tap // k1) * t0 + offset[.., 0, q0, q1] and column q1 * d1 - p1_ + (tap % k1) * t1
##                 + offset[.., 1, q0, q1]
##        scatter  the gradient: g (as y), offset -> gx (n, c, s0, s1), each g added to the pixels that its sample was made of,
##                 times their weights.  A work-item owns rows of a plane and adds to them sample by sample, so the sums are the
##                 same in every run
##
## A sample between the pixels l and l + 1 of an axis, at l + f, takes them with the weights 1 - f and f; a pixel counts with the
## product of its weights for rows and columns.  x is 0 outside the plane.  Channel m is moved by the offsets of group m // each.
## slope0, slope1  take the derivative by the row or the column of the place instead: the weights of that axis are then -1 and 1
##
## Source: Dai et al., Deformable Convolutional Networks, 2017.  Inputs have any strides, outputs are contiguous.
<%!
from cltensor.codegen.parameters import TRUTH, Parameter, one_of

PARAMETERS = dict(
    style="cpu", dtype="float32", form=Parameter("forward", "what is computed; scatter for float32 and float64 only",
                                                 one_of("forward", "scatter")),
    slope0=Parameter(False, "whether the weights of rows are derivatives", TRUTH),
    slope1=Parameter(False, "whether the weights of columns are derivatives", TRUTH))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
assert form == "forward" or dtype.name in ("float32", "float64")
T, S = types.compute_type(dtype), types.storage_type(dtype)
first, result = ("x", "y") if form == "forward" else ("g", "gx")
slopes = slope0, slope1
planes, samples = ("n", "c", "s0", "s1"), ("n", "c", "taps", "o0", "o1")
plane_strides, sample_strides = ("xn", "xc", "x0", "x1"), ("xn", "xc", "xt", "x0", "x1")
interface.walks(style, "n * c * parts" if form == "scatter" else "n * c * taps * o0 * o1", 128, None)
def both(name, meaning, allowed=""):
    return [Number(name.format(a), f"{along} {meaning}", allowed=allowed) for a, along in enumerate(("rows", "columns"))]
def strides(of, names, along):
    return [Number(name, f"from one element of {of} to the next along its {axis}", unit="elements")
            for name, axis in zip(names, along, strict=True)]
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
    ${interface.declare("deform",
        Buffer("x", S, "in", planes, "the planes", plane_strides, "x_o", restrict=True) if form == "forward" else
        Buffer("g", S, "in", samples, "the gradient of y", sample_strides, "g_o", restrict=True),
        Buffer("offset", S, "in", ("n", "c // each", "taps", 2, "o0", "o1"), "how far samples are moved: rows, then columns",
               ("fn", "fg", "ft", "fa", "f0", "f1"), "offset_o", restrict=True),
        Buffer(result, S, "out", samples if form == "forward" else planes, "the samples" if form == "forward" else "the gradient of x",
               offset=f"{result}_o", restrict=True),
        Number("n", "the number of images"), Number("c", "channels of an image"), Number("s0", "rows of a plane"),
        Number("s1", "columns of a plane"), Number("taps", "taps of a window, row by row", allowed="a multiple of k1"),
        Number("o0", "windows down a plane"), Number("o1", "windows across a plane"),
        strides(first, plane_strides, ("images", "channels", "rows", "columns")) if form == "forward" else
        strides(first, sample_strides, ("images", "channels", "taps", "windows down", "windows across")),
        strides("offset", ("fn", "fg", "ft", "fa", "f0", "f1"),
                ("images", "groups", "taps", "third dimension from the end", "windows down", "windows across")),
        Number("each", "channels that are moved together", allowed="a divisor of c"),
        Number("parts", "work-items that share the rows of a plane", allowed=">= 1") if form == "scatter" else Number("parts", "not used"),
        Number("k1", "taps of a row of a window", allowed=">= 1"), both("d{}", "from one window to the next", ">= 1"),
        both("p{}_", "that the first window begins before the plane"),
        both("t{}", "from one tap to the next", ">= 1"))})
{
    const size_t units = (size_t)(n * c * ${"parts" if form == "scatter" else "taps * o0 * o1"});
    for (size_t unit = get_global_id(0); unit < units; unit += get_global_size(0)) {
        ${scatter() if form == "scatter" else forward()}
    }
}
