## Normalisation of pieces of memory: y = (x - mean) * scale * weight + bias with scale = 1 / sqrt(m2 / n + eps), and the gradient
##   gx = scale * (g w - (sum(g w) + x' sum(g w x')) / n),   x' = (x - mean) * scale.
##
## Each unit is normalised separately: `segments` runs of `run` elements, `stride` apart; unit u starts at u * step.
## weights  "none"; "element": weight[i] for element i of the only run; "unit": weight[u % period];
##          "segment": weight[u % period * segments + s]
## form     "forward": y, mean and m2 (the sum of squared deviations);  "backward": gx, and with `sums` all sums of g, then all
##          sums of g x': one per unit or segment, or, for "element", one per work-group and element (cpu style only)
## epilogue C expression stored for each element: acc is the result, e0, e1, ... the elements of `extras`, which lie as x does
## extras   dtypes of further inputs;  outs  (dtype, C expression) of what is stored besides;  scalars  names of numbers
## functions  definitions of C functions that the epilogue calls
## cpu: a work-group takes neighbouring units; later passes over a unit read it from the cache.  gpu: a work-group of WGS per unit.
<%!
from cltensor.codegen.parameters import DTYPE, NAME, TEXT, TRUTH, Parameter, one_of, powers, row, several, whole

PARAMETERS = dict(
    style="cpu", form=Parameter("forward", "the result, or the gradient", one_of("forward", "backward")), dtype="float32",
    weights=Parameter("element", "which weight belongs to an element", one_of("none", "element", "unit", "segment")),
    weight=Parameter(True, "whether there is a weight", TRUTH), bias=Parameter(True, "whether there is a bias", TRUTH),
    sums=Parameter(True, "whether the gradient comes with the sums for those of weight and bias", TRUTH),
    stream=Parameter(False, "whether stores bypass the caches, in the cpu style", TRUTH),
    weight_dtype=Parameter("float32", "the dtype of the weight", DTYPE), bias_dtype=Parameter("float32", "the dtype of the bias", DTYPE),
    mean_dtype=Parameter("float32", "the dtype of mean and m2 that the gradient reads", DTYPE),
    UNROLL=Parameter(4, "vectors at a time, in the cpu style", whole(2, 16)),
    WGS=Parameter(64, "work-items of a group, in the gpu style", powers(1, 1024)),
    epilogue=Parameter("acc", "what to store, where there are functions", TEXT),
    extras=Parameter((), "the dtypes of further inputs", several(DTYPE)),
    outs=Parameter((), "what to store besides", several(row(dtype=DTYPE, value=TEXT))),
    scalars=Parameter((), "names of numbers", several(NAME)), functions=Parameter("", "C functions that the epilogue calls", TEXT))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
C, S = types.compute_type(dtype), types.storage_type(dtype)
forward, element = form == "forward", weights == "element"
summing = sums and not forward and weights != "none" and not (element and style == "gpu")
V = vectors.width(C)
more = [(f"e{i}", dtypes.BY_NAME.get(d, d)) for i, d in enumerate(extras)]
others = [(f"o{i}", dtypes.BY_NAME.get(d, d), value) for i, (d, value) in enumerate(outs)]
used = [dtype, weight_dtype, bias_dtype, mean_dtype, *(d for _, d in more), *(d for _, d, _ in others)]
def loaded(p, at, d, vector=False):
    """Element(s) of p, of dtype d, at `at`: a number or a vector of V."""
    return vectors.loaded(d, p, at, C) if vector else types.load(d, p, at)
def terms(vector=False, ahead=0):
    """The expressions of an element, or of a vector of them `ahead` elements further."""
    further = f" + {ahead}" if ahead else ""
    x, g = (loaded(p, "at" + further, dtype, vector) for p in ("x_p", "g_p"))
    w, b = (loaded(p, "i" + further, d, vector) if element else p[0] for p, d in (("w_p", weight_dtype), ("b_p", bias_dtype)))
    normal = f"({x} - mean) * scale"
    weighed = f"{g} * {w}" if weight else g
    gx = f"scale * ({weighed} - (g1 + {normal} * g2))"
    y = normal + (f" * {w}" if weight else "") + (f" + {b}" if bias else "")
    return dict(x=x, g=g, away=f"({x} - mean) * ({x} - mean)", weighed=weighed, weighed_normal=f"{weighed} * {normal}",
                g_normal=f"{g} * {normal}", result=y if forward else gx)
