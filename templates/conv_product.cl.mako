## conv_product: the sum of products inside every convolution, with no patch matrix in memory.
##
##     y[row, lane] = panel[0, lane] + sum over p of x[start(row) + steps[p]] * panel[1 + p, lane]
##
## The position a convolution reads in x is an offset for the output pixel plus an offset for the filter tap, so x is read
## in place.  Forward and input gradient: rows are pixels, lanes output channels, steps the taps of every input channel.
## Weight gradient: rows are taps, lanes output channels, steps the pixels.
##
## Forward: x is what the template conv_pad makes, r = (images, size of y), xs = x's strides over (images, stride * size), ys = y's
## over the same, lanes = output channels.  conv_panel packs the weights: n = m = (input channels, taps), x0..x3 = x's strides over
## (channels, dilation * size), s = the weights' over (input channels, taps), ks = theirs over output channels.  Fewer than
## three dimensions: the first have size 1.  Groups: xg, yg and gs are from one group's channels to the next's.
##
## rows    four nested indices r0 x r1 x r2 x r3: x starts at the sum of index * xs, y at the sum of index * ys
## panels, steps   as the template conv_panel makes them: a panel is 1 + L rows of neighbouring lanes, row 0 the initial values
## y       lanes ks apart, groups yg apart; the reduction may be cut into `splits` pieces whose sums are split_s apart;
##         only the first piece starts from panel[0]
##
## cpu: a unit is a strip of strip_rows <= STRIP rows (a multiple of MR) by `block` panels; MR rows by NV vectors of W stay in
## registers, kc steps at a time so that the panel stays in the L1 cache.
## gpu: 256 items share a tile of 16 TM rows by 16 TN lanes, KC steps at a time, and fetch the next steps meanwhile.
<%!
from cltensor.codegen.activation import PARAMETER as ACTIVATION
from cltensor.codegen.parameters import FLOATING, FLOATING_OR_NONE, Parameter, one_of, whole

PARAMETERS = dict(
    style="cpu", dtype=Parameter("float32", "x and panels hold numbers of the type that it is computed with", FLOATING),
    out_dtype=Parameter(None, "the dtype of y; None: dtype", FLOATING_OR_NONE),
    W=Parameter(8, "elements of a vector, in the cpu style", one_of(2, 4, 8, 16)),
    MR=Parameter(6, "rows in registers, in the cpu style", whole(1, 16)),
    NV=Parameter(2, "vectors in a panel's row, in the cpu style", whole(1, 4)),
    STRIP=Parameter(192, "the most rows of a strip, in the cpu style", whole(16, 384)),
    KC=Parameter(16, "steps at a time, in the gpu style", one_of(8, 16, 32)),
    TM=Parameter(4, "a sixteenth of a tile's rows, in the gpu style", one_of(1, 2, 4, 8)),
    TN=Parameter(4, "a sixteenth of a panel's lanes, in the gpu style", one_of(1, 2, 4)), activation=ACTIVATION)
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
T = types.compute_type(dtype)
result_dtype = out_dtype or dtype
S_out = types.storage_type(result_dtype)
V = vectors.width(T)  # elements that are stored at once
LANES = NV * W if style == "cpu" else 16 * TN
most = STRIP // MR * MR
rows = "r0 * r1 * r2 * r3"
needs = [f"The panels are made with LANES={LANES}.", "y overlaps nothing, and is stored once for each row, lane, group and piece."]
if activation:
    needs.append("splits is 1: the activation is of whole sums.")
if style == "cpu":
    interface.launched(["1"], ["work_groups"], True, needs, work_groups=Choice(
        "work-groups, any number >= 1", f"max(1, min(8, groups * splits * ceil({rows}, strip_rows) * ceil(count, block)))"))
else:
    interface.launched(["256", "1", "1"], [f"256 * ceil({rows}, 16 * TM)", "count", "groups * splits"], True, needs)
nested = range(4)
tiling = [
    Number("strip_rows", "rows of a strip", allowed=f"a multiple of {MR}, at most {most}"),
    Number("block", "panels that a work-group takes at a time", allowed=">= 1"),
    Number("panels_first", "whether all blocks of a strip come before the next strip", allowed="0 or 1"),
    Number("kc", "steps at a time", allowed=">= 1")] if style == "cpu" else []
