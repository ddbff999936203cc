## conv_direct: convolution with few output channels per group (such as depthwise), plane by plane.
##
## form  map     y[n, lane, o] = bias[lane] + sum over chan, tap of x[n, chan, b + o * s + tap * u] * w[lane, chan, tap];
##               x (n, groups * chans, d0, d1, d2), y (n, groups * lanes, r0, r1, r2): forward, or one phase of the input
##               gradient; all with any strides
##       weight  gw[lane, chan, tap] = sum over n, o of g[n, lane, o] * x[n, chan, b + o * s + tap * u]; gw contiguous, or,
##               with splits > 1, that many partial sums over parts of the batch, stored in sequence
##
## x is 0 outside its planes.  activation: map only.  A forward convolution has s = stride, u = dilation and b = -padding.  Where
## there are fewer dimensions, the first have d = r = s = t = u = 1 and b = 0.
##
## cpu: a work-item copies the padded planes of one group into its slice of scratch, where they stay in a cache.  The copy
## places columns that are s2 apart next to each other, so every tap reads whole vectors.
## gpu: a work-item per element of y; a work-group of WGS items per element of gw.
<%!
from cltensor.codegen.activation import PARAMETER as ACTIVATION
from cltensor.codegen.parameters import FLOATING_OR_NONE, Parameter, one_of, powers

PARAMETERS = dict(
    style="cpu", dtype="float32", out_dtype=Parameter(None, "the dtype of the result; None: dtype", FLOATING_OR_NONE),
    form=Parameter("map", "what is computed", one_of("map", "weight")),
    WGS=Parameter(128, "work-items of a group, for the weight in the gpu style", powers(1, 256)), activation=ACTIVATION)
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
T = types.compute_type(dtype)
S = types.storage_type(dtype)
result_dtype = out_dtype or dtype
W = vectors.width(T)
BLOCKS, TAPS = 4, 5  # vectors summed at a time: as many as the latency of a multiply-add asks for
cut = style == "cpu" and form == "weight"
assert not (activation and form == "weight")
needs = ["The result overlaps nothing."]
if cut:
    needs.append("Where splits > 1, conv_sum adds the results up.")
if style == "cpu":
    work = "n * groups" if form == "map" else "groups * splits"
    interface.launched(["1"], ["work_groups"], False, needs, work_groups=Choice(
        "work-groups, any number >= 1; each has a part of slices and tables", f"max(1, min(8, {work}))"))
elif form == "map":
    interface.launched(["128"], ["max(1, ceil(n * groups * lanes * r0 * r1 * r2, 128)) * 128"], True, needs)
else:
    interface.launched(["WGS"], ["WGS * groups * lanes * chans * t0 * t1 * t2"], True, needs)
axes = range(3)
def along(p, meaning, allowed="", unit=""):
    return [Number(f"{p}{i}", meaning.replace("...", f"along dimension {i}"), unit=unit, allowed=allowed) for i in axes]
def stride(name, of, dim):
    return Number(name, f"from one element of {of} to the next along {dim}", unit="elements")
x_shape, y_shape = ("n", "groups * chans", "d0", "d1", "d2"), ("n", "groups * lanes", "r0", "r1", "r2")
weights = ("groups", "lanes", "chans", "t0", "t1", "t2")
across, taps = f"ceil(r2, {W})", "chans * t0 * t1 * t2"
def reach(i): return f"(t{i} - 1) * max(u{i}, 0 - u{i})"
planes = f"chans * ((r0 - 1) * s0 + {reach(0)} + 1) * ((r1 - 1) * s1 + {reach(1)} + 1) * s2 * ({reach(2)} // s2 + {across} * {W})"
S_out = types.storage_type(result_dtype)
if form == "map":
    operand = [Buffer("w", S, "in", weights, "the weights", ("wg", "wl", "wc", "w0", "w1", "w2"), "w_o", restrict=True),
               Buffer("bias", S, "in", ("groups * lanes",), "what sums begin with", ("bias_s",), "bias_o", "biased == 0", restrict=True),
               stride("bias_s", "bias", "lanes"), Number("biased", "whether there is a bias", allowed="0 or 1")]
    result = Buffer("y", S_out, "out", y_shape, "the result", ("yn", "yk", "y0", "y1", "y2"), "y_o", restrict=True)
    strides = [stride("yn", "y", "n"), stride("yk", "y", "groups and lanes"), *along("y", "from one element of y to the next ...", unit="elements"),
               stride("wg", "w", "groups"), stride("wl", "w", "lanes"), stride("wc", "w", "chans"),
               *along("w", "from one tap of w to the next ...", unit="elements")]
    slice, entries = f"{planes} + {taps}", f"{taps} + 3 * (r0 * r1 * {across} + {BLOCKS - 1})"
