## Gather: out[.., t, ..] = x[.., index[.., t, ..], ..] along one dimension.
##
## Walks every dimension of the output; x has stride 0 along the gathered one, where the index gives the position.
## Classes of the innermost dimension: "c" stride 1, "b" stride 0, "s" any.  low: the smallest valid index, 0 or -size; negative
## indices count from the end.  An index out of range leaves a note in `fault` and reads nothing.  AHEAD: elements per work-item
## of the gpu style.
<%!
from cltensor.base import dtypes as d
from cltensor.codegen.parameters import Parameter, one_of, whole

PARAMETERS = dict(
    style="cpu", rank=Parameter(1, "the number of dimensions", whole(1, 64)), dtype="float32",
    index_dtype=Parameter("int64", "the dtype of the index", one_of("int64", "int32", d.int64, d.int32)),
    x_class=Parameter("c", "how x lies along the innermost dimension", one_of("c", "b", "s")),
    index_class=Parameter("c", "how the index lies along it", one_of("c", "b", "s")),
    AHEAD=Parameter(4, "elements for a work-item, in the gpu style", whole(1, 16)))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
S, I = types.storage_type(dtype), types.storage_type(index_dtype)
step = {"c": "i", "b": "0"}
in_range, note = "at >= low && at < size", "if (!fault[0]) { fault[0] = who; fault[1] = at; fault[2] = size; }"
source = "x_o + (size_t)(at < 0 ? at + size : at) * along"
along_x, along_index = (step.get(k, f"i * {n}_s{rank - 1}") for n, k in (("x", x_class), ("index", index_class)))
sizes = [f"d{r}" for r in range(rank)]
interface.walks_rows(style, "rows", sizes[-1], "AHEAD", needs=["out overlaps nothing."])
def strides(n, last): return (*(f"{n}_s{r}" for r in range(rank - 1)), {"c": 1, "b": 0}.get(last, f"{n}_s{rank - 1}"))
def stride(n, r, k=None):
    return Number(f"{n}_s{r}", f"from one element of {n} to the next along d{r}", unit="elements",
                  allowed={"c": "1, or any number if the size is 1", "b": "0"}.get(k, "") if r == rank - 1 else "")
%>
${types.pragmas([dtype])}

<%def name="element()">
    const long at = index_p[index_o + ${along_index}];
    if (${in_range}) {
        out_p[out_o + i] = x_p[${source} + ${along_x}];
    } else {
        ${note}
    }
</%def>
<%def name="row_offsets()">
% for n in ("x", "index", "out"):
    const size_t ${n}_o = ${n}_o0${"".join(f" + i{r} * {n}_s{r}" for r in range(rank - 1))};
% endfor
</%def>
<%def name="decode()">
    size_t rest = row;
% for r in reversed(range(rank - 1)):
    const size_t i${r} = rest % (size_t)d${r}; rest /= (size_t)d${r};
% endfor
</%def>
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void gather(
    ${interface.declare("gather",
        Buffer("x_p", S, "in", (*sizes, "size"), "what to read from, `size` elements `along` apart at each position",
               (*strides("x", x_class), "along"), offset="x_o0"),
        Buffer("index_p", I, "in", sizes, "where to read along the dimension", strides("index", index_class), offset="index_o0"),
        Buffer("out_p", S, "out", sizes, "the result", strides("out", "c"), offset="out_o0"),
        [a for r in range(rank) for a in (
            Number(f"d{r}", f"the size of dimension {r}", allowed=">= 1"), stride("x", r, x_class), stride("index", r, index_class),
            stride("out", r, "c"))],
        Number("rows", "the product of all sizes but the last"), Number("size", "the size of x along the dimension that is indexed"),
        Number("low", "the smallest valid index", allowed="0 or -size"),
        Number("along", "from one element of x to the next along it", unit="elements"), *interface.notes("an index out of range", "the index and `size`"))})
{
    const size_t run = d${rank - 1};
% if style == "cpu":
    const size_t lo = get_group_id(1) * run / get_num_groups(1), hi = (get_group_id(1) + 1) * run / get_num_groups(1);
    const size_t first = get_group_id(0) * (size_t)rows / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * (size_t)rows / get_num_groups(0);
    for (size_t row = first; row < last; row++) {
        ${decode()}
        ${row_offsets()}
% if index_class == "b":
        const long at = index_p[index_o];
        if (${in_range}) {
            const size_t from = ${source};
            for (size_t i = lo; i < hi; i++)
                out_p[out_o + i] = x_p[from + ${along_x}];
        } else {
            ${note}
        }
% else:
        for (size_t i = lo; i < hi; i++) {
            ${element()}
        }
% endif
    }
% else:
    for (size_t row = get_global_id(1); row < (size_t)rows; row += get_global_size(1)) {
        ${decode()}
        ${row_offsets()}
% if index_class == "b":
        const long at = index_p[index_o];
        if (!(${in_range})) {
            ${note}
            continue;
        }
        const size_t from = ${source};
% endif
        const size_t apart = get_local_size(0), step = get_num_groups(0) * apart * ${AHEAD};
        for (size_t i0 = get_group_id(0) * apart * ${AHEAD} + get_local_id(0); i0 < run; i0 += step) {
            ${S} found[${AHEAD}];
            int here[${AHEAD}];
            #pragma unroll
            for (int u = 0; u < ${AHEAD}; u++) {
                const size_t i = i0 + u * apart;
                here[u] = i < run;
                if (here[u]) {
% if index_class == "b":
                    found[u] = x_p[from + ${along_x}];
% else:
                    const long at = index_p[index_o + ${along_index}];
                    here[u] = ${in_range};
                    if (here[u]) {
                        found[u] = x_p[${source} + ${along_x}];
                    } else {
                        ${note}
                    }
% endif
                }
            }
            #pragma unroll
            for (int u = 0; u < ${AHEAD}; u++)
                if (here[u]) out_p[out_o + i0 + u * apart] = found[u];
        }
    }
% endif
}
