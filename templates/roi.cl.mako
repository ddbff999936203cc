## roi: pooling of regions of interest of the planes of (n, c, s0, s1), and its gradient.
##
## rois (regions, 5): the number of an image, left, top, right, bottom.  A region is cut into o0 x o1 bins, for each channel.
## form   forward  x, rois -> y (regions, cy, o0, o1) [, position]
##        scatter  the gradient of a mean: g (as y), rois -> gx (n, c, s0, s1), each g shared among what its bin is the mean of.
##                 A work-item owns rows of a plane and adds to them region by region, so the sums are the same in every run
## kind   align     mean of grid0 x grid1 bilinear samples of a bin; cy = c
##        ps_align  the same; bin (q0, q1) of channel m reads channel (m * o0 + q0) * o1 + q1: c = cy * o0 * o1
##        ps_pool   mean of the pixels of a bin, 0 for an empty one; channels as for ps_align
##        pool      maximum of the pixels of a bin and its position in (n, s0, s1); 0 and -1 for an empty bin; cy = c
##
## Along an axis of s pixels, cut into o bins, a region goes from `from` to `to`, both times `scale`.
## align, ps_align: low = from - shift, span = to - from, for align with shift 0 at least 1, and bin = span / o.  A bin has
##        grid = ratio samples, where `adaptive` ceil(bin); sample i of bin q lies at p = low + q * bin + (i + 1/2) * bin / grid.
##        It is 0 where p < -1 or p > s; else p is brought to 0 .. s - 1 and what lies between pixels is interpolated
## pool:  low = round(from), wide = round(to) - low + 1, at least 1, bin = wide / o: the pixels from low + floor(q * bin) up to, and
##        without, low + ceil((q + 1) * bin), as far as they lie in 0 .. s - 1
## ps_pool: low = round(from), wide = round(to) - low, at least 1, bin = wide / o: the pixels from floor(low + q * bin) up to, and
##        without, ceil(low + (q + 1) * bin), both brought to 0 .. s - 1
##
## Inputs have any strides, outputs are contiguous.  A number of an image that is not in 0 .. n - 1 leaves a note in `fault`; the
## results of that region are those of an empty one.
## Sources: He et al., Mask R-CNN, 2017 (align); Dai et al., R-FCN, 2016 (ps_align, ps_pool); Girshick, Fast R-CNN, 2015 (pool).
<%!
from cltensor.codegen.parameters import TRUTH, Parameter, one_of

PARAMETERS = dict(
    style="cpu", dtype="float32", kind=Parameter("align", "what is made of a bin", one_of("align", "ps_align", "ps_pool", "pool")),
    form=Parameter("forward", "what is computed; scatter for means, in float32 and float64 only", one_of("forward", "scatter")),
    adaptive=Parameter(False, "whether a bin has as many samples as pixels, not `ratio`, for align and ps_align", TRUTH))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
assert form == "forward" or (kind != "pool" and dtype.name in ("float32", "float64"))
T, S = types.compute_type(dtype), types.storage_type(dtype)
samples = kind in ("align", "ps_align")
first, result = ("g", "gx") if form == "scatter" else ("x", "y")
def load(pointer, index): return types.load(dtype, pointer, index)
planes, bins, lies = ("n", "c", "s0", "s1"), ("regions", "cy", "o0", "o1"), ("xn", "xc", "x0", "x1")
along = ("regions", "channels", "bins down", "bins across") if form == "scatter" else ("images", "channels", "rows", "columns")
interface.walks(style, "n * c * parts" if form == "scatter" else "regions * cy * o0 * o1", 128, None)
def stride(name, of, axis): return Number(name, f"from one element of {of} to the next along its {axis}", unit="elements")
%>
${types.pragmas([dtype])}
#pragma OPENCL FP_CONTRACT OFF  // the number of samples of a bin must not depend on the compiler
${header(*types.headers([dtype]))}
<%def name="nest(index)">
    size_t rest = ${index};
    const long q1 = rest % (size_t)o1; rest /= (size_t)o1;
    const long q0 = rest % (size_t)o0; rest /= (size_t)o0;
    const long channel = rest % (size_t)cy, k = rest / (size_t)cy;
</%def>
## the image of region k, and where the region and its bins lie
<%def name="region()">
    const size_t at = rois_o + k * r0;
    const ${T} number = ${load("rois", "at")};
    const int known = number >= 0 && number < n;
    if (!known && !fault[0]) { fault[0] = who; fault[1] = (long)number; fault[2] = n; }
    const long image = known ? (long)number : 0;
