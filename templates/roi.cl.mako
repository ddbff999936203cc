## roi: pooling of regions of interest of the planes of (n, c, h, w), and its gradient.
##
## rois (k, 5): image, left, top, right, bottom.  A region is cut into o0 x o1 bins.
## kind   align     mean of bilinear samples of a bin, g0 x g1 of them (ratio, or as many as the bin has pixels)
##        ps_align  the same; bin (q0, q1) of output channel c reads channel (c * o0 + q0) * o1 + q1
##        ps_pool   mean of the pixels of a bin, channels as for ps_align
##        pool      maximum of the pixels of a bin, and its int64 position in (n, h, w), -1 for an empty bin
## form   forward  x, rois -> y (k, cy, o0, o1) [, position]
##        scatter  g (k, cy, o0, o1), rois -> gx (n, c, h, w), of means: a work-item owns rows of a plane and adds to them region
##                 by region, so the sums are the same in every run
##
## Inputs have any strides, outputs are contiguous.  A number of an image out of range leaves a note in `fault`.
<%!
PARAMETERS = dict(style="cpu", dtype="float32", kind="align", form="forward", adaptive=False)
DTYPES = "floating"
LAUNCH = {
    "cpu": "local = (1,); global = (groups,), any number >= 1",
    "gpu": "local = (l,); global = (output elements, or planes * parts for scatter, rounded up,)",
}
%>
<%
T, S = types.compute_type(dtype), types.storage_type(dtype)
samples = kind in ("align", "ps_align")
first, result = ("g", "gx") if form == "scatter" else ("x", "y")
def load(pointer, index): return types.load(dtype, pointer, index)
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
    __global const ${S} *restrict ${first}, const long ${first}_o, __global const ${S} *restrict rois, const long rois_o,
    __global ${S} *restrict ${result}, const long ${result}_o,
% if kind == "pool" and form == "forward":
    __global long *restrict position, const long position_o,
% endif
    const long n, const long c, const long s0, const long s1, const long regions, const long cy, const long o0, const long o1,
    const long xn, const long xc, const long x0, const long x1, const long r0, const long r1,
    const long parts, const long ratio, const ${T} shift, const ${T} scale, __global long *fault, const long who)
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
