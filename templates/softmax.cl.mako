## Softmax, log-softmax and their gradients over one dimension of x (outer, n, inner), all dense.
##
## what: softmax      y = exp(x - max) / sum            (x -> y)
##       log_softmax  y = x - max - log(sum)            (x -> y)
##       softmax_grad      gx = y * (g - sum(g * y))    (g, y -> gx)
##       log_softmax_grad  gx = g - exp(y) * sum(g)     (g, y -> gx)
##       softmax_parts     max, log(sum(exp(x - max)))  (x -> two numbers per column, of the compute type)
## A column is one (outer, inner) pair.
## cpu: for inner > 1, W neighbouring columns at a time; for inner = 1, UNROLL vectors of partial results along n, with BLOCK
## exponentials kept at a time.  `stream`: the result is too large for a cache, so stores bypass it.
## gpu: for inner = 1, one work-group of WGS per column; otherwise one work-item per column.
<%!
from cltensor.codegen.parameters import Parameter, one_of, powers, whole

PARAMETERS = dict(
    style="cpu", dtype="float32",
    what=Parameter("softmax", "the function", one_of("softmax", "log_softmax", "softmax_grad", "log_softmax_grad", "softmax_parts")),
    contiguous=Parameter(True, "whether the dimension is the innermost one: inner = 1", one_of(True, False)),
    UNROLL=Parameter(4, "vectors at a time, in the cpu style", whole(1, 16)),
    BLOCK=Parameter(2048, "exponentials kept at a time, in the cpu style", whole(64, 8192, 64)),
    stream=Parameter(False, "whether stores bypass the caches, in the cpu style", one_of(True, False)),
    W=Parameter(32, "columns at a time, in the cpu style where inner > 1", whole(1, 256)),
    WGS=Parameter(64, "work-items of a group, in the gpu style", powers(16, 256)))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
C = types.compute_type(dtype)
S = types.storage_type(dtype)
grad, parts = what.endswith("grad"), what == "softmax_parts"
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
def kept(column): return f"top_p[{column}] = top; out_p[{column}] = {ln('total')};"
V, rows = vectors.width(C), style == "cpu" and contiguous
streamed = stream and vectors.streams(dtype)
def XV(i): return vectors.loaded(dtype, "x_p", i, C)
def YV(i): return vectors.loaded(dtype, "y_p", i, C)
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]), *(["prefetch.clh"] if rows else []), *(["stream.clh"] if streamed and rows else []))}
% if rows:
${vectors.typedef(C)}
% endif
## `text` for i from `low` to `high` in vectors, the rest by `alone`; UNROLL of them at a time, for variables numbered u
## first: the operands that are read for the first time
<%def name="unrolled(low, high, text, alone, first=())">
for (; ${low} + ${V * UNROLL} <= ${high}; ${low} += ${V * UNROLL}) {
% for p in first:
    ${vectors.fetched_ahead(dtype, p, f"o + {low}", V * UNROLL)}
% endfor
% for u in range(UNROLL):
    ${text(u, f"{low} + {u * V}")}
% endfor
}
for (; ${low} + ${V} <= ${high}; ${low} += ${V}) {
    ${text(0, low)}
}
for (; ${low} < ${high}; ${low}++) {
    ${alone(low)}
}
</%def>
## the exponentials of row elements from i on, `held` of them, kept in e_
<%def name="exponentials()">
const size_t held = (size_t)n - i < ${BLOCK} ? (size_t)n - i : ${BLOCK};
for (size_t l = 0; l < held; l++) {
    const ${C} v = ${Y("o + i + l") if grad else X("o + i + l") + " - top"};
    e_[l] = ${exp("v")};
}
</%def>
## the results from i to `end`, made of kept exponentials (from e_[0]) or not
<%def name="results(end, vector, alone)">
% if streamed:
for (; i < ${end} && ${vectors.misaligned(dtype, "out_p", "o + i")}; i++) {
    ${types.store(dtype, "out_p", "o + i", alone)}
}
% endif
for (; i + ${V} <= ${end}; i += ${V}) {
    const ${C}${V} v = ${vector};
    ${vectors.stored(dtype, "out_p", "o + i", "v", streamed)}
}
for (; i < ${end}; i++) {
    ${types.store(dtype, "out_p", "o + i", alone)}
}
</%def>

% if style == "cpu":
${vectors.SERIAL}
% else:
__attribute__((reqd_work_group_size(${WGS}, 1, 1)))
% endif
<%
whole, columns = ("outer", "n", "inner"), ("outer", "inner")
if style == "cpu":
    interface.launched(["1"], ["groups"], groups=Choice("work-groups, any number >= 1", "max(1, min(8, outer * inner))"), larger=True)
elif contiguous:
    interface.launched(["WGS"], ["outer * WGS"])
else:
    interface.launched(["WGS"], ["ceil(outer * inner, WGS) * WGS"], larger=True)
