## Search: for each value, the number of elements of its sorted row that are less than it (right: or equal to it).
##
## sorted (rows, n), values (rows, m) -> out (rows, m); with rows_apart 0 all rows search one sequence.  NaN is largest.
## sorter, if given, holds the positions that sort `sorted`.
<%!
from cltensor.base import dtypes as d
from cltensor.codegen.parameters import Parameter, one_of

PARAMETERS = dict(
    style="cpu", dtype="float32", out_dtype=Parameter("int64", "the dtype of the result", one_of("int64", "int32", d.int64, d.int32)),
    right=Parameter(False, "whether equal elements count as well", one_of(True, False)),
    sorter=Parameter(False, "whether an argument sorts the rows", one_of(True, False)))
DTYPES = "number"
STYLES = ("cpu", "gpu")
%>
<%
S, C = types.storage_type(dtype), types.compute_type(dtype)
floating = dtype.is_floating_point
interface.walks(style, "rows * m")
def below(a, b): return f"({a} < {b}" + (f" || ({b} != {b} && {a} == {a}))" if floating else ")")
at = "sorter_p[sorter_o + base + middle]" if sorter else "middle"
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void search(
    ${interface.declare("search",
        Buffer("sorted_p", S, "in", ("rows", "n"), "rows in ascending order" if not sorter else "rows in any order", ("rows_apart", 1),
               offset="sorted_o"),
        Buffer("values_p", S, "in", ("rows", "m"), "what to look for", offset="values_o"),
        [Buffer("sorter_p", "long", "in", ("rows", "n"), "positions that sort each row", ("rows_apart", 1), offset="sorter_o")]
        if sorter else [],
        Buffer("out_p", types.storage_type(out_dtype), "out", ("rows", "m"), "how many elements of the row come before each value",
               offset="out_o"),
        Number("rows", "the number of rows"), Number("n", "the length of a sorted row"), Number("m", "the values for each row"),
        Number("rows_apart", "from one sorted row to the next; 0: all rows search one", unit="elements"))})
{
    for (size_t unit = get_global_id(0); unit < (size_t)(rows * m); unit += get_global_size(0)) {
        const size_t base = unit / m * rows_apart;
        const ${C} wanted = ${types.load(dtype, "values_p", "values_o + unit")};
        size_t low = 0, high = n;
        while (low < high) {
            const size_t middle = (low + high) / 2;
            const ${C} here = ${types.load(dtype, "sorted_p", f"sorted_o + base + {at}")};
            if (${"!" + below("wanted", "here") if right else below("here", "wanted")}) low = middle + 1; else high = middle;
        }
        out_p[out_o + unit] = (${types.storage_type(out_dtype)})low;
    }
}
