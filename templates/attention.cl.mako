## Attention y = softmax(scale * q k^T + mask) v and its gradients, computed block by block; the score matrix is never stored.
##
## q (N, H, L, E), k (N, H, S, E), v (N, H, S, EV) and g, the gradient of y, have contiguous rows, and so have
## y, gq, gk and gv.
## lse (N, H, L) is the logarithm of each row's sum of exponentials.  rest (N, H, L) is its rounding error: with scores of -1e9
## that is the whole logarithm of the sum.  From both, the gradients recompute the softmax in one pass.
## A row that attends to nothing gives 0, with an lse of -infinity.
##
## form    forward   q, k, v -> y, lse, rest: a row carries its largest score and its sums from one block of keys to the next,
##                   and scales the sums down when it finds a larger score
##         backward  g, g_lse, q, k, v, y, lse, rest -> gq, gk, gv in one launch; a work-item does whole heads, so no two
##                   work-items add to one sum.  cpu only; scratch holds the sums of a head's gk and gv for each group
##         queries   the same -> gq, keys -> gk, gv.  gpu only; delta = sum(g * y) - g_lse (N, H, L) replaces y and g_lse
## mask    None, "bool" (true takes part) or the dtype of the values added to the scores; strides of 0 broadcast it
## causal  row i attends to keys 0..i
## cpu     BR rows at a time against BC keys, in vectors of V; E and EV are padded with zeros
##         with BR = 1, forward only, vectors run along a row of q and the keys of a block: for heads of few rows
## gpu     a work-item does one row, of q or of k; a work-group of WGS shares BC rows of the other operand at a time
<%!
from cltensor.codegen.parameters import DTYPE, TRUTH, Parameter, one_of, such, whole

PARAMETERS = dict(
    style="cpu", dtype="float32", form=Parameter("forward", "what is computed", one_of("forward", "backward", "queries", "keys")),
    mask=Parameter(None, "the kind of mask", such('None, "bool" or a dtype', lambda v: v in (None, "bool") or DTYPE.holds(v))),
    causal=Parameter(False, "whether row i attends to keys 0..i only", TRUTH),
    E=Parameter(32, "the width of q and k", whole(1, 256)), EV=Parameter(32, "the width of v", whole(1, 256)),
    BR=Parameter(32, "rows of a block, in the cpu style", such("1 or a multiple of 4 up to 128", lambda v: v in (1, *range(4, 129, 4)))),
    BC=Parameter(32, "keys of a block", whole(1, 128)),
    V=Parameter(8, "numbers of a vector, in the cpu style", one_of(2, 4, 8, 16)),
    WGS=Parameter(64, "work-items of a group, in the gpu style", whole(1, 1024)))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
