## Softmax, log-softmax and their gradients over one dimension of x (outer, n, inner), all dense.
##
## what: softmax      y = exp(x - max) / sum            (x -> y)
##       log_softmax  y = x - max - log(sum)            (x -> y)
##       softmax_grad      gx = y * (g - sum(g * y))    (g, y -> gx)
##       log_softmax_grad  gx = g - exp(y) * sum(g)     (g, y -> gx)
## A column is one (outer, inner) pair.  cpu: a block of W neighbouring columns at a time where inner > 1, LANES partial
## results along n where inner is 1.  gpu: one work-group of WGS a column where inner is 1, one work-item a column else.
<%!
PARAMETERS = dict(style="cpu", what="softmax", dtype="float32", contiguous=True, LANES=16, W=32, WGS=64)
DTYPES = "floating"
LAUNCH = {
    "cpu": "local = (1,); global = (groups,), any number >= 1",
    "gpu": "contiguous: local = (WGS,), global = (outer * WGS,); else: local = (WGS,), global = (outer * inner rounded up,)",
}
%>
<%
C = types.compute_type(dtype)
S = types.storage_type(dtype)
grad = what.endswith("grad")
log = what.startswith("log")
low = f"(-({C})INFINITY)"
def X(i): return types.load(dtype, "x_p", i)
def Y(i): return types.load(dtype, "y_p", i)
def exp(v): return spell("exp", C, v)
def ln(v): return spell("log", C, v)
term = (X("AT") if log else f"{X('AT')} * {Y('AT')}") if grad else exp(f"({X('AT')} - top)")
if grad:
    result = f"{X('AT')} - {exp(Y('AT'))} * total" if log else f"{Y('AT')} * ({X('AT')} - total)"
else:
    result = f"{X('AT')} - top - scale" if log else f"{exp('(' + X('AT') + ' - top)')} * scale"
def put(text, at): return text.replace("AT", at)
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}