else:
    operand = Buffer("g", S, "in", y_shape, "the gradient of y", ("gn", "gk", "g0", "g1", "g2"), "g_o", restrict=True)
    result = Buffer("y", S_out, "out", (*(["splits"] if cut else []), *weights), "the gradient of the weights", offset="y_o", restrict=True)
    strides = [stride("gn", "g", "n"), stride("gk", "g", "groups and lanes"), *along("g", "from one element of g to the next ...", unit="elements")]
    slice, entries = f"{planes} + lanes * (r0 * r1 * {across} + {taps}) * {W}", taps
scratch = [Buffer("slices", T, "scratch", ("work_groups", slice), "copies and sums"),
           Buffer("tables", "long", "scratch", ("work_groups", entries), "where each tap reads")] if style == "cpu" else []
%>
${types.pragmas([dtype, result_dtype])}
${header(*types.headers([dtype, result_dtype]))}
${activations.definition(activation, T)}
% if style == "cpu":
typedef ${T}${W} vec;
typedef vec __attribute__((aligned(${4 if T == "float" else 8}))) loose_vec;
#define LOAD(p) (*(__global const loose_vec *)(p))

// Copy a plane, without its padding, into `to`, whose padding holds zeros already: column phase + i * step of
// the padded plane, rows p0 x p1 from (f0, f1) on, lies at phase * width + i of its row.
void copy_plane(__global const ${S} *x, const size_t from, const long d0, const long d1, const long d2,
                const long x0, const long x1, const long x2, const long f0, const long f1, const long f2,
                const long p0, const long p1, const long step, const long width, __global ${T} *to)
{
    const long top = f0 + p0 < d0 ? f0 + p0 : d0, bottom = f1 + p1 < d1 ? f1 + p1 : d1, by = step * x2;
    for (long phase = 0; phase < step; phase++) {
        const long at = f2 + phase, lo = at < 0 ? (step - 1 - at) / step : 0;
        long hi = at < d2 ? (d2 - at - 1) / step + 1 : 0;
        if (hi > width) hi = width;
        for (long i0 = f0 > 0 ? f0 : 0; i0 < top; i0++)
            for (long i1 = f1 > 0 ? f1 : 0; i1 < bottom; i1++) {
                const long start = (long)from + i0 * x0 + i1 * x1 + at * x2;
                __global ${T} *row = to + (((i0 - f0) * p1 + i1 - f1) * step + phase) * width;
                if (by == 1) for (long i = lo; i < hi; i++) row[i] = ${types.load(dtype, "x", "start + i")};
                else if (by == 2) for (long i = lo; i < hi; i++) row[i] = ${types.load(dtype, "x", "start + i * 2")};
                else for (long i = lo; i < hi; i++) row[i] = ${types.load(dtype, "x", "start + i * by")};
            }
    }
}
${vectors.SERIAL}
% elif form == "weight":
__attribute__((reqd_work_group_size(${WGS}, 1, 1)))
% endif
__kernel void conv_direct(
    ${interface.declare("conv_direct",
        Buffer("x", S, "in", x_shape, "what is convolved", ("xn", "xc", "x0", "x1", "x2"), "x_o", restrict=True), operand, result,
        Number("n", "the number of images"), Number("groups", "groups of channels", allowed=">= 1"),
        Number("chans", "channels of x in a group", allowed=">= 1"), Number("lanes", "channels of y in a group", allowed=">= 1"),
        along("d", "the size of x ..."), stride("xn", "x", "n"), stride("xc", "x", "groups and chans"),
        along("x", "from one element of x to the next ...", unit="elements"), along("r", "the size of y ...", ">= 1"),
        along("s", "how far apart neighbours in y read x ...: the stride", ">= 1"),
        along("b", "which position of x the first element of y reads at tap 0 ...; negative in the padding"),
        along("t", "taps ...", ">= 1"), along("u", "how far apart neighbouring taps read x ...: the dilation", "may be negative"), strides,
        Number("splits", "parts of the batch, with results of their own", allowed=">= 1") if cut else [], scratch)})
{
    const size_t L = (size_t)(chans * t0 * t1 * t2);
% if style == "cpu":
    // the copied planes: the first positions in x, rows and columns of a phase
% for i in range(3):
    const long reach${i} = (t${i} - 1) * u${i}, f${i} = b${i} + (reach${i} < 0 ? reach${i} : 0);
% endfor
    const long p0 = (r0 - 1) * s0 + (reach0 < 0 ? -reach0 : reach0) + 1, p1 = (r1 - 1) * s1 + (reach1 < 0 ? -reach1 : reach1) + 1;
    const size_t across = (r2 + ${W - 1}) / ${W}, blocks = r0 * r1 * across;
    const long width = (reach2 < 0 ? -reach2 : reach2) / s2 + across * ${W}, pitch = s2 * width, plane = p0 * p1 * pitch;
% if form == "map":
    const long slice = chans * plane + L;
% else:
    const long slice = chans * plane + lanes * (blocks + L) * ${W};
% endif
    __global ${T} *planes = slices + get_group_id(0) * slice;
    __global ${T} *rest = planes + chans * plane;
    for (long i = 0; i < slice; i++) planes[i] = 0;
    // where each tap reads in the copied planes; the same for every unit
    __global long *table = tables + get_group_id(0) * (L + ${f"3 * (blocks + {BLOCKS - 1})" if form == "map" else "0"});
    {
        size_t k = 0;
        for (long c = 0; c < chans; c++)
            for (long i0 = 0; i0 < t0; i0++)
                for (long i1 = 0; i1 < t1; i1++)
                    for (long i2 = 0; i2 < t2; i2++) {
                        const long q = b2 - f2 + i2 * u2;
                        table[k++] = c * plane + ((b0 - f0 + i0 * u0) * p1 + b1 - f1 + i1 * u1) * pitch + q % s2 * width + q / s2;
                    }
    }
% endif
% if style == "cpu" and form == "map":
    // the vectors of one plane of y: where they read and lie, and how many of their elements there are
    __global long *from = table + L, *to = from + blocks + ${BLOCKS - 1}, *live = to + blocks + ${BLOCKS - 1};
    for (size_t b = 0, q0 = 0, q1 = 0, q2 = 0; b < blocks + ${BLOCKS - 1}; b++) {
        from[b] = (q0 * s0 * p1 + q1 * s1) * pitch + q2;
        to[b] = q0 * y0 + q1 * y1 + q2 * y2;
        live[b] = b >= blocks ? 0 : r2 - (long)q2 < ${W} ? r2 - (long)q2 : ${W};
        if (b + 1 < blocks) {
            q2 += ${W};
            if (q2 >= (size_t)r2) { q2 = 0; if (++q1 == (size_t)r1) { q1 = 0; q0++; } }
        }
    }
    const size_t units = (size_t)(n * groups), last = (get_group_id(0) + 1) * units / get_num_groups(0);
    for (size_t u = get_group_id(0) * units / get_num_groups(0); u < last; u++) {
        const size_t in = u / (size_t)groups, group = u - in * groups;
        for (long c = 0; c < chans; c++)
            copy_plane(x, x_o + in * xn + (group * chans + c) * xc, d0, d1, d2, x0, x1, x2, f0, f1, f2, p0, p1, s2, width,
                       planes + c * plane);
        for (long lane = 0; lane < lanes; lane++) {
            size_t k = 0;
            for (long c = 0; c < chans; c++)
                for (long i0 = 0; i0 < t0; i0++)
                    for (long i1 = 0; i1 < t1; i1++)
                        for (long i2 = 0; i2 < t2; i2++, k++)
                            rest[k] = ${types.load(dtype, "w", "w_o + group * wg + lane * wl + c * wc + i0 * w0 + i1 * w1 + i2 * w2")};
            const ${T} start = biased ? ${types.load(dtype, "bias", "bias_o + (group * lanes + lane) * bias_s")} : 0;
            const size_t out = y_o + in * yn + (group * lanes + lane) * yk;
            for (size_t b = 0; b < blocks; b += ${BLOCKS}) {
% for j in range(BLOCKS):
                __global const ${T} *x_${j} = planes + from[b + ${j}];
                vec a${j} = (vec)(start);
% endfor
                for (size_t k = 0; k < L; k++) {
                    const long o = table[k];
                    const vec v = (vec)(rest[k]);
% for j in range(BLOCKS):
                    a${j} = v * LOAD(x_${j} + o) + a${j};
% endfor
                }
% for j in range(BLOCKS):
% if activation:
                {
                    ${T} value[${W}];
                    *(loose_vec *)value = a${j};
                    for (size_t i = 0; i < ${W}; i++) value[i] = activate(value[i]);
                    a${j} = *(loose_vec *)value;
                }
% endif
% if T == S_out:
                if (live[b + ${j}] == ${W} && y2 == 1) *(__global loose_vec *)(y + out + to[b + ${j}]) = a${j};
                else
% endif
                {
                    ${T} value[${W}];
                    *(loose_vec *)value = a${j};
                    for (size_t i = 0; i < (size_t)live[b + ${j}]; i++) { ${types.store(result_dtype, "y", f"out + to[b + {j}] + i * y2", "value[i]")} }
                }
% endfor
            }
        }
    }
% elif style == "cpu":
    const size_t units = (size_t)(groups * splits), last = (get_group_id(0) + 1) * units / get_num_groups(0);
    const size_t g_pitch = across * ${W}, g_plane = r0 * r1 * g_pitch;
    __global ${T} *g_planes = rest, *sums = rest + lanes * g_plane;
    for (size_t u = get_group_id(0) * units / get_num_groups(0); u < last; u++) {
        const size_t split = u / (size_t)groups, group = u - split * groups;
        for (size_t i = 0; i < lanes * L * ${W}; i++) sums[i] = 0;
        const size_t end = (split + 1) * n / splits;
        for (size_t in = split * n / splits; in < end; in++) {
            for (long c = 0; c < chans; c++)
                copy_plane(x, x_o + in * xn + (group * chans + c) * xc, d0, d1, d2, x0, x1, x2, f0, f1, f2, p0, p1, s2, width,
                           planes + c * plane);
            for (long lane = 0; lane < lanes; lane++)
                copy_plane(g, g_o + in * gn + (group * lanes + lane) * gk, r0, r1, r2, g0, g1, g2, 0, 0, 0, r0, r1, 1, g_pitch,
                           g_planes + lane * g_plane);
            for (long lane = 0; lane < lanes; lane++)
                for (size_t k = 0; k < L; k += ${TAPS}) {
                    __global ${T} *sum = sums + (lane * L + k) * ${W};
% for j in range(TAPS):
                    const size_t k${j} = k + ${j} < L ? ${j} : 0;
                    const long o${j} = table[k + k${j}];
                    vec a${j} = LOAD(sum + k${j} * ${W});
% endfor
                    for (long q0 = 0; q0 < r0; q0++)
                        for (long q1 = 0; q1 < r1; q1++) {
                            __global const ${T} *g_row = g_planes + lane * g_plane + (q0 * r1 + q1) * g_pitch;
                            __global const ${T} *x_row = planes + (q0 * s0 * p1 + q1 * s1) * pitch;
                            for (size_t i = 0; i < g_pitch; i += ${W}) {
                                const vec v = LOAD(g_row + i);
% for j in range(TAPS):
                                a${j} = v * LOAD(x_row + o${j} + i) + a${j};
% endfor
                            }
                        }
% for j in reversed(range(TAPS)):
                    *(__global loose_vec *)(sum + k${j} * ${W}) = a${j};
% endfor
                }
        }
        for (size_t i = 0; i < lanes * L; i++) {
            ${T} sum = 0;
            for (size_t j = 0; j < ${W}; j++) sum += sums[i * ${W} + j];
            ${types.store(result_dtype, "y", "y_o + (u * lanes) * L + i", "sum")}
        }
    }
% elif form == "map":
    const size_t total = (size_t)(n * groups * lanes * r0 * r1 * r2);
    for (size_t i = get_global_id(0); i < total; i += get_global_size(0)) {
        size_t rest = i;
        const long q2 = rest % (size_t)r2; rest /= (size_t)r2;
        const long q1 = rest % (size_t)r1; rest /= (size_t)r1;
        const long q0 = rest % (size_t)r0; rest /= (size_t)r0;
        const size_t k = rest % (size_t)(groups * lanes), in = rest / (size_t)(groups * lanes);
        const size_t group = k / (size_t)lanes, lane = k - group * lanes;
        ${T} sum = biased ? ${types.load(dtype, "bias", "bias_o + k * bias_s")} : 0;
        for (long c = 0; c < chans; c++) {
            const size_t from = x_o + in * xn + (group * chans + c) * xc;
            const size_t weights = w_o + group * wg + lane * wl + c * wc;
            const long first = b2 + q2 * s2, step = u2 * x2;  // 64-bit products are dear: the innermost loop has none
            for (long i0 = 0; i0 < t0; i0++) {
                const long z = b0 + q0 * s0 + i0 * u0;
                if (z < 0 || z >= d0) continue;
                for (long i1 = 0; i1 < t1; i1++) {
                    const long v = b1 + q1 * s1 + i1 * u1;
                    if (v < 0 || v >= d1) continue;
                    size_t at = from + z * x0 + v * x1 + first * x2, tap = weights + i0 * w0 + i1 * w1;
                    for (long h = first, i2 = 0; i2 < t2; i2++, h += u2, at += step, tap += w2)
                        if (h >= 0 && h < d2)
                            sum += ${types.load(dtype, "x", "at")} * ${types.load(dtype, "w", "tap")};
                }
            }
        }
        ${types.store(result_dtype, "y", "y_o + in * yn + k * yk + q0 * y0 + q1 * y1 + q2 * y2", activations.applied(activation, "sum"))}
    }
% else:
    __local ${T} sums[${WGS}];
    const size_t id = get_local_id(0);
    size_t rest = get_group_id(0);
    const long i2 = rest % (size_t)t2; rest /= (size_t)t2;
    const long i1 = rest % (size_t)t1; rest /= (size_t)t1;
    const long i0 = rest % (size_t)t0; rest /= (size_t)t0;
    const size_t c = rest % (size_t)chans, k = rest / (size_t)chans, group = k / (size_t)lanes;
    if (group >= (size_t)groups) return;
    const size_t total = (size_t)(n * r0 * r1 * r2);
    ${T} sum = 0;
    for (size_t i = id; i < total; i += ${WGS}) {
        size_t o = i;
        const long q2 = o % (size_t)r2; o /= (size_t)r2;
        const long q1 = o % (size_t)r1; o /= (size_t)r1;
        const long q0 = o % (size_t)r0, in = o / (size_t)r0;
        const long z = b0 + q0 * s0 + i0 * u0, v = b1 + q1 * s1 + i1 * u1, h = b2 + q2 * s2 + i2 * u2;
        if (z >= 0 && z < d0 && v >= 0 && v < d1 && h >= 0 && h < d2)
            sum += ${types.load(dtype, "x", "x_o + in * xn + (group * chans + c) * xc + z * x0 + v * x1 + h * x2")}
                 * ${types.load(dtype, "g", "g_o + in * gn + k * gk + q0 * g0 + q1 * g1 + q2 * g2")};
    }
    sums[id] = sum;
    for (size_t apart = ${WGS // 2}; apart > 0; apart /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (id < apart) sums[id] += sums[id + apart];
    }
    if (id == 0) { ${types.store(result_dtype, "y", "y_o + get_group_id(0)", "sums[0]")} }
% endif
}