%>
__kernel void softmax(
    ${interface.declare("softmax",
        Buffer("x_p", S, "in", whole, "the gradient of the result" if grad else "x", offset="x_o"),
        [Buffer("y_p", S, "in", whole, "the result", offset="y_o")] if grad else [],
        [Buffer("top_p", C, "out", columns, "the largest number of each column", offset="top_o")] if parts else [],
        Buffer("out_p", C if parts else S, "out", columns if parts else whole,
               "log of the sum of exp(x - largest) of each column" if parts else "gx" if grad else "the result", offset="out_o"),
        Number("outer", "the number of slices before the dimension"), Number("n", "the size of the dimension", allowed=">= 1"),
        Number("inner", "the number of elements after it", allowed="1" if contiguous else ">= 1"))})
{
    x_p += x_o; out_p += out_o;
% if parts:
    top_p += top_o;
% endif
% if grad:
    y_p += y_o;
% endif
% if rows:
% if log or not grad:
    ${C} e_[${BLOCK}] __attribute__((aligned(64)));
% endif
    const size_t first = get_group_id(0) * (size_t)outer / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * (size_t)outer / get_num_groups(0);
    for (size_t row = first; row < last; row++) {
        const size_t o = row * (size_t)n;
        ${C} total = 0;
        ${C}${V} ${", ".join(f"total{u} = 0" for u in range(UNROLL))};
        size_t i = 0;
% if not grad:
        ${C} top = ${low};
        ${C}${V} ${", ".join(f"top{u} = {low}" for u in range(UNROLL))};
        ${unrolled("i", "(size_t)n",
                   lambda u, at: f"{{ const {C}{V} v = {XV(f'o + {at}')}; top{u} = ((v > top{u}) | (v != v)) ? v : top{u}; }}",
                   lambda at: f"{{ const {C} v = {X(f'o + {at}')}; top = v > top || v != v ? v : top; }}", ("x_p",))}
% for u in range(1, UNROLL):
        top0 = ((top${u} > top0) | (top${u} != top${u})) ? top${u} : top0;
% endfor
        { ${vectors.joined("top", "top0", C, "n", "{0} = {1} > {0} || {1} != {1} ? {1} : {0};")} }
% endif
% if grad:
<% both = "" if log else " * " %>
        ${unrolled("i", "(size_t)n",
                   lambda u, at: f"total{u} += {XV(f'o + {at}')}{both and both + YV(f'o + {at}')};",
                   lambda at: f"total += {X(f'o + {at}')}{both and both + Y(f'o + {at}')};", ("x_p", "y_p"))}
% else:
        for (i = 0; i < (size_t)n; i += ${BLOCK}) {
            ${exponentials()}
            size_t j = 0;
            ${unrolled("j", "held", lambda u, at: f"total{u} += *(const loose *)(e_ + {at});", lambda at: f"total += e_[{at}];")}
        }
% endif
        total0 += ${" + ".join(f"total{u}" for u in range(1, UNROLL))};
        { ${vectors.joined("total", "total0", C, "n")} }
% if not grad and not parts:
        const ${C} scale = ${ln("total") if log else "1 / total"};
% endif
% if parts:
        ${kept("row")}
% elif log and not grad:
        i = 0;
        ${results("(size_t)n", f"{XV('o + i')} - top - scale", f"{X('o + i')} - top - scale")}
% elif grad and not log:
        i = 0;
        ${results("(size_t)n", f"{YV('o + i')} * ({XV('o + i')} - total)", f"{Y('o + i')} * ({X('o + i')} - total)")}
% else:
        for (i = 0; i < (size_t)n;) {
            const size_t first_ = i;
% if not grad:
            // the exponentials of a row of one block are still there
            if (n > ${BLOCK}) {
% else:
            {
% endif
                ${exponentials()}
            }
            const size_t end = (size_t)n - i < ${BLOCK} ? (size_t)n : i + ${BLOCK};
% if grad:
            ${results("end", f"{XV('o + i')} - *(const loose *)(e_ + i - first_) * total", f"{X('o + i')} - e_[i - first_] * total")}
% else:
            ${results("end", "*(const loose *)(e_ + i - first_) * scale", "e_[i - first_] * scale")}
% endif
        }
% endif
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
% if parts:
        for (size_t l = 0; l < width; l++) {
            const ${C} top = tops[l], total = totals[l];
            ${kept("block / blocks * (size_t)inner + start + l")}
        }
% else:
% if not grad:
        for (size_t l = 0; l < width; l++) totals[l] = ${ln("totals[l]") if log else "1 / totals[l]"};
% endif
        for (size_t t = 0; t < (size_t)n; t++)
            for (size_t l = 0; l < width; l++) {
                const ${C} top = tops[l], ${"total" if grad else "scale"} = totals[l];
                ${types.store(dtype, "out_p", "o + t * inner + l", put(result, "o + t * inner + l"))}
            }
% endif
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
% if parts:
    if (l == 0) { ${kept("get_group_id(0)")} }
% else:
% if not grad:
    const ${C} scale = ${ln("total") if log else "1 / total"};
% endif
    for (size_t i = l; i < (size_t)n; i += ${WGS}) {
        ${types.store(dtype, "out_p", "o + i", put(result, "o + i"))}
    }
% endif
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
% if parts:
        ${kept("column")}
% else:
% if not grad:
        const ${C} scale = ${ln("total") if log else "1 / total"};
% endif
        for (size_t t = 0; t < (size_t)n; t++) {
            ${types.store(dtype, "out_p", "o + t * inner", put(result, "o + t * inner"))}
        }
% endif
    }
% endif
}