% if style == "cpu":
__attribute__((reqd_work_group_size(1, 1, 1)))
% else:
__attribute__((reqd_work_group_size(${WGS}, 1, 1)))
% endif
__kernel void softmax(
    __global const ${S} *x_p, const long x_o,
% if grad:
    __global const ${S} *y_p, const long y_o,
% endif
    __global ${S} *out_p, const long out_o, const long outer, const long n, const long inner)
{
    x_p += x_o; out_p += out_o;
% if grad:
    y_p += y_o;
% endif
% if style == "cpu" and contiguous:
    const size_t first = get_group_id(0) * (size_t)outer / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * (size_t)outer / get_num_groups(0);
    for (size_t row = first; row < last; row++) {
        const size_t o = row * (size_t)n, whole = (size_t)n / ${LANES} * ${LANES};
% if not grad:
        ${C} tops[${LANES}], top = ${low};
        for (int l = 0; l < ${LANES}; l++) tops[l] = ${low};
        for (size_t i = 0; i < whole; i += ${LANES})
            for (int l = 0; l < ${LANES}; l++) {
                const ${C} v = ${X("o + i + l")};
                tops[l] = v > tops[l] || v != v ? v : tops[l];
            }
        for (int l = 0; l < ${LANES}; l++) top = tops[l] > top || tops[l] != tops[l] ? tops[l] : top;
        for (size_t i = whole; i < (size_t)n; i++) {
            const ${C} v = ${X("o + i")};
            top = v > top || v != v ? v : top;
        }
% endif
        ${C} sums[${LANES}], total = 0;
        for (int l = 0; l < ${LANES}; l++) sums[l] = 0;
        for (size_t i = 0; i < whole; i += ${LANES})
            for (int l = 0; l < ${LANES}; l++) sums[l] += ${put(term, "o + i + l")};
        for (int w = ${LANES // 2}; w > 0; w >>= 1)
            for (int l = 0; l < w; l++) sums[l] += sums[l + w];
        total = sums[0];
        for (size_t i = whole; i < (size_t)n; i++) total += ${put(term, "o + i")};
% if not grad:
        const ${C} scale = ${ln("total") if log else "1 / total"};
% endif
        for (size_t i = 0; i < (size_t)n; i++) {
            ${types.store(dtype, "out_p", "o + i", put(result, "o + i"))}
        }
    }
% elif style == "cpu":
    const size_t blocks = ((size_t)inner + ${W - 1}) / ${W}, all = (size_t)outer * blocks;
    const size_t first = get_group_id(0) * all / get_num_groups(0), last = (get_group_id(0) + 1) * all / get_num_groups(0);
    ${C} tops[${W}], totals[${W}];
    for (size_t block = first; block < last; block++) {
        const size_t start = (block % blocks) * ${W}, room = inner - start, width = room < ${W} ? room : ${W};
        const size_t o = block / blocks * (size_t)(n * inner) + start;
        for (size_t l = 0; l < width; l++) { tops[l] = ${low}; totals[l] = 0; }
% if not grad:
        for (size_t t = 0; t < (size_t)n; t++)
            for (size_t l = 0; l < width; l++) {
                const ${C} v = ${X("o + t * inner + l")};
                tops[l] = v > tops[l] || v != v ? v : tops[l];
            }
% endif
        for (size_t t = 0; t < (size_t)n; t++)
            for (size_t l = 0; l < width; l++) {
                const ${C} top = tops[l];
                totals[l] += ${put(term, "o + t * inner + l")};
            }
% if not grad:
        for (size_t l = 0; l < width; l++) totals[l] = ${ln("totals[l]") if log else "1 / totals[l]"};
% endif
        for (size_t t = 0; t < (size_t)n; t++)
            for (size_t l = 0; l < width; l++) {
                const ${C} top = tops[l], ${"total" if grad else "scale"} = totals[l];
                ${types.store(dtype, "out_p", "o + t * inner + l", put(result, "o + t * inner + l"))}
            }
    }
% elif contiguous:
    __local ${C} lanes[${WGS}];
    const int l = get_local_id(0);
    const size_t o = get_group_id(0) * (size_t)n;
<%def name="tree(join)">
    for (int w = ${WGS // 2}; w > 0; w >>= 1) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (l < w) { const ${C} v = lanes[l + w], u = lanes[l]; lanes[l] = ${join}; }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
</%def>
% if not grad:
    ${C} mine = ${low};
    for (size_t i = l; i < (size_t)n; i += ${WGS}) {
        const ${C} v = ${X("o + i")};
        mine = v > mine || v != v ? v : mine;
    }
    lanes[l] = mine;
    ${tree("v > u || v != v ? v : u")}
    const ${C} top = lanes[0];
    barrier(CLK_LOCAL_MEM_FENCE);
% endif
    ${C} part = 0;
    for (size_t i = l; i < (size_t)n; i += ${WGS}) part += ${put(term, "o + i")};
    lanes[l] = part;
    ${tree("u + v")}
    const ${C} total = lanes[0];
% if not grad:
    const ${C} scale = ${ln("total") if log else "1 / total"};
% endif
    for (size_t i = l; i < (size_t)n; i += ${WGS}) {
        ${types.store(dtype, "out_p", "o + i", put(result, "o + i"))}
    }
% else:
    const size_t column = get_global_id(0);
    if (column < (size_t)(outer * inner)) {
        const size_t o = column / inner * (size_t)(n * inner) + column % inner;
% if not grad:
        ${C} top = ${low};
        for (size_t t = 0; t < (size_t)n; t++) {
            const ${C} v = ${X("o + t * inner")};
            top = v > top || v != v ? v : top;
        }
% endif
        ${C} total = 0;
        for (size_t t = 0; t < (size_t)n; t++) total += ${put(term, "o + t * inner")};
% if not grad:
        const ${C} scale = ${ln("total") if log else "1 / total"};
% endif
        for (size_t t = 0; t < (size_t)n; t++) {
            ${types.store(dtype, "out_p", "o + t * inner", put(result, "o + t * inner"))}
        }
    }
% endif
}