%>
${types.pragmas([dtype, result_dtype])}
${header(*types.headers([result_dtype]), *(["transpose.clh"] if style == "cpu" else []))}
${activations.definition(activation, T)}
% if style == "cpu":
typedef ${T}${W} vec;
typedef vec __attribute__((aligned(${4 if T == "float" else 8}))) loose_vec;
typedef ${T}${V} stored_vec;
typedef stored_vec __attribute__((aligned(${4 if T == "float" else 8}))) loose;
#define LOAD(p) (*(__global const loose_vec *)(p))
#define PRIVATE(p) (*(loose_vec *)(p))
${vectors.SERIAL}
% else:
__attribute__((reqd_work_group_size(256, 1, 1)))
% endif
__kernel void conv_product(
    ${interface.declare("conv_product",
        Buffer("x", T, "in", ("all that group * xg + the row's indices times xs0..xs3 + steps[p] reaches",),
               "what is read in place, from where row 0 of group 0 reads at steps[p] = 0", offset="x_o", restrict=True),
        Buffer("panels", T, "in", ("groups", "count", "1 + L", LANES), "initial values, then the steps", restrict=True),
        Buffer("steps", "long", "in", ("L",), "where each step reads in x, in elements; may be negative", restrict=True),
        Buffer("y", S_out, "out", ("splits", "groups", "lanes", *(f"r{i}" for i in nested)), "the sums",
               ("split_s", "yg", "ks", *(f"ys{i}" for i in nested)), "y_o", restrict=True),
        [Number(f"r{i}", f"the size of index {i} of the rows", allowed=">= 1") for i in nested],
        [Number(f"{x}s{i}", f"from one element of {x} to the next along r{i}", unit="elements") for x in "xy" for i in nested],
        Number("groups", "groups of lanes, with sums of their own", allowed=">= 1"),
        [Number(f"{x}g", f"from one group of {x} to the next", unit="elements") for x in "xy"],
        Number("lanes", "lanes of a group", allowed=">= 1"),
        Number("count", "panels of a group", allowed=f"lanes / {LANES}, rounded up"),
        Number("ks", "from one lane of y to the next", unit="elements"), Number("L", "steps of the reduction"),
        Number("splits", "pieces into which the reduction is cut; more than 1: add the sums up, with conv_sum", allowed=">= 1"),
        Number("split_s", "from one piece of y to the next", unit="elements"), tiling)})
{
    const size_t rows = (size_t)(r0 * r1 * r2 * r3);
% if style == "cpu":
    const size_t strips = (rows + strip_rows - 1) / strip_rows, blocks = (count + block - 1) / block;
    const size_t units = strips * blocks, total = units * groups * splits;
    const size_t last = (get_group_id(0) + 1) * total / get_num_groups(0);
    long xr[${STRIP}], yr[${STRIP}];
    ${T} sums[${STRIP * LANES}];
    for (size_t u = get_group_id(0) * total / get_num_groups(0); u < last; u++) {
        const size_t outer = u / units, inner = u - outer * units;
        const size_t split = outer / groups, group = outer - split * groups;
        const size_t strip = panels_first ? inner / blocks : inner % strips;
        const size_t first_panel = (panels_first ? inner % blocks : inner / strips) * block;
        const size_t last_panel = first_panel + block < count ? first_panel + block : count;
        const size_t row0 = strip * strip_rows, here = rows - row0 < strip_rows ? rows - row0 : strip_rows;
        const size_t p_lo = split * L / splits, p_hi = (split + 1) * L / splits;
        size_t rest = row0;
        long i3 = rest % (size_t)r3; rest /= (size_t)r3;
        long i2 = rest % (size_t)r2; rest /= (size_t)r2;
        long i1 = rest % (size_t)r1;
        long i0 = rest / (size_t)r1;
        const long xg_o = x_o + group * xg, yg_o = y_o + group * yg + split * split_s;
        for (size_t i = 0; i < here; i++) {
            xr[i] = xg_o + i0 * xs0 + i1 * xs1 + i2 * xs2 + i3 * xs3;
            yr[i] = yg_o + i0 * ys0 + i1 * ys1 + i2 * ys2 + i3 * ys3;
            if (++i3 == r3) { i3 = 0; if (++i2 == r2) { i2 = 0; if (++i1 == r1) { i1 = 0; i0++; } } }
        }
        // the last tile may be incomplete: its missing rows repeat another, and are not stored
        for (size_t i = here; i % ${MR}; i++) xr[i] = xr[0];
        for (size_t panel = first_panel; panel < last_panel; panel++) {
            __global const ${T} *start = panels + (group * count + panel) * (1 + L) * ${LANES};
            size_t p0 = p_lo;
            do {
                const size_t p1 = p0 + kc < p_hi ? p0 + kc : p_hi;
                for (size_t i = 0; i < here; i += ${MR}) {
% for r in range(MR):
                    __global const ${T} *x${r} = x + xr[i + ${r}];
% for v in range(NV):
                    vec a${r}_${v};
% endfor
% endfor
                    if (p0 == p_lo) {
% for v in range(NV):
                        const vec z${v} = split == 0 ? LOAD(start + ${v * W}) : (vec)(0);
% for r in range(MR):
                        a${r}_${v} = z${v};
% endfor
% endfor
                    } else {
% for r in range(MR):
% for v in range(NV):
                        a${r}_${v} = PRIVATE(sums + (i + ${r}) * ${LANES} + ${v * W});
% endfor
% endfor
                    }
                    __global const ${T} *b = start + (1 + p0) * ${LANES};
                    for (size_t p = p0; p < p1; p++) {
                        const long o = steps[p];
% for v in range(NV):
                        const vec b${v} = LOAD(b + ${v * W});
% endfor
% for r in range(MR):
                        const vec v${r} = (vec)(x${r}[o]);
% for v in range(NV):
                        a${r}_${v} = v${r} * b${v} + a${r}_${v};
% endfor
% endfor
                        b += ${LANES};
                    }
% for r in range(MR):
% for v in range(NV):
                    PRIVATE(sums + (i + ${r}) * ${LANES} + ${v * W}) = a${r}_${v};
% endfor
% endfor
                }
                p0 = p1;
            } while (p0 < p_hi);
            const size_t lane0 = panel * ${LANES}, live = lanes - lane0 < ${LANES} ? lanes - lane0 : ${LANES};
% if activation:
            for (size_t e = 0; e < here * ${LANES}; e++) sums[e] = activate(sums[e]);
% endif
            size_t i = 0;
% if T == S_out and LANES % V == 0:
            // whole vectors where the rows lie next to each other in y
            if (live == ${LANES})
                for (; i + ${V} <= here; i += ${V}) {
                    if (yr[i + ${V - 1}] - yr[i] != ${V - 1}) {
                        for (size_t j = 0; j < ${LANES}; j++)
                            for (size_t e = i; e < i + ${V}; e++) y[yr[e] + (lane0 + j) * ks] = sums[e * ${LANES} + j];
                        continue;
                    }
% for v in range(LANES // V):
                    {
% for e in range(V):
                        stored_vec t${e} = *(loose *)(sums + (i + ${e}) * ${LANES} + ${v * V});
% endfor
                        ct_transpose${V}(${", ".join(f"t{e}" for e in range(V))});
                        __global ${T} *to = y + yr[i] + (lane0 + ${v * V}) * ks;
% for e in range(V):
                        *(__global loose *)(to + ${e} * ks) = t${e};
% endfor
                    }
% endfor
                }
% endif
            for (size_t j = 0; j < live; j++)
                for (size_t e = i; e < here; e++) {
                    ${types.store(result_dtype, "y", "yr[e] + (lane0 + j) * ks", f"sums[e * {LANES} + j]")}
                }
        }
    }
% else:
<%
# an item's rows and lanes lie in runs of four, where it has as many, so that local memory is read by vectors
by_four = [n % 4 == 0 for n in (TM, TN)]
XROW, VROW = 16 * TM + (4 if by_four[0] else 1), LANES + (4 if by_four[1] else 0)
X_EACH, V_EACH = max(1, KC * 16 * TM // 256), max(1, KC * LANES // 256)
def place(n, t, i):
    return f"{64 * (i // 4) + i % 4} + 4 * {t}" if n % 4 == 0 else f"{t} + {16 * i}"
%>
<%def name="fetch(p)">
% for u in range(X_EACH):
        x_next${u} = ${p} + xq + ${u * (16 // TM)} < p_hi ? x[xr + steps[${p} + xq + ${u * (16 // TM)}]] : 0;
% endfor
% for u in range(V_EACH):
        v_next${u} = ${p} + vq + ${u * (256 // LANES)} < p_hi ? start[(1 + ${p} + vq + ${u * (256 // LANES)}) * ${LANES} + id % ${LANES}] : 0;
% endfor
</%def>
<%def name="staged(name, row, t, n)">
% if n % 4 == 0:
% for f in range(n // 4):
            const ${T}4 ${name}${f} = ${row}[${t} + ${16 * f}];
% endfor
% else:
% for i in range(n):
            const ${T} ${name}${i} = ${row}[${t} + ${16 * i}];
% endfor
% endif
</%def>
<%
def part(name, n, i):
    return f"{name}{i // 4}.s{i % 4}" if n % 4 == 0 else f"{name}{i}"
%>
    __local ${T}${4 if by_four[0] else ""} xs[${KC * XROW // (4 if by_four[0] else 1)}];
    __local ${T}${4 if by_four[1] else ""} vs[${KC * VROW // (4 if by_four[1] else 1)}];
    __local ${T} *const x_to = (__local ${T} *)xs, *const v_to = (__local ${T} *)vs;
    const size_t id = get_local_id(0), tx = id % 16, ty = id / 16;
    const size_t panel = get_group_id(1), group = get_group_id(2) % (size_t)groups, split = get_group_id(2) / (size_t)groups;
    if (panel >= (size_t)count || split >= (size_t)splits) return;
    const size_t row0 = get_group_id(0) * ${16 * TM};
    const size_t p_lo = split * L / splits, p_hi = (split + 1) * L / splits;
    __global const ${T} *start = panels + (group * count + panel) * (1 + L) * ${LANES};
    // loading: item id fetches row id % (16 TM) of every (16 / TM)-th step
    size_t rest = row0 + id % ${16 * TM};
    if (rest >= rows) rest = 0;
    const size_t l3 = rest % (size_t)r3; rest /= (size_t)r3;
    const size_t l2 = rest % (size_t)r2; rest /= (size_t)r2;
    const size_t l1 = rest % (size_t)r1; rest /= (size_t)r1;
    const long xr = x_o + group * xg + rest * xs0 + l1 * xs1 + l2 * xs2 + l3 * xs3;
    const size_t xq = id / ${16 * TM}, vq = id / ${LANES};
    ${T} ${", ".join([f"x_next{u}" for u in range(X_EACH)] + [f"v_next{u}" for u in range(V_EACH)])};
% for j in range(TN):
    const ${T} z${j} = split == 0 ? start[${place(TN, "ty", j)}] : 0;
% for i in range(TM):
    ${T} a${i}_${j} = z${j};
% endfor
% endfor
    ${fetch("p_lo")}
    for (size_t p0 = p_lo; p0 < p_hi; p0 += ${KC}) {
        barrier(CLK_LOCAL_MEM_FENCE);
% for u in range(X_EACH):
        ${"" if KC * 16 * TM >= 256 else f"if (xq < {KC}) "}x_to[(xq + ${u * (16 // TM)}) * ${XROW} + id % ${16 * TM}] = x_next${u};
% endfor
% for u in range(V_EACH):
        ${"" if KC * LANES >= 256 else f"if (vq < {KC}) "}v_to[(vq + ${u * (256 // LANES)}) * ${VROW} + id % ${LANES}] = v_next${u};
% endfor
        barrier(CLK_LOCAL_MEM_FENCE);
        if (p0 + ${KC} < p_hi) {
            ${fetch(f"p0 + {KC}")}
        }
        for (size_t q = 0; q < ${KC}; q++) {
            ${staged("b", f"(vs + q * {VROW // (4 if by_four[1] else 1)})", "ty", TN)}
            ${staged("v", f"(xs + q * {XROW // (4 if by_four[0] else 1)})", "tx", TM)}
% for i in range(TM):
% for j in range(TN):
            a${i}_${j} += ${part("v", TM, i)} * ${part("b", TN, j)};
% endfor
% endfor
        }
    }
% for i in range(TM):
    if (row0 + ${place(TM, "tx", i)} < rows) {
        size_t row = row0 + ${place(TM, "tx", i)};
        const size_t o3 = row % (size_t)r3; row /= (size_t)r3;
        const size_t o2 = row % (size_t)r2; row /= (size_t)r2;
        const size_t o1 = row % (size_t)r1; row /= (size_t)r1;
        const long yr = y_o + group * yg + split * split_s + row * ys0 + o1 * ys1 + o2 * ys2 + o3 * ys3;
        const long lane = panel * ${LANES};
% for j in range(TN):
        if (lane + ${place(TN, "ty", j)} < lanes) { ${types.store(result_dtype, "y", f"yr + (lane + {place(TN, 'ty', j)}) * ks", activations.applied(activation, f"a{i}_{j}"))} }
% endfor
    }
% endfor
% endif
}