% for a, low, high in ((1, 1, 3), (0, 2, 4)):
    const ${T} from${a} = ${load("rois", f"at + {low} * r1")} * scale, to${a} = ${load("rois", f"at + {high} * r1")} * scale;
% if samples:
    const ${T} low${a} = from${a} - shift, span${a} = to${a} - shift - low${a};
    const ${T} bin${a} = ${f"(shift == 0 && span{a} < 1 ? 1 : span{a})" if kind == "align" else f"span{a}"} / (${T})o${a};
% if adaptive:
    const long grid${a} = bin${a} < 1.0e6f ? (long)ceil(bin${a}) : 0;
% else:
    const long grid${a} = ratio;
% endif
% else:
    const ${T} low${a} = round(from${a}), wide${a} = round(to${a}) - low${a}${" + 1" if kind == "pool" else ""};
    const ${T} bin${a} = (wide${a} < 1 ? 1 : wide${a}) / (${T})o${a};
% endif
% endfor
% if samples:
    const ${T} count = ${"max(grid0 * grid1, (long)1)" if kind == "align" else "grid0 * grid1"};
% endif
</%def>
## the pixels [b, e) of bin q along an axis
<%def name="pixels(a, q)">
% if kind == "pool":
    const ${T} b${a}_ = floor(${q} * bin${a}) + low${a}, e${a}_ = ceil((${q} + 1) * bin${a}) + low${a};
    const long b${a} = (long)clamp(b${a}_, (${T})0, (${T})s${a}), e${a} = (long)clamp(e${a}_, (${T})0, (${T})s${a});
% else:
    const ${T} b${a}_ = floor(${q} * bin${a} + low${a}), e${a}_ = ceil((${q} + 1) * bin${a} + low${a});
    const long b${a} = (long)clamp(b${a}_, (${T})0, (${T})(s${a} - 1)), e${a} = (long)clamp(e${a}_, (${T})0, (${T})(s${a} - 1));
% endif
</%def>
## the two pixels l, u beside sample j of bin q along an axis, and their weights; goes on where it lies outside
<%def name="sample(a, q, j)">
    ${T} p${a} = low${a} + ${q} * bin${a} + (${j} + (${T})0.5) * bin${a} / (${T})grid${a};
    if (!(p${a} >= -1 && p${a} <= s${a})) continue;
    p${a} = p${a} < 0 ? 0 : p${a};
    long l${a} = (long)p${a}, u${a} = l${a} + 1;
    if (l${a} >= s${a} - 1) { l${a} = u${a} = s${a} - 1; p${a} = l${a}; }
    const ${T} f${a} = p${a} - l${a}, v${a} = 1 - f${a};
</%def>
<%def name="forward(target)">
    const size_t from = x_o + image * xn + ${"channel" if kind in ("align", "pool") else "((channel * o0 + q0) * o1 + q1)"} * xc;
% if kind == "pool":
    ${pixels(0, "q0")}
    ${pixels(1, "q1")}
    ${T} best = 0;
    long place = -1;
    if (known)
        for (long i = b0; i < e0; i++)
            for (long j = b1; j < e1; j++) {
                const ${T} value = ${load("x", "from + i * x0 + j * x1")};
                if (place < 0 || value > best) { best = value; place = (image * s0 + i) * s1 + j; }
            }
    ${types.store(dtype, "y", f"y_o + {target}", "best")}
    position[position_o + ${target}] = place;
% elif kind == "ps_pool":
    ${pixels(0, "q0")}
    ${pixels(1, "q1")}
    ${T} sum = 0;
    if (known)
        for (long i = b0; i < e0; i++)
            for (long j = b1; j < e1; j++) sum += ${load("x", "from + i * x0 + j * x1")};
    ${types.store(dtype, "y", f"y_o + {target}", f"e0 > b0 && e1 > b1 ? sum / (({T})((e0 - b0) * (e1 - b1))) : 0")}
% else:
    ${T} sum = 0;
    if (known)
        for (long i = 0; i < grid0; i++) {
            ${sample(0, "q0", "i")}
            for (long j = 0; j < grid1; j++) {
                ${sample(1, "q1", "j")}
                sum += v0 * v1 * ${load("x", "from + l0 * x0 + l1 * x1")} + v0 * f1 * ${load("x", "from + l0 * x0 + u1 * x1")}
                     + f0 * v1 * ${load("x", "from + u0 * x0 + l1 * x1")} + f0 * f1 * ${load("x", "from + u0 * x0 + u1 * x1")};
            }
        }
    ${types.store(dtype, "y", f"y_o + {target}", "sum / count")}