one, many = terms(), terms(vector=True)
out = "y" if forward else "gx"
per_segment = weights == "segment"
assert functions or not (extras or outs or epilogue != "acc")
assert weights != "none" or not (weight or (bias and forward))
assert not (stream and functions)
lies, kept, S_ = ("units", "segments", "run"), ("units",), types.storage_type
strides = ("step", "stride", 1)
weighed = {"element": ("run",), "unit": ("period",), "segment": ("period", "segments"), "none": ()}[weights]
needs = ["A unit has segments * run elements; results and operands do not overlap."]
if element:
    needs.append("segments is 1.")
sum_shape = {"element": (2, "groups", "run"), "unit": (2, "units"), "segment": (2, "units", "segments"), "none": ()}[weights]
if style == "cpu":
    interface.launched(["1"], ["groups"], not (summing and element), needs, groups=Choice(
        "work-groups, any number >= 1" + ("; it is a size of s_p" if summing and element else ""), "max(1, min(8, units))"))
else:
    interface.launched(["WGS"], ["units * WGS"], True, needs)
def like_x(direction, n, d, meaning):
    return Buffer(f"{n}_p", S_(d), direction, lies, meaning, strides, offset=f"{n}_o", restrict=True)
def each_unit(direction, n, ctype, meaning):
    return Buffer(f"{n}_p", ctype, direction, kept, meaning, offset=f"{n}_o", restrict=True)
%>
${types.pragmas(used)}
${header(*types.headers(used), *(["prefetch.clh"] if style == "cpu" else []), *(["stream.clh"] if stream else []))}
% if style == "cpu":
${vectors.typedef(C)}
% endif
% if functions:
${vectors.loop(C)}
${functions}
% endif
## The sums `parts` (name, which term) over runs, in vectors that are joined every 4,096 elements; `first` are the operands that
## are read for the first time.
<%def name="summed(parts, start='0', stop='segments', first=('g_p', 'x_p'))">
% for name, _ in parts:
    ${C} ${name} = 0;
    ${C}${V} ${", ".join(f"{name}_{u} = 0" for u in range(UNROLL))};
% endfor
    size_t held = 0;
    for (size_t s = ${start}; s < ${stop}; s++) {
        const size_t o = base + s * (size_t)stride;
        for (size_t i = 0; i < (size_t)run;) {
            const size_t end = (size_t)run - i < 4096 ? (size_t)run : i + 4096;
            held += end - i;
            for (; i + ${V * UNROLL} <= end; i += ${V * UNROLL}) {
                const size_t at = o + i;
% for p in first:
                ${vectors.fetched_ahead(dtype, p, "at", V * UNROLL)}
% endfor
% for u in range(UNROLL):
% for name, term in parts:
                ${name}_${u} += ${terms(vector=True, ahead=V * u)[term]};
% endfor
% endfor
            }
            for (; i + ${V} <= end; i += ${V}) {
                const size_t at = o + i;
% for name, term in parts:
                ${name}_0 += ${many[term]};
% endfor
            }
            for (; i < end; i++) {
                const size_t at = o + i;
% for name, term in parts:
                ${name} += ${one[term]};
% endfor
            }
            if (held >= 4096 || (end == (size_t)run && s + 1 == (size_t)(${stop}))) {
                held = 0;
% for name, _ in parts:
                ${name}_0 += ${" + ".join(f"{name}_{u}" for u in range(1, UNROLL))};
                { ${vectors.joined(name, f"{name}_0", C, "n")} }
                ${" = ".join(f"{name}_{u}" for u in range(UNROLL))} = 0;
% endfor
            }
        }
    }
</%def>
## A gpu work-item's way over `count` elements from run `start` on, a work-group apart: run s, element i; a division costs more
## than all else here.
<%def name="walk(count, start)">
% if element:
        for (size_t s = 0, i = l; i < (size_t)(${count}); i += ${WGS})
% else:
        for (size_t e = l, s = ${start} + l / (size_t)run, i = l % (size_t)run; e < (size_t)(${count}); e += ${WGS})
% endif
</%def>
<%def name="onward()">
% if not element:
            s += runs_apart; i += left_apart;
            if (i >= (size_t)run) { i -= (size_t)run; s++; }
