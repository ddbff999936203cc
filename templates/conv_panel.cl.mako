## conv_panel: packs one operand of a convolution into vectors, and lists the offsets at which the other one is read.
##
## The reduction runs over four nested indices, n0 x n1 x n2 x n3 = L steps.  For the source, contiguous indices may be
## merged, so it has a nest of its own: m0 x m1 x m2 x m3 = L with strides s0..s3.
## source  element (group, lane, step) at group * gs + lane * ks + the step's indices times s0..s3
## panels  (groups, count, 1 + L, LANES): row 0 holds the initial values of sums (bias if `biased`, or 0), row 1 + p step p;
##         lane l lies in panel l / LANES, and lanes that there are not are 0
## steps   (L,): the step's indices times x0..x3, the offset of step p from step 0 in the other operand
##
## gpu: a work-group of WGS items transposes STEPS steps of a panel in local memory
<%!
from cltensor.codegen.parameters import Parameter, whole

PARAMETERS = dict(
    style="cpu", dtype="float32", LANES=Parameter(16, "lanes of a panel", whole(1, 64)),
    STEPS=Parameter(32, "steps that a work-group packs, in the gpu style", whole(1, 48)),
    WGS=Parameter(128, "work-items of a group, in the gpu style", whole(1, 256)))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
T = types.compute_type(dtype)
S = types.storage_type(dtype)
W = vectors.width(T)
direct = style == "cpu" and T == S and LANES % W == 0
if style == "cpu":
    interface.launched(["1", "1"], ["pieces", "groups * count"], True, pieces=Choice(
        "work-groups that share the steps of a panel, any number >= 1", "max(1, min(ceil(8, groups * count), L // 64))"))
else:
    interface.launched(["WGS", "1"], ["WGS * groups * count", "max(1, ceil(L, STEPS))"], True)
nested = range(4)
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]), *(["transpose.clh", "prefetch.clh"] if direct else []))}
<%def name="nest(p, letter)">
    size_t rest = ${p};
% for i in (3, 2, 1):
    size_t i${i} = rest % (size_t)${letter}${i}; rest /= (size_t)${letter}${i};
% endfor
    size_t i0 = rest;
