## Search: for each value, the number of elements of its sorted row that are less than it (right: or equal to it).
##
## sorted (rows, n), values (rows, m) -> out (rows, m); with rows_apart 0 all rows search one sequence.  NaN is largest.
## sorter, if given, holds the positions that sort `sorted`.
<%!
PARAMETERS = dict(style="cpu", dtype="float32", out_dtype="int64", right=False, sorter=False)
DTYPES = "number"
LAUNCH = {"cpu": "local = (1,); global = (groups,), any number >= 1", "gpu": "local = (WGS,); global = (rows * m rounded up,)"}
%>
<%
S, C = types.storage_type(dtype), types.compute_type(dtype)
floating = dtype.is_floating_point
def below(a, b): return f"({a} < {b}" + (f" || ({b} != {b} && {a} == {a}))" if floating else ")")
at = "sorter_p[sorter_o + base + middle]" if sorter else "middle"
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void search(
    __global const ${S} *sorted_p, const long sorted_o, __global const ${S} *values_p, const long values_o,
% if sorter:
    __global const long *sorter_p, const long sorter_o,
% endif
    __global ${types.storage_type(out_dtype)} *out_p, const long out_o, const long rows, const long n, const long m, const long rows_apart)
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
