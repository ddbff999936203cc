## Scatter: out[.., index[.., t, ..], ..] = combine(out[..], src[.., t, ..]) along one dimension, in order of t.
##
## A column is one index into all other dimensions.  One work-item walks each column from t = 0 up, so repeated indices
## are combined in a fixed order without atomics.  Neighbouring columns form the run.
## If a gpu has more work-items than columns, several walk one column, and each writes its own range of the output.
## combine: a C expression over `old`, the element of out, and `value`, the one of src, in the type that is computed with.
## low: the smallest valid index, 0 or -size; negative indices count from the end.  An index out of range leaves a note in `fault`
## and writes nothing.
## index_class: how the index lies along the innermost dimension: "c" stride 1, "b" stride 0, one index for a whole run, "s" any
<%!
from cltensor.base import dtypes as d
from cltensor.codegen.parameters import TEXT, Parameter, one_of, whole

PARAMETERS = dict(
    style="cpu", rank=Parameter(1, "the number of dimensions but the one that is indexed, at least 1", whole(1, 64)), dtype="float32",
    index_dtype=Parameter("int64", "the dtype of the index", one_of("int64", "int32", d.int64, d.int32)),
    combine=Parameter("value", "what to store", TEXT),
    index_class=Parameter("b", "how the index lies along the innermost dimension", one_of("c", "b", "s")),
    AHEAD=Parameter(16, "indices read at a time, in the gpu style", whole(1, 64)))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
S, I, C = types.storage_type(dtype), types.storage_type(index_dtype), types.compute_type(dtype)
index_step = {"c": "i", "b": "0"}.get(index_class, f"i * index_s{rank - 1}")
sizes = [f"d{r}" for r in range(rank)]
parts = {"parts": Choice("work-items for a column, any number >= 1: each writes to a part of it", "1")} if style == "gpu" else {}
interface.walks_rows(style, "rows", sizes[-1], needs=["out overlaps nothing else, and its columns do not overlap each other."], **parts)
def strides(n, last=None): return (f"{n}_t", *(f"{n}_s{r}" for r in range(rank - 1)), {"c": 1, "b": 0}.get(last, f"{n}_s{rank - 1}"))
def stride(n, r, k=None):
    return Number(f"{n}_s{r}", f"from one element of {n} to the next along d{r}", unit="elements",
                  allowed={"c": "1, or any number if the size is 1", "b": "0"}.get(k, "") if r == rank - 1 else "")
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
    ${interface.declare("scatter",
        Buffer("index_p", I, "in", ("count", *sizes), "where to write along the dimension", strides("index", index_class),
               offset="index_o0"),
        Buffer("src_p", S, "in", ("count", *sizes), "the values", strides("src"), offset="src_o0"),
        Buffer("out_p", S, "inout", ("size", *sizes), "what to write to", ("along", *(f"out_s{r}" for r in range(rank))), offset="out_o0"),
        [a for r in range(rank) for a in (
            Number(f"d{r}", f"the size of dimension {r}", allowed=">= 1"), stride("index", r, index_class), stride("src", r),
            stride("out", r))],
        Number("rows", "the product of all sizes but the last"), Number("count", "how many indices each column has"),
        Number("size", "the size of out along the dimension that is indexed"),
        Number("low", "the smallest valid index", allowed="0 or -size"),
        Number("along", "from one element of out to the next along it", unit="elements"),
        [Number(f"{n}_t", f"from one element of {n} to the next along it", unit="elements") for n in ("index", "src")],
        *interface.notes("an index out of range", "the index and `size`"))})
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
