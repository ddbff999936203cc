## Scatter: out[.., index[.., t, ..], ..] = combine(out[..], src[.., t, ..]) along one dimension, in order of t.
##
## A column is one index into all other dimensions.  One work-item walks each column from t = 0 up, so repeated indices
## are combined in a fixed order without atomics.  Neighbouring columns form the run.
## If a gpu has more work-items than columns, several walk one column, and each writes its own range of the output.
## combine: a C expression over `old` and `value` (compute type).  low and indices out of range: as in gather.
<%!
PARAMETERS = dict(style="cpu", rank=1, dtype="float32", index_dtype="int64", combine="value", index_class="b", AHEAD=16)
DTYPES = "all"
LAUNCH = {
    "cpu": "local = (1, 1); global = (groups over rows, groups over the run)",
    "gpu": "local = (lx, ly, 1); global = (run rounded up, rows rounded up, parts of the places written to)",
}
%>
<%
S, I, C = types.storage_type(dtype), types.storage_type(index_dtype), types.compute_type(dtype)
index_step = {"c": "i", "b": "0"}.get(index_class, f"i * index_s{rank - 1}")
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
% if types.part_type(C) != C:
typedef ${C} value_t;
% endif

<%def name="columns()">
    for (size_t t = 0; t < (size_t)count; t++) {
% if index_class == "b":
        const long at = index_p[index_o + t * index_t];
        if (at < low || at >= size) {
            if (!fault[0]) { fault[0] = who; fault[1] = at; fault[2] = size; }
            continue;
        }
% endif
        for (size_t i = lo; i < hi; i++) {
% if index_class != "b":
            const long at = index_p[index_o + t * index_t + ${index_step}];
            if (at < low || at >= size) {
                if (!fault[0]) { fault[0] = who; fault[1] = at; fault[2] = size; }
                continue;
            }
% endif
            const size_t to = out_o + (size_t)(at < 0 ? at + size : at) * along + i * out_s${rank - 1};
            const ${C} value = ${types.load(dtype, "src_p", f"src_o + t * src_t + i * src_s{rank - 1}")};
% if combine != "value":
            const ${C} old = ${types.load(dtype, "out_p", "to")};
% endif
            ${types.store(dtype, "out_p", "to", combine)}
        }
    }
</%def>
## The gpu style: a work-item goes through all of its columns, in order, for the places of its part; AHEAD indices at a time.
<%def name="share()">
    for (size_t i = get_global_id(0); i < run; i += get_global_size(0))
        for (size_t t0 = 0; t0 < (size_t)count; t0 += ${AHEAD}) {
            long place[${AHEAD}];
            #pragma unroll
            for (int u = 0; u < ${AHEAD}; u++)
                place[u] = t0 + u < (size_t)count ? (long)index_p[index_o + (t0 + u) * index_t + ${index_step}] : 0;
            #pragma unroll
            for (int u = 0; u < ${AHEAD}; u++) {
                const size_t t = t0 + u;
                const long at = place[u] < 0 ? place[u] + size : place[u];
                if (t < (size_t)count && (place[u] < low || at >= size)) {
                    if (!fault[0]) { fault[0] = who; fault[1] = place[u]; fault[2] = size; }
                } else if (t < (size_t)count && at >= first && at < last) {
                    const size_t to = out_o + (size_t)at * along + i * out_s${rank - 1};
                    const ${C} value = ${types.load(dtype, "src_p", f"src_o + t * src_t + i * src_s{rank - 1}")};
% if combine != "value":
                    const ${C} old = ${types.load(dtype, "out_p", "to")};
% endif
                    ${types.store(dtype, "out_p", "to", combine)}
                }
            }
        }
</%def>
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void scatter(
    __global const ${I} *index_p, const long index_o0, __global const ${S} *src_p, const long src_o0,
    __global ${S} *out_p, const long out_o0,
% for r in range(rank):
    const long d${r}, const long index_s${r}, const long src_s${r}, const long out_s${r},
% endfor
    const long rows, const long count, const long size, const long low, const long along, const long index_t, const long src_t,
    __global long *fault, const long who)
{
    const size_t run = d${rank - 1};
% if style == "cpu":
    const size_t lo = get_group_id(1) * run / get_num_groups(1), hi = (get_group_id(1) + 1) * run / get_num_groups(1);
    const size_t first = get_group_id(0) * (size_t)rows / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * (size_t)rows / get_num_groups(0);
    for (size_t row = first; row < last; row++) {
% else:
    const size_t part = get_global_id(2), parts = get_global_size(2);
    const long first = part * (size_t)size / parts, last = (part + 1) * (size_t)size / parts;
    for (size_t row = get_global_id(1); row < (size_t)rows; row += get_global_size(1)) {
% endif
        size_t rest = row;
% for r in reversed(range(rank - 1)):
        const size_t i${r} = rest % (size_t)d${r}; rest /= (size_t)d${r};
% endfor
% for n in ("index", "src", "out"):
        const size_t ${n}_o = ${n}_o0${"".join(f" + i{r} * {n}_s{r}" for r in range(rank - 1))};
% endfor
        ${columns() if style == "cpu" else share()}
    }
}