% endif
</%def>
## What `summed` sums, by a work-group of the gpu style, over `count` elements from run `start` on.
<%def name="shared(parts, start='0', count='n')">
    {
        ${C} ${", ".join(f"{name}_m = 0" for name, _ in parts)};
        ${walk(count, start)} {
            const size_t at = base + s * (size_t)stride + i;
% if weight and per_segment:
            const ${C} w = ${loaded("w_p", "first_weight + s", weight_dtype)};
% endif
% for name, term in parts:
            ${name}_m += ${one[term]};
% endfor
            ${onward()}
        }
% for name, _ in parts:
        lanes[l] = ${name}_m;
        for (int h = ${WGS // 2}; h > 0; h >>= 1) {
            barrier(CLK_LOCAL_MEM_FENCE);
            if (l < h) lanes[l] += lanes[l + h];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        ${name} = lanes[0];
        barrier(CLK_LOCAL_MEM_FENCE);
% endfor
    }
</%def>
<%def name="segment_weights()">
% if not element:
% if weight:
    const ${C} w = ${loaded("w_p", "first_weight" + (" + s" if per_segment else ""), weight_dtype)};
% endif
% if bias and forward:
    const ${C} b = ${loaded("b_p", "first_weight" + (" + s" if per_segment else ""), bias_dtype)};
% endif
% endif
</%def>
## Element i of a run.
<%def name="element_code()">
    const size_t at = o + i;
% if summing and element:
    s1[i] += ${one["g"]}; s2[i] += ${one["g_normal"]};
% endif
% if functions:
    const ${C} acc = ${one["result"]};
% for e, d in more:
    const ${C} ${e} = ${types.load(d, e + "_p", "at")};
% endfor
% for o, d, value in others:
    ${types.store(d, o + "_p", "at", value)}
% endfor
    ${types.store(dtype, out + "_p", "at", epilogue)}
% else:
    ${types.store(dtype, out + "_p", "at", one["result"])}
% endif
</%def>
## A vector of them from i on.
<%def name="vector_code()">
    const size_t at = o + i;
% if summing and element:
    *(__global loose *)(s1 + i) += ${many["g"]};
    *(__global loose *)(s2 + i) += ${many["g_normal"]};
% endif
    const ${C}${V} v = ${many["result"]};
    ${vectors.stored(dtype, out + "_p", "at", "v", stream)}
</%def>

% if style == "cpu":
${vectors.SERIAL}
% else:
__attribute__((reqd_work_group_size(${WGS}, 1, 1)))
% endif
__kernel void norm(
    ${interface.declare("norm",
        [] if forward else [like_x("in", "g", dtype, "the gradient of y")], like_x("in", "x", dtype, "x"),
        [] if forward else [each_unit("in", "mean", S_(mean_dtype), "the means, of the forward form"),
                            each_unit("in", "m2", S_(mean_dtype), "the sums of squared deviations, of the forward form")],
        [Buffer("w_p", S_(weight_dtype), "in", weighed, "the weights", offset="w_o", restrict=True)] if weight else [],
        [Buffer("b_p", S_(bias_dtype), "in", weighed, "the biases", offset="b_o", restrict=True)] if bias and forward else [],
        like_x("out", out, dtype, "the result" if forward else "the gradient of x"),
        [each_unit("out", "mean", C, "the mean of each unit"), each_unit("out", "m2", C, "its sum of squared deviations")] if forward else [],
        [Buffer("s_p", C, "out", sum_shape, "sums of g, then sums of g times the normalised x", offset="s_o", restrict=True)]
        if summing else [],
        [like_x("in", n, d, f"the operand {n} of the epilogue") for n, d in more],
        [like_x("out", n, d, f"the result {n} of the epilogue") for n, d, _ in others],
        [Number(n, f"the number {n} of the epilogue", C) for n in scalars],
        Number("units", "how many pieces to normalise"), Number("step", "from one unit to the next", unit="elements"),
        Number("segments", "the runs of a unit", allowed=">= 1"), Number("stride", "from one run to the next", unit="elements"),
        Number("run", "the length of a run", allowed=">= 1"),
        Number("period", "after how many units the weights repeat", allowed=">= 1"),
        Number("eps", "what is added to the variance", C))})
{
    x_p += x_o; ${out}_p += ${out}_o; mean_p += mean_o; m2_p += m2_o;
% if not forward:
    g_p += g_o;
% endif
% if weight:
    w_p += w_o;
% endif
% if bias and forward:
    b_p += b_o;
% endif
% if summing:
    s_p += s_o;
% endif
% for n, *_ in (*more, *others):
    ${n}_p += ${n}_o;
% endfor
    const size_t n = (size_t)segments * (size_t)run;
    const ${C} r = (${C})1 / (${C})n;
% if style == "cpu":
    const size_t last = (get_group_id(0) + 1) * (size_t)units / get_num_groups(0);
% if summing and element:
    __global ${C} *restrict s1 = s_p + get_group_id(0) * (size_t)run, *restrict s2 = s1 + get_num_groups(0) * (size_t)run;
    for (size_t i = 0; i < (size_t)run; i++) { s1[i] = 0; s2[i] = 0; }
% endif
    for (size_t unit = get_group_id(0) * (size_t)units / get_num_groups(0); unit < last; unit++) {
% else:
    __local ${C} lanes[${WGS}];
    if (get_group_id(0) >= (size_t)units) return;
    const size_t l = get_local_id(0), unit = get_group_id(0);
% if not element:
    const size_t runs_apart = ${WGS} / (size_t)run, left_apart = ${WGS} % (size_t)run;
% endif
    {
% endif
        const size_t base = unit * (size_t)step;
% if weights in ("unit", "segment"):
        const size_t first_weight = unit % (size_t)period${" * (size_t)segments" if per_segment else ""};
% endif
% if forward:
        ${C} mean, m2;
% if style == "cpu":
        {
            ${summed((("total", "x"),), first=("x_p",))}
            mean = total * r;
        }
        {
            ${summed((("total", "away"),), first=())}
            m2 = total;
        }
        mean_p[unit] = mean; m2_p[unit] = m2;
% else:
        ${shared((("mean", "x"),))}
        mean *= r;
        ${shared((("m2", "away"),))}
        if (l == 0) { mean_p[unit] = mean; m2_p[unit] = m2; }
% endif
        const ${C} scale = ${spell("rsqrt", C, "(m2 * r + eps)")};
% else:
        const ${C} mean = ${loaded("mean_p", "unit", mean_dtype)}, m2 = ${loaded("m2_p", "unit", mean_dtype)};
        const ${C} scale = ${spell("rsqrt", C, "(m2 * r + eps)")};
        ${C} g1 = 0, g2 = 0;
<%
weighed, plain = (("a", "weighed"), ("c", "weighed_normal")), (("a", "g"), ("c", "g_normal"))
%>
% if style == "cpu" and per_segment:
        for (size_t q = 0; q < (size_t)segments; q++) {
            ${summed(plain, "q", "q + 1")}
% if summing:
            s_p[unit * (size_t)segments + q] = a; s_p[((size_t)units + unit) * (size_t)segments + q] = c;
% endif
            g1 += a${" * " + loaded("w_p", "first_weight + q", weight_dtype) if weight else ""}; g2 += c${" * " + loaded("w_p", "first_weight + q", weight_dtype) if weight else ""};
        }
% elif style == "cpu":
        {
            ${summed(weighed if element else plain)}
            g1 = a; g2 = c;
        }
% elif per_segment and summing:
        for (size_t q = 0; q < (size_t)segments; q++) {
            ${C} a, c;
            ${shared(plain, "q", "run")}
            if (l == 0) { s_p[unit * (size_t)segments + q] = a; s_p[((size_t)units + unit) * (size_t)segments + q] = c; }
            g1 += a${" * " + loaded("w_p", "first_weight + q", weight_dtype) if weight else ""}; g2 += c${" * " + loaded("w_p", "first_weight + q", weight_dtype) if weight else ""};
        }
% else:
        {
            ${C} a, c;
            ${shared(plain if weights in ("unit", "none") else weighed)}
            g1 = a; g2 = c;
        }
% endif
% if weights == "unit":
% if summing:
        ${"" if style == "cpu" else "if (l == 0) "}{ s_p[unit] = g1; s_p[units + unit] = g2; }
% endif
% if weight:
        g1 *= ${loaded("w_p", "first_weight", weight_dtype)}; g2 *= ${loaded("w_p", "first_weight", weight_dtype)};
% endif
% endif
        g1 *= r; g2 *= r;
% endif
% if style == "cpu":
        for (size_t s = 0; s < (size_t)segments; s++) {
            const size_t o = base + s * (size_t)stride;
            ${segment_weights()}
            size_t i = 0;
% if stream and vectors.streams(dtype):
            for (; i < (size_t)run && ${vectors.misaligned(dtype, out + "_p", "o + i")}; i++) {
                ${element_code()}
            }
% endif
% if functions:
            CT_LOOP
% else:
            for (; i + ${V} <= (size_t)run; i += ${V}) {
                ${vector_code()}
            }
% endif
            for (; i < (size_t)run; i++) {
                ${element_code()}
            }
        }
% else:
        ${walk("n", "0")} {
            const size_t o = base + s * (size_t)stride;
            ${segment_weights()}
            ${element_code()}
            ${onward()}
        }
% endif
    }
}