</%def>
% if style == "cpu":
typedef ${T}${W} vec;
typedef vec __attribute__((aligned(${4 if T == "float" else 8}))) loose_vec;
${vectors.SERIAL}
% else:
__attribute__((reqd_work_group_size(${WGS}, 1, 1)))
% endif
__kernel void conv_panel(
    ${interface.declare("conv_panel",
        Buffer("source", S, "in", ("groups", "lanes", *(f"m{i}" for i in nested)), "the operand to pack",
               ("gs", "ks", *(f"s{i}" for i in nested)), "source_o", restrict=True),
        Buffer("bias", S, "in", ("groups * lanes",), "what sums begin with", ("bias_s",), "bias_o", "biased == 0", restrict=True),
        Number("bias_s", "from one element of bias to the next", unit="elements"),
        Number("biased", "whether there is a bias", allowed="0 or 1"),
        Number("groups", "groups of lanes, with sums of their own", allowed=">= 1"),
        Number("lanes", "lanes of a group: output channels", allowed=">= 1"),
        Number("count", "panels of a group", allowed=f"lanes / {LANES}, rounded up"),
        Number("ks", "from one lane of source to the next", unit="elements", allowed=">= 0"),
        Number("gs", "from one group of source to the next", unit="elements"),
        Number("L", "steps of the reduction", allowed="n0 * n1 * n2 * n3, which is m0 * m1 * m2 * m3"),
        [Number(f"n{i}", f"the size of index {i} of the reduction") for i in nested],
        [Number(f"x{i}", f"from one element of the other operand to the next along n{i}", unit="elements") for i in nested],
        [Number(f"m{i}", f"the size of index {i} of the reduction in source") for i in nested],
        [Number(f"s{i}", f"from one element of source to the next along m{i}", unit="elements") for i in nested],
        Buffer("panels", T, "out", ("groups", "count", "1 + L", LANES), "initial values, then the steps", restrict=True),
        Buffer("steps", "long", "out", ("L",), "where each step reads in the other operand, in elements after step 0", restrict=True))})
{
% if style == "cpu":
    const size_t panel = get_group_id(1);
    const size_t first = get_group_id(0) * L / get_num_groups(0), last = (get_group_id(0) + 1) * L / get_num_groups(0);
% else:
    const size_t panel = get_group_id(0), id = get_local_id(0);
% endif
    if (panel >= (size_t)(groups * count)) return;
    const size_t group = panel / (size_t)count, lane0 = (panel - group * count) * ${LANES};
    const size_t from = source_o + group * gs + lane0 * ks;
    __global ${T} *to = panels + panel * (1 + L) * ${LANES};
% if style == "cpu":
    const size_t live = lanes - lane0 < ${LANES} ? lanes - lane0 : ${LANES};
    if (get_group_id(0) == 0)
        for (size_t j = 0; j < ${LANES}; j++)
            to[j] = biased && j < live ? ${types.load(dtype, "bias", "bias_o + (group * lanes + lane0 + j) * bias_s")} : 0;
    if (first == last) return;
    if (panel == 0) {
        ${nest("first", "n")}
        for (size_t p = first; p < last; p++) {
            steps[p] = i0 * x0 + i1 * x1 + i2 * x2 + i3 * x3;
            if (++i3 == n3) { i3 = 0; if (++i2 == n2) { i2 = 0; if (++i1 == n1) { i1 = 0; i0++; } } }
        }
    }
    ${nest("first", "m")}
    to += (1 + first) * ${LANES};
    for (size_t p = first; p < last;) {
        const size_t run = m3 - i3 < last - p ? m3 - i3 : last - p;
        __global const ${types.storage_type(dtype)} *in = source + from + i0 * s0 + i1 * s1 + i2 * s2 + i3 * s3;
        size_t i = 0;
% if direct:
        if (live == ${LANES} && ks == 1) {
            for (; i < run; i++) {
% for v in range(LANES // W):
                *(__global loose_vec *)(to + i * ${LANES} + ${v * W}) = *(__global const loose_vec *)(in + i * s3 + ${v * W});
% endfor
            }
        } else if (live == ${LANES} && s3 == 1 && run >= ${W}) {
            // whole cache lines of few rows at a time, and those of the next rows on their way
            for (size_t low = 0; low < run; low += ${4 * W})
                for (size_t v = 0; v < ${LANES}; v += ${W}) {
                    __global const ${T} *rows = in + v * ks;
                    const size_t high = low + ${4 * W} < run ? low + ${4 * W} : run;
                    if (run >= ${4 * W}) {
% for e in range(W):
                        CT_PREFETCH(rows + low + ${e} * ks);
                        CT_PREFETCH(rows + low + ${2 * W} + ${e} * ks);
% endfor
                    } else {
                        for (size_t e = 0; e < ${W} * (size_t)ks; e += ${64 // (4 if T == "float" else 8)}) CT_PREFETCH((size_t)(rows + s2 + e) - CT_FAR);
                    }
                    for (size_t k = low; k < high; k += ${W}) {
                        i = k + ${W} <= run ? k : run - ${W};
% for e in range(W):
                        vec t${e} = *(__global const loose_vec *)(rows + i + ${e} * ks);
% endfor
                        ct_transpose${W}(${", ".join(f"t{e}" for e in range(W))});
% for e in range(W):
                        *(__global loose_vec *)(to + (i + ${e}) * ${LANES} + v) = t${e};
% endfor
                    }
                }
            i = run;
        }
% endif
        for (; i < run; i++)
            for (size_t j = 0; j < ${LANES}; j++)
                to[i * ${LANES} + j] = j < live ? ${types.load(dtype, "in", "i * s3 + j * ks")} : 0;
        to += run * ${LANES};
        p += run;
        i3 = 0;
        if (++i2 == m2) { i2 = 0; if (++i1 == m1) { i1 = 0; i0++; } }
    }
% else:
    __local long at[${STEPS}];
    __local ${T} tile[${STEPS * (LANES + 1)}];
    const size_t first = get_group_id(1) * ${STEPS}, many = L - first < ${STEPS} ? L - first : ${STEPS};
    if (first > 0 && first >= (size_t)L) return;
    const size_t live = lanes - lane0 < ${LANES} ? lanes - lane0 : ${LANES};
    if (first == 0)
        for (size_t j = id; j < ${LANES}; j += ${WGS})
            to[j] = biased && j < live ? ${types.load(dtype, "bias", "bias_o + (group * lanes + lane0 + j) * bias_s")} : 0;
    for (size_t p = id; p < many; p += ${WGS}) {
        {
            ${nest("first + p", "m")}
            at[p] = i0 * s0 + i1 * s1 + i2 * s2 + i3 * s3;
        }
        if (panel == 0) {
            ${nest("first + p", "n")}
            steps[first + p] = i0 * x0 + i1 * x1 + i2 * x2 + i3 * x3;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const int by_lanes = ks <= s3;  // neighbouring items read neighbours
    for (size_t e = id; e < ${STEPS * LANES}; e += ${WGS}) {
        const size_t p = by_lanes ? e / ${LANES} : e % ${STEPS}, j = by_lanes ? e % ${LANES} : e / ${STEPS};
        if (p < many)
            tile[p * ${LANES + 1} + j] = j < live ? ${types.load(dtype, "source", "from + j * ks + at[p]")} : 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t e = id; e < many * ${LANES}; e += ${WGS})
        to[(1 + first) * ${LANES} + e] = tile[e / ${LANES} * ${LANES + 1} + e % ${LANES}];
% endif
}