C = types.compute_type(dtype)
T = types.storage_type(dtype)
M = None if mask in (None, "bool") else dtypes.BY_NAME.get(mask, mask)
used = [dtype, *([M] if M else [])]
EP, VP = (-(-n // (2 * V)) * 2 * V for n in (E, EV))
forward, cpu = form == "forward", style == "cpu"
single = cpu and forward and BR == 1
in_place = T == C and E == EP and EV == VP  # rows of keys and values are read where they lie
operands = "qkv" if forward else "gqkvy" if form == "backward" else "gqkv"
results = {"forward": ("y",), "backward": ("gq", "gk", "gv"), "queries": ("gq",), "keys": ("gk", "gv")}[form]
def exp(v): return spell("exp", C, v)
def row_of(x, c, u=0):
    """V elements of row j + u of a block of x, from column c on."""
    step = f"{x}_r" if in_place else EP if x == "k" else VP
    return f"*({'__global ' if in_place else ''}const uvec *)({x}r + (j + {u}) * {step} + {c})"
assert not cpu or single or (form in ("forward", "backward") and BR % (2 * V) == 0 and BC % 4 == 0)
assert cpu or form != "backward"
N = "planes // H"
named = {"q": "the queries", "k": "the keys", "v": "the values", "y": "the result", "g": "the gradient of the result",
         "gq": "the gradient of q", "gk": "the gradient of k", "gv": "the gradient of v"}
def strides(x): return tuple(f"{x}_{a}" for a in "nhr")
def stride_numbers(names):
    return [Number(n, f"stride of {n[:n.index('_')]}_p along its {({'n': 'batch', 'h': 'heads', 'r': 'rows', 'c': 'keys'})[n[-1]]}",
                   unit="elements") for n in names]
def operand(x, direction):
    shape = (N, "H", "S" if x[-1] in "kv" else "L", "E" if x[-1] in "qk" else "EV")
    return [Buffer(f"{x}_p", T, direction, shape, named[x], (*strides(x), 1), offset=f"{x}_o"), *stride_numbers(strides(x))]
def each_row(x, direction, meaning):
    return Buffer(f"{x}_p", C, direction, (N, "H", "L"), meaning, offset=f"{x}_o")
sums = [each_row("lse", "out" if forward else "in", "the logarithm of each row's sum of exponentials"),
        each_row("rest", "out" if forward else "in", "its rounding error")]
needs = ["No result overlaps another buffer."]
if cpu:
    units = "planes * ceil(L, BR)" if forward else "planes"
    interface.launched(["1"], ["groups"], forward, needs, groups=Choice(
        "work-groups, any number >= 1" + ("" if forward else "; scratch has a part for each"), f"max(1, min(8, {units}))"))
else:
    interface.launched(["WGS", "1"], [f"ceil({'S' if form == 'keys' else 'L'}, WGS) * WGS", "planes"], True, needs)
%>
${types.pragmas(used)}
${header(*types.headers(used))}
typedef ${C} real;
#define LOW (-(real)INFINITY)

<%def name="score(i, j, s)">
## The score s of row i and key j, both inside, with the mask.
<% at = f"m_o + n * m_n + h * m_h + {i} * m_r + {j} * m_c" %>
% if mask == "bool":
    ${s} = m_p[${at}] ? ${s} : LOW;
% elif mask:
    ${s} += (real)${types.load(M, "m_p", at)};
% endif
% if causal:
    ${s} = ${j} > ${i} ? LOW : ${s};
% endif
</%def>
% if cpu:
typedef ${C}${V} vec;
typedef ${C}${V} __attribute__((aligned(sizeof(real)))) uvec;
% endif
% if single:
<%
halves = [V >> i for i in range(1, V.bit_length())]
def folded(join):
    """Statements that fold a vector a to the number r."""
    names = ["a", *(f"a{n}" for n in halves)]
    steps = [f"const {C}{n if n > 1 else ''} {made} = {join(f'{old}.lo', f'{old}.hi')};"
             for old, made, n in zip(names, names[1:], halves)]
    return " ".join([*steps, "return a1;"])
%>
static inline real sum_of(const vec a) { ${folded(lambda x, y: f"{x} + {y}")} }
static inline real most_of(const vec a) { ${folded(lambda x, y: f"{x} > {y} ? {x} : {y}")} }
% elif cpu:

// out (rows, cols) = a @ b, or added to; a has strides ar and ac, the others rows of ol and bl
static inline void product(real *out, const real *a, const real *b, const int rows, const int cols, const int depth,
                           const int ol, const int ar, const int ac, const int bl, const int add)
{
    for (int i = 0; i < rows; i += 4)
        for (int j = 0; j < cols; j += ${2 * V}) {
            real *o = out + i * ol + j;
% for r in range(4):
% for c in range(2):
            vec s${r}${c} = add ? *(const uvec *)(o + ${r} * ol + ${c * V}) : (vec)(0);
% endfor
% endfor
            for (int e = 0; e < depth; e++) {
                const vec b0 = *(const uvec *)(b + e * bl + j), b1 = *(const uvec *)(b + e * bl + j + ${V});
                const real *x = a + i * ar + e * ac;
% for r in range(4):
                s${r}0 += x[${r} * ar] * b0; s${r}1 += x[${r} * ar] * b1;
% endfor
            }
% for r in range(4):
% for c in range(2):
            *(uvec *)(o + ${r} * ol + ${c * V}) = s${r}${c};
% endfor
% endfor
        }
}
% endif
<%def name="rows(x, into, first, count, most, width, padded, times='', turned=0)">
## into (most, padded) = rows first.. of operand x, or (turned: a row's length) its transpose; zeros beyond.
        for (int i = 0; i < ${most}; i++) {
            const size_t from = ${x}_o + n * ${x}_n + h * ${x}_h + (${first} + i) * ${x}_r;
            for (int e = 0; e < ${padded}; e++)
                ${f"{into}[e * {turned} + i]" if turned else f"{into}[i * {padded} + e]"} =
                    i < ${count} && e < ${width} ? ${types.load(dtype, x + "_p", "from + e")}${times} : 0;
        }
</%def>
<%def name="span(total, size, first, count)">
        const int ${count} = ${total} - ${first} < ${size} ? ${total} - ${first} : ${size};
</%def>

<%def name="sum_of_exponentials(at, top, total)">
## Stores the logarithm of total * exp(top) as lse and the rest that rounding leaves (Knuth's two-sum).
{
    const real part = ${spell("log", C, total)}, sum = ${top} + part, other = sum - ${top};
    lse_p[lse_o + ${at}] = sum;
    rest_p[rest_o + ${at}] = ${top} == LOW ? 0 : (${top} - (sum - other)) + (part - other);
}
</%def>

<%def name="each_block()">
## Opens a loop over blocks of keys, with k, v and the masked scores s of a block.
        const size_t end = ${f"(size_t)S < i0 + {BR} ? (size_t)S : i0 + {BR}" if causal else "S"};
        for (size_t j0 = 0; j0 < end; j0 += ${BC}) {
            ${span("S", BC, "j0", "keys")}
            ${rows("k", "k", "j0", "keys", BC, E, EP)}
            ${rows("v", "v", "j0", "keys", BC, EV, VP)}
            product(s, k, qt, ${BC}, ${BR}, ${EP}, ${BR}, ${EP}, 1, ${BR}, 0);
% if mask or causal:
% if not mask:
            if (j0 + ${BC} > i0 + 1)
% endif
            for (int j = 0; j < keys; j++)
                for (int i = 0; i < rows; i++) {
                    ${score("(i0 + i)", "(j0 + j)", f"s[j * {BR} + i]")}
                }
% endif
</%def>
<%def name="exponentials(less='')">
            for (int j = 0; j < keys; j++)
                for (int i = 0; i < ${BR}; i++) s[j * ${BR} + i] = ${exp(f"(s[j * {BR} + i] - base[i]{less})")};
            for (int i = keys * ${BR}; i < ${BC * BR}; i++) s[i] = 0;
</%def>
% if cpu:
${vectors.SERIAL}
% else:
__attribute__((reqd_work_group_size(${WGS}, 1, 1)))
% endif
__kernel void attention(
    ${interface.declare("attention",
        [a for x in operands for a in operand(x, "in")],
        [Buffer("m_p", types.storage_type(M) if M else "uchar", "in", (N, "H", "L", "S"), "what is added to the scores" if M
                else "not 0 where a row attends to a key", tuple(f"m_{a}" for a in "nhrc"), offset="m_o"),
         *stride_numbers([f"m_{a}" for a in "nhrc"])] if mask else [],
        [each_row("gl", "in", "the gradient of lse")] if form == "backward" else [], [] if forward else sums,
        [each_row("delta", "in", "sum(g * y) less the gradient of lse")] if form in ("queries", "keys") else [],
        [a for x in results for a in operand(x, "out")], sums if forward else [],
        [Buffer("scratch", C, "scratch", ("groups", "ceil(S, BC) * BC", EP + VP), "sums of gk and gv")] if form == "backward" else [],
        Number("planes", "the batch times the heads"), Number("H", "the number of heads", allowed=">= 1"),
        Number("L", "the number of queries"), Number("S", "the number of keys"), Number("scale", "the factor of the scores", C))})
{
% if single:
    real q[${EP}], s[${BC}], o[${VP}]${"" if in_place else f", k[{BC * EP}], v[{BC * VP}]"};
    const size_t all = planes * L, last = (get_group_id(0) + 1) * all / get_num_groups(0);
    for (size_t task = get_group_id(0) * all / get_num_groups(0); task < last; task++) {
        const size_t plane = task / L, i = task % L, n = plane / H, h = plane % H;
        for (int e = 0; e < ${EP}; e++)
            q[e] = e < ${E} ? ${types.load(dtype, "q_p", "q_o + n * q_n + h * q_h + i * q_r + e")} * scale : 0;
        for (int d = 0; d < ${VP}; d++) o[d] = 0;
        vec totals = (vec)(0);
        real top = LOW;
        const size_t end = ${"(size_t)S < i + 1 ? (size_t)S : i + 1" if causal else "S"};
        for (size_t j0 = 0; j0 < end; j0 += ${BC}) {
            ${span("(long)end", BC, "(long)j0", "keys")}
% if in_place:
            __global const real *kr = k_p + k_o + n * k_n + h * k_h + j0 * k_r, *vr = v_p + v_o + n * v_n + h * v_h + j0 * v_r;
% else:
            ${rows("k", "k", "j0", "keys", BC, E, EP)}
            ${rows("v", "v", "j0", "keys", BC, EV, VP)}
            const real *kr = k, *vr = v;
% endif
            for (int j = 0; j < ${BC}; j++) s[j] = LOW;
            for (int j = 0; j < keys; j++) {
                vec a = (vec)(0);
% for c in range(0, EP, V):
                a += *(const uvec *)(q + ${c}) * ${row_of("k", c)};
% endfor
                real score = sum_of(a);
                ${score("i", "(j0 + j)", "score")}
                s[j] = score;
            }
            vec high = *(const uvec *)s;
% for c in range(V, BC, V):
            high = *(const uvec *)(s + ${c}) > high ? *(const uvec *)(s + ${c}) : high;
% endfor
            const real found = most_of(high), before = top;
            top = found > top ? found : top;
            const real base = top == LOW ? 0 : top, shrink = ${exp("(before - base)")};
            totals *= shrink;
            for (int d = 0; shrink != 1 && d < ${VP}; d++) o[d] *= shrink;
            for (int j = 0; j < ${BC}; j++) s[j] = ${exp("(s[j] - base)")};
% for c in range(0, BC, V):
            totals += *(const uvec *)(s + ${c});
% endfor
            int j = 0;
            for (; j + 4 <= keys; j += 4) {
% for c in range(0, VP, V):
                *(uvec *)(o + ${c}) += (${" + ".join(f"s[j + {u}] * {row_of('v', c, u)}" for u in (0, 1))})
                    + (${" + ".join(f"s[j + {u}] * {row_of('v', c, u)}" for u in (2, 3))});
% endfor
            }
            for (; j < keys; j++) {
% for c in range(0, VP, V):
                *(uvec *)(o + ${c}) += s[j] * ${row_of("v", c)};
% endfor
            }
        }
        const real total = sum_of(totals), share = total == 0 ? 0 : 1 / total;
        ${sum_of_exponentials("task", "top", "total")}
        for (int d = 0; d < ${EV}; d++) {
            ${types.store(dtype, "y_p", "y_o + n * y_n + h * y_h + i * y_r + d", "(share == 0 ? 0 : o[d] * share)")}
        }
    }
% elif cpu:
    // Scores lie by columns, s (BC, BR): the arithmetic of a row is done for BR rows at a time.
    real qt[${EP * BR}], k[${BC * EP}], v[${BC * VP}], s[${BC * BR}], base[${BR}];
% if forward:
    const size_t blocks = ((size_t)L + ${BR - 1}) / ${BR}, all = planes * blocks;
    const size_t last = (get_group_id(0) + 1) * all / get_num_groups(0);
    real o[${BR * VP}], top[${BR}], total[${BR}], shrink[${BR}];
    for (size_t task = get_group_id(0) * all / get_num_groups(0); task < last; task++) {
        const size_t plane = task / blocks, n = plane / H, h = plane % H, i0 = task % blocks * ${BR};
        ${span("L", BR, "i0", "rows")}
        ${rows("q", "qt", "i0", "rows", BR, E, EP, " * scale", turned=BR)}
        for (int i = 0; i < ${BR * VP}; i++) o[i] = 0;
        for (int i = 0; i < ${BR}; i++) { top[i] = LOW; total[i] = 0; }
        ${each_block()}
            for (int i = 0; i < ${BR}; i++) shrink[i] = top[i];
            for (int j = 0; j < keys; j++)
                for (int i = 0; i < ${BR}; i++) top[i] = s[j * ${BR} + i] > top[i] ? s[j * ${BR} + i] : top[i];
            for (int i = 0; i < ${BR}; i++) {
                base[i] = top[i] == LOW ? 0 : top[i];
                shrink[i] = ${exp("(shrink[i] - base[i])")};
                total[i] *= shrink[i];
            }
            ${exponentials()}
            for (int j = 0; j < keys; j++)
                for (int i = 0; i < ${BR}; i++) total[i] += s[j * ${BR} + i];
            for (int i = 0; i < ${BR}; i++)
                if (shrink[i] != 1)
                    for (int d = 0; d < ${VP}; d++) o[i * ${VP} + d] *= shrink[i];
            product(o, s, v, ${BR}, ${VP}, keys, ${VP}, 1, ${BR}, ${VP}, 1);
        }
        for (int i = 0; i < rows; i++) {
            const size_t row = plane * L + i0 + i;
            const real share = total[i] == 0 ? 0 : 1 / total[i];
            ${sum_of_exponentials("row", "top[i]", "total[i]")}
            for (int d = 0; d < ${EV}; d++) {
                ${types.store(dtype, "y_p", "y_o + n * y_n + h * y_h + (i0 + i) * y_r + d", f"(share == 0 ? 0 : o[i * {VP} + d] * share)")}
            }
        }
    }
% else:
    real q[${BR * EP}], g[${BR * VP}], gt[${VP * BR}], gs[${BC * BR}], delta[${BR}], rest[${BR}];
    real gq[${BR * EP}], gk[${BC * EP}], gv[${BC * VP}];
    const size_t last = (get_group_id(0) + 1) * (size_t)planes / get_num_groups(0), space = ((size_t)S + ${BC - 1}) / ${BC} * ${BC};
    __global real *gks = scratch + get_group_id(0) * space * ${EP + VP}, *gvs = gks + space * ${EP};
    for (size_t plane = get_group_id(0) * (size_t)planes / get_num_groups(0); plane < last; plane++) {
        const size_t n = plane / H, h = plane % H;
        for (size_t i = 0; i < space * ${EP + VP}; i++) gks[i] = 0;
        for (size_t i0 = 0; i0 < (size_t)L; i0 += ${BR}) {
            ${span("L", BR, "i0", "rows")}
            ${rows("q", "q", "i0", "rows", BR, E, EP, " * scale")}
            ${rows("g", "g", "i0", "rows", BR, EV, VP)}
            for (int i = 0; i < ${BR}; i++) {
                for (int e = 0; e < ${EP}; e++) qt[e * ${BR} + i] = q[i * ${EP} + e];
                for (int d = 0; d < ${VP}; d++) gt[d * ${BR} + i] = g[i * ${VP} + d];
                base[i] = delta[i] = rest[i] = 0;
                if (i >= rows) continue;
                const real lse = lse_p[lse_o + plane * L + i0 + i];
                base[i] = lse == LOW ? 0 : lse;
                rest[i] = rest_p[rest_o + plane * L + i0 + i];
                const size_t from = y_o + n * y_n + h * y_h + (i0 + i) * y_r;
                for (int d = 0; d < ${EV}; d++) delta[i] += g[i * ${VP} + d] * ${types.load(dtype, "y_p", "from + d")};
                delta[i] -= gl_p[gl_o + plane * L + i0 + i];
            }
            for (int i = 0; i < ${BR * EP}; i++) gq[i] = 0;
            ${each_block()}
                ${exponentials(" - rest[i]")}
                product(gs, v, gt, ${BC}, ${BR}, ${VP}, ${BR}, ${VP}, 1, ${BR}, 0);
                for (int j = 0; j < ${BC}; j++)
                    for (int i = 0; i < ${BR}; i++) gs[j * ${BR} + i] = s[j * ${BR} + i] * (gs[j * ${BR} + i] - delta[i]);
                product(gv, s, g, ${BC}, ${VP}, ${BR}, ${VP}, ${BR}, 1, ${VP}, 0);
                product(gk, gs, q, ${BC}, ${EP}, ${BR}, ${EP}, ${BR}, 1, ${EP}, 0);
                product(gq, gs, k, ${BR}, ${EP}, keys, ${EP}, 1, ${BR}, ${EP}, 1);
                for (int i = 0; i < ${BC * EP}; i++) gks[j0 * ${EP} + i] += gk[i];
                for (int i = 0; i < ${BC * VP}; i++) gvs[j0 * ${VP} + i] += gv[i];
            }
            for (int i = 0; i < rows; i++)
                for (int e = 0; e < ${E}; e++) {
                    ${types.store(dtype, "gq_p", "gq_o + n * gq_n + h * gq_h + (i0 + i) * gq_r + e", f"gq[i * {EP} + e] * scale")}
                }
        }
        for (size_t j = 0; j < (size_t)S; j++) {
            for (int e = 0; e < ${E}; e++) {
                ${types.store(dtype, "gk_p", "gk_o + n * gk_n + h * gk_h + j * gk_r + e", f"gks[j * {EP} + e]")}
            }
            for (int d = 0; d < ${EV}; d++) {
                ${types.store(dtype, "gv_p", "gv_o + n * gv_n + h * gv_h + j * gv_r + d", f"gvs[j * {VP} + d]")}
            }
        }
    }
% endif
% else:
<%
mine, theirs = ("k", "v"), ("q", "g")
if form != "keys":
    mine, theirs = ("q",) if forward else ("q", "g"), ("k", "v")
width = {"q": E, "k": E, "g": EV, "v": EV}
own, other = ("S", "L") if form == "keys" else ("L", "S")
%>
    if (get_global_id(1) >= (size_t)planes) return;
    const size_t row = get_global_id(0), plane = get_global_id(1), n = plane / H, h = plane % H;
    const int l = get_local_id(0), inside = row < (size_t)${own};
% for x in theirs:
    __local real ${x}_tile[${BC * width[x]}];
% endfor
% if form == "keys":
    __local real lse_tile[${BC}], rest_tile[${BC}], delta_tile[${BC}];
% endif
% for x in mine:
    real ${x}[${width[x]}];
    for (int e = 0; e < ${width[x]}; e++)
        ${x}[e] = inside ? ${types.load(dtype, x + "_p", f"{x}_o + n * {x}_n + h * {x}_h + row * {x}_r + e")}${" * scale" if x == "q" else ""} : 0;
% endfor
% if forward:
    real o[${EV}], top = LOW, total = 0;
    for (int d = 0; d < ${EV}; d++) o[d] = 0;
% elif form == "queries":
    const real lse = inside ? lse_p[lse_o + plane * L + row] : 0, base = lse == LOW ? 0 : lse;
    const real rest = inside ? rest_p[rest_o + plane * L + row] : 0;
    const real delta = inside ? delta_p[delta_o + plane * L + row] : 0;
    real gq[${E}];
    for (int e = 0; e < ${E}; e++) gq[e] = 0;
% else:
    real gk[${E}], gv[${EV}];
    for (int e = 0; e < ${E}; e++) gk[e] = 0;
    for (int d = 0; d < ${EV}; d++) gv[d] = 0;
% endif
    for (size_t first = 0; first < (size_t)${other}; first += ${BC}) {
        const size_t left = ${other} - first;
        const int count = left < ${BC} ? left : ${BC};
        barrier(CLK_LOCAL_MEM_FENCE);
% for x in theirs:
        for (int at = l; at < count * ${width[x]}; at += ${WGS})
            ${x}_tile[at] = ${types.load(dtype, x + "_p", f"{x}_o + n * {x}_n + h * {x}_h + (first + at / {width[x]}) * {x}_r + at % {width[x]}")}${" * scale" if x == "q" else ""};
% endfor
% if form == "keys":
        for (int at = l; at < count; at += ${WGS}) {
            const real lse = lse_p[lse_o + plane * L + first + at];
            lse_tile[at] = lse == LOW ? 0 : lse;
            rest_tile[at] = rest_p[rest_o + plane * L + first + at];
            delta_tile[at] = delta_p[delta_o + plane * L + first + at];
        }
% endif
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int t = 0; inside && t < count; t++) {
            real s = 0;
% if form == "keys":
            for (int e = 0; e < ${E}; e++) s += q_tile[t * ${E} + e] * k[e];
            ${score("(first + t)", "row", "s")}
            const real p = ${exp("(s - lse_tile[t] - rest_tile[t])")};
            real gp = 0;
            for (int d = 0; d < ${EV}; d++) { gv[d] += p * g_tile[t * ${EV} + d]; gp += g_tile[t * ${EV} + d] * v[d]; }
            const real gs = p * (gp - delta_tile[t]);
            for (int e = 0; e < ${E}; e++) gk[e] += gs * q_tile[t * ${E} + e];
% else:
            for (int e = 0; e < ${E}; e++) s += q[e] * k_tile[t * ${E} + e];
            ${score("row", "(first + t)", "s")}
% if forward:
            const real most = s > top ? s : top, base = most == LOW ? 0 : most;
            const real shrink = ${exp("(top - base)")}, p = ${exp("(s - base)")};
            total = total * shrink + p;
            top = most;
            for (int d = 0; d < ${EV}; d++) o[d] = o[d] * shrink + p * v_tile[t * ${EV} + d];
% else:
            const real p = ${exp("(s - base - rest)")};
            real gp = 0;
            for (int d = 0; d < ${EV}; d++) gp += g[d] * v_tile[t * ${EV} + d];
            const real gs = p * (gp - delta);
            for (int e = 0; e < ${E}; e++) gq[e] += gs * k_tile[t * ${E} + e];
% endif
% endif
        }
    }
    if (!inside) return;
% if forward:
    const size_t at = plane * L + row;
    const real share = total == 0 ? 0 : 1 / total;
    ${sum_of_exponentials("at", "top", "total")}
    for (int d = 0; d < ${EV}; d++) {
        ${types.store(dtype, "y_p", "y_o + n * y_n + h * y_h + row * y_r + d", "(share == 0 ? 0 : o[d] * share)")}
    }
% else:
% for x, y, times in (("gq", E, " * scale"),) if form == "queries" else (("gk", E, ""), ("gv", EV, "")):
    for (int e = 0; e < ${y}; e++) {
        ${types.store(dtype, x + "_p", f"{x}_o + n * {x}_n + h * {x}_h + row * {x}_r + e", f"{x}[e]{times}")}
    }
% endfor
% endif
% endif
}