% endif
</%def>
## what bin (q0, q1) of region k adds to the rows [top, bottom) of the plane at `to`
<%def name="bin()">
    const ${T} value = g[g_o + k * xn + channel * xc + q0 * x0 + q1 * x1];
% if kind == "ps_pool":
    ${pixels(0, "q0")}
    ${pixels(1, "q1")}
    const ${T} share = value / (${T})((e0 - b0) * (e1 - b1));
    for (long i = max(b0, top); i < min(e0, bottom); i++)
        for (long j = b1; j < e1; j++) gx[to + i * s1 + j] += share;
% else:
    for (long i = 0; i < grid0; i++) {
        ${sample(0, "q0", "i")}
        const int upper = l0 >= top && l0 < bottom, lower = u0 >= top && u0 < bottom;
        if (!upper && !lower) continue;
        for (long j = 0; j < grid1; j++) {
            ${sample(1, "q1", "j")}
            const ${T} share = value / count;
            if (upper) { gx[to + l0 * s1 + l1] += share * (v0 * v1); gx[to + l0 * s1 + u1] += share * (v0 * f1); }
            if (lower) { gx[to + u0 * s1 + l1] += share * (f0 * v1); gx[to + u0 * s1 + u1] += share * (f0 * f1); }
        }
    }
% endif
</%def>
<%def name="scatter()">
    const long plane = unit / parts, part = unit % parts, own = plane / c, depth = plane % c;
    const long top = part * s0 / parts, bottom = (part + 1) * s0 / parts;
    const size_t to = gx_o + plane * s0 * s1;
    for (long i = top * s1; i < bottom * s1; i++) gx[to + i] = 0;
    for (long k = 0; k < regions; k++) {
        ${region()}
        if (!known || image != own) continue;
% if kind == "align":
        const long channel = depth;
        for (long q0 = 0; q0 < o0; q0++)
            for (long q1 = 0; q1 < o1; q1++) {
                ${bin()}
            }
% else:
        const long q1 = depth % o1, q0 = depth / o1 % o0, channel = depth / (o0 * o1);
        ${bin()}
% endif
    }
</%def>
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void roi(
    ${interface.declare("roi",
        Buffer("x", S, "in", planes, "the planes", lies, "x_o", restrict=True) if form == "forward" else
        Buffer("g", S, "in", bins, "the gradient of y", lies, "g_o", restrict=True),
        Buffer("rois", S, "in", ("regions", 5), "the regions", ("r0", "r1"), "rois_o", restrict=True),
        Buffer("y", S, "out", bins, "what is made of each bin", offset="y_o", restrict=True) if form == "forward" else
        Buffer("gx", S, "out", planes, "the gradient of x", offset="gx_o", restrict=True),
        [Buffer("position", "long", "out", bins, "positions of the largest pixels, (image * s0 + row) * s1 + column; -1 for an empty bin",
                offset="position_o", restrict=True)] if kind == "pool" and form == "forward" else [],
        Number("n", "the number of images"), Number("c", "channels of an image"), Number("s0", "rows of a plane"),
        Number("s1", "columns of a plane"), Number("regions", "the number of regions"),
        Number("cy", f"channels of {'g' if form == 'scatter' else 'y'}", allowed="c" if kind in ("align", "pool") else "c / (o0 * o1)"),
        Number("o0", "bins down a region"), Number("o1", "bins across a region"),
        [stride(name, first, axis) for name, axis in zip(lies, along)],
        stride("r0", "rois", "regions"), stride("r1", "rois", "five numbers"),
        Number("parts", "work-items that share the rows of a plane", allowed=">= 1") if form == "scatter" else Number("parts", "not used"),
        Number("ratio", "samples of a bin along each axis", allowed=">= 1") if samples and not adaptive else Number("ratio", "not used"),
        Number("shift", "what is taken off every scaled coordinate" if samples else "not used", T,
               allowed="0.5 puts pixels' middles at whole numbers" if samples else ""),
        Number("scale", "what coordinates are multiplied with", T),
        interface.notes("a number of no image", "that number and n"))})
{
% if form == "scatter":
    const size_t units = (size_t)(n * c * parts);
    for (size_t unit = get_global_id(0); unit < units; unit += get_global_size(0)) {
        ${scatter()}
    }
% else:
    const size_t units = (size_t)(regions * cy * o0 * o1);
    for (size_t unit = get_global_id(0); unit < units; unit += get_global_size(0)) {
        ${nest("unit")}
        ${region()}
        ${forward("unit")}
    }
% endif
}
